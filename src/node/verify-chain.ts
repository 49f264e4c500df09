/** Judges chains of certificates by the authorities that issued them (RFC 5280 §6), for clients and for servers. */

import { Buffer } from 'node:buffer';
import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { Oid } from '../crypto/credentials/certificate.ts';
import { certificatesFromPem } from '../crypto/credentials/credential-pem.ts';
import { MAX_CHAIN } from '../handshake/peer-signature.ts';
import { TlsAlert } from '../wire/alert.ts';
import { equalBytes } from '../wire/bytes.ts';
import { DerError } from '../wire/der.ts';
import { kindOf } from '../wire/kind-of.ts';
import { type Names, requireOptions, requireString } from '../wire/options.ts';
import type { Pem } from '../wire/pem.ts';
import { systemWorld, timeOf } from '../world.ts';
import { type ChainCertificate, KeyUsage, readChainCertificate } from './chain-certificate.ts';
import { isFor } from './host-name.ts';

/** The options of {@link verifyChain}. */
export interface VerifyChainOptions {
  /**
   * The authorities: certificates in PEM, each text one or several, or certificates in DER. Each is trusted by itself, whether it
   * has signed itself or not; a server's own certificate may be one. Default for servers: those that Node comes with,
   * `rootCertificates` of node:tls. For clients there is no default.
   */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /** Whose certificates are judged. Default 'server'. */
  readonly purpose?: 'server' | 'client' | undefined;
  /** The host name or IP address that the certificate must be for. Default for servers: the one that was connected to. */
  readonly name?: string | undefined;
  /** Milliseconds since the epoch, for the dates. Default: the host's clock. */
  readonly now?: (() => number) | undefined;
}

const OPTIONS = { ca: true, purpose: true, name: true, now: true } satisfies Names<VerifyChainOptions>;
const PURPOSES = { server: Oid.serverAuth, client: '1.3.6.1.5.5.7.3.2' } as const;
const ANY_PURPOSE = '2.5.29.37.0';

/**
 * Answers `true` for a chain that it accepts, and throws the TlsAlert for any other. It is a `verifyServer`, whose second argument is
 * the name that was connected to, and a `clientAuth.verifyClient`, whose second argument it does not look at.
 */
export type ChainVerifier = (chain: readonly Uint8Array[], name?: unknown) => true;

/**
 * Returns a function that judges chains of certificates:
 *
 *     defineClient({ verifyServer: verifyChain({ ca }) })
 *     defineServer({ …, clientAuth: { mode: 'require', verifyClient: verifyChain({ ca, purpose: 'client' }) } })
 *
 * It finds a path from the peer's own certificate over those that the peer has sent to one of `ca`. On it, it checks each signature
 * (by node:crypto; none by MD5 or SHA-1), the dates, basicConstraints with its length of path, keyCertSign, digitalSignature of the
 * peer's own key, and the extended key usage; of a server also its name, by RFC 9525: a dNSName, in which `*` may stand for the first
 * label, or an iPAddress. A common name counts for nothing. A certificate with name constraints, or with a critical extension that is
 * not among these, is refused.
 *
 * It does not check revocation (neither CRL nor OCSP), policies, or Certificate Transparency, and it fetches no certificates that the
 * peer has left out.
 *
 * A refusal is the alert of RFC 9846 §6.2: unknown_ca without a path to `ca`; certificate_expired outside of the dates;
 * unsupported_certificate for another purpose, an unhandled extension, or a certificate before X.509v3, other than those of `ca`; bad_certificate for everything else.
 * @throws TypeError naming the option that is wrong
 */
export function verifyChain(options: VerifyChainOptions = {}): ChainVerifier {
  requireOptions('options', options, OPTIONS);
  const { ca, purpose = 'server', name, now = systemWorld.now } = options;
  if (!Object.hasOwn(PURPOSES, purpose)) throw new TypeError("purpose: 'server' or 'client' is wanted");
  requireString('name', name);
  if (typeof now !== 'function') throw new TypeError(`now: a function is wanted, not ${kindOf(now)}`);
  if (ca === undefined && purpose === 'client')
    throw new TypeError('ca: is missing; give the certificate of the authority that issues those of your clients');
  const anchors = ca === undefined ? publicAnchors : anchorsOf(ca);
  return (chain, asked) => {
    const host = name ?? (purpose === 'server' ? requireName(asked) : undefined);
    new PathSearch(anchors(), PURPOSES[purpose], timeOf({ now })).require(chain, host);
    return true;
  };
}

function requireName(asked: unknown): string {
  if (typeof asked === 'string' && asked !== '') return asked;
  if (typeof asked === 'object')
    throw new TypeError("purpose: verifyChain({ ca, purpose: 'client' }) is wanted for clientAuth.verifyClient");
  throw new TlsAlert(
    'bad_certificate',
    'there is no name that the certificate could be for; give the connection its serverName, or verifyChain() a name',
  );
}

/** Authorities by their subjects. */
type Anchors = ReadonlyMap<string, readonly Link[]>;

/** A certificate, with OpenSSL's view of it for signatures. */
class Link {
  readonly fields: ChainCertificate;
  #x509: X509Certificate | undefined;

  /** @throws DerError */
  constructor(bytes: Uint8Array) {
    this.fields = readChainCertificate(bytes);
  }

  /** @throws Error if OpenSSL cannot read it */
  get x509(): X509Certificate {
    this.#x509 ??= new X509Certificate(this.fields.bytes);
    return this.#x509;
  }

  get isSelfIssued(): boolean {
    return this.fields.subject === this.fields.issuer;
  }

  is(other: Link): boolean {
    return equalBytes(this.fields.bytes, other.fields.bytes);
  }

  /** For messages: the subject on one line. */
  get text(): string {
    return oneLine(() => this.x509.subject);
  }

  get issuerText(): string {
    return oneLine(() => this.x509.issuer);
  }
}

function oneLine(read: () => string | undefined): string {
  try {
    return read()?.replaceAll('\n', ', ') || 'a certificate without a name';
  } catch {
    return 'a certificate that OpenSSL cannot read';
  }
}

function anchorsOf(ca: Pem | readonly Pem[]): () => Anchors {
  const list: readonly Pem[] = typeof ca === 'string' || ca instanceof Uint8Array ? [ca] : ca;
  if (!Array.isArray(list)) throw new TypeError(`ca: certificates in PEM or DER are wanted, not ${kindOf(ca)}`);
  const anchors = bySubject(list.flatMap(certificatesIn));
  if (anchors.size === 0) throw new TypeError('ca: has no certificate; to trust nobody, do not connect');
  return () => anchors;
}

function certificatesIn(given: Pem): Link[] {
  const isDer = given instanceof Uint8Array && given[0] === 0x30;
  const certificates = isDer ? [given] : certificatesFromPem('ca', given).map(({ bytes }) => bytes);
  if (certificates.length === 0) throw new TypeError('ca: no CERTIFICATE in it');
  return certificates.map((bytes) => {
    try {
      return new Link(Uint8Array.from(bytes));
    } catch (cause) {
      if (!(cause instanceof DerError)) throw cause;
      throw new TypeError(`ca: ${cause.message}`, { cause });
    }
  });
}

function bySubject(links: readonly Link[]): Anchors {
  const anchors = new Map<string, Link[]>();
  for (const link of links) {
    const { subject } = link.fields;
    anchors.set(subject, [...(anchors.get(subject) ?? []), link]);
  }
  return anchors;
}

let known: Anchors | undefined;

/** Node's, read when they are first needed. */
function publicAnchors(): Anchors {
  known ??= bySubject(rootCertificates.flatMap(certificatesIn));
  return known;
}

/** RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3. */
const SIGNATURES: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
  Oid.ed25519,
  '1.3.101.113',
]);
/** RFC 4055 §2.1: SHA-256, SHA-384, SHA-512. */
const PSS_HASHES: ReadonlySet<string> = new Set([
  '2.16.840.1.101.3.4.2.1',
  '2.16.840.1.101.3.4.2.2',
  '2.16.840.1.101.3.4.2.3',
]);
/** RFC 3279 §2.2: with RSA, with DSA, with ECDSA; SHA-1 of RSASSA-PSS. */
const BROKEN: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.2',
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.2.840.10040.4.3',
  '1.2.840.10045.4.1',
  '1.3.14.3.2.26',
  '1.3.14.3.2.29',
]);
/** Any peer can demand them, and one who sends many authorities of one name many. */
const MAX_SIGNATURES = 32;
const MIN_RSA_BITS = 2048;

/** One search for a path to an anchor: depth first, with a bound on the signatures that are checked. */
class PathSearch {
  readonly #anchors: Anchors;
  readonly #purpose: string;
  readonly #now: number;
  #sent: readonly Link[] = [];
  #signatures = 0;
  /** The first reason why a path that led on was left. */
  #fault: TlsAlert | undefined;

  constructor(anchors: Anchors, purpose: string, now: number) {
    this.#anchors = anchors;
    this.#purpose = purpose;
    this.#now = now;
  }

  /** @throws TlsAlert */
  require(chain: readonly Uint8Array[], host: string | undefined): void {
    if (chain.length > MAX_CHAIN) throw new TlsAlert('bad_certificate', `a chain of ${chain.length} certificates`);
    const [leaf, ...sent] = chain.map(readSent);
    if (leaf === undefined) throw new TlsAlert('bad_certificate', 'a chain without certificates');
    this.#checkAlways(leaf);
    requireVersion3(leaf);
    const { keyUsage, names, addresses } = leaf.fields;
    if (keyUsage !== undefined && (keyUsage & KeyUsage.digitalSignature) === 0)
      throw new TlsAlert('unsupported_certificate', `the key of ${leaf.text} may not sign (its keyUsage says so)`);
    if (host !== undefined && !isFor(leaf.fields, host)) throw wrongName(host, [...names, ...addresses.map(readable)]);
    if (this.#anchors.get(leaf.fields.subject)?.some((anchor) => anchor.is(leaf))) return;
    this.#sent = sent;
    if (!this.#leadsOn([leaf])) throw this.#fault ?? noPath(leaf);
  }

  /** Whether a path from the leaf up to here can be continued to an anchor. */
  #leadsOn(path: readonly Link[]): boolean {
    const last = path.at(-1) as Link;
    const { issuer } = last.fields;
    for (const anchor of this.#anchors.get(issuer) ?? []) if (this.#isIssuer(anchor, path, true)) return true;
    for (const sent of this.#sent) {
      if (sent.fields.subject !== issuer || path.some((link) => link.is(sent))) continue;
      if (this.#isIssuer(sent, path, false) && this.#leadsOn([...path, sent])) return true;
    }
    return false;
  }

  /** Whether `candidate` has issued the last certificate of `path`, and may have. */
  #isIssuer(candidate: Link, path: readonly Link[], isAnchor: boolean): boolean {
    const last = path.at(-1) as Link;
    try {
      requireStrongSignature(last);
      if (!last.x509.checkIssued(candidate.x509) && this.#mayIssue(candidate)) return false; // another key's identifier
      this.#checkAlways(candidate);
      if (!isAnchor) requireVersion3(candidate);
      requireAuthority(candidate, path, isAnchor);
      if (++this.#signatures > MAX_SIGNATURES)
        throw new TlsAlert('bad_certificate', 'too many certificates of the same name; send one chain');
      if (last.x509.verify(candidate.x509.publicKey)) return true;
      throw new TlsAlert('bad_certificate', `${last.text} was not signed with the key of ${candidate.text}`);
    } catch (error) {
      // OpenSSL's errors are about certificates that it cannot read, or keys that it does not have.
      this.#fault ??= TlsAlert.isAlert(error) ? error : new TlsAlert('bad_certificate', `${candidate.text}: ${error}`);
      return false;
    }
  }

  /** Whether keyUsage lets the candidate issue: checkIssued() looks at that, too, and there is a better word for it. */
  #mayIssue({ fields: { keyUsage } }: Link): boolean {
    return keyUsage === undefined || (keyUsage & KeyUsage.keyCertSign) !== 0;
  }

  /** What holds for every certificate of a path. @throws TlsAlert */
  #checkAlways(link: Link): void {
    const { notBefore, notAfter, unhandled, purposes } = link.fields;
    if (this.#now < notBefore)
      throw new TlsAlert('certificate_expired', `${link.text} is valid from ${iso(notBefore)} on; is the clock right?`);
    if (this.#now >= notAfter + 1000)
      throw new TlsAlert('certificate_expired', `${link.text} has expired on ${iso(notAfter)}; have it renewed`);
    if (unhandled !== undefined)
      throw new TlsAlert(
        'unsupported_certificate',
        `${link.text} has ${unhandled}, which is critical and not handled here`,
      );
    if (purposes !== undefined && !purposes.includes(this.#purpose) && !purposes.includes(ANY_PURPOSE))
      throw new TlsAlert(
        'unsupported_certificate',
        `${link.text} is not for TLS ${this.#purpose === PURPOSES.server ? 'servers' : 'clients'} (its extKeyUsage says so)`,
      );
  }
}

function readSent(bytes: Uint8Array): Link {
  try {
    return new Link(bytes);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new TlsAlert('bad_certificate', error.message);
  }
}

/**
 * RFC 9846 §4.5.1.2, RFC 5246 §7.4.2: what a peer shows is X.509v3. RFC 5280 §6.1.4 (k): an older certificate cannot say that it is an
 * authority. An anchor is one because `ca` says so. @throws TlsAlert
 */
function requireVersion3({ text, fields: { version } }: Link): void {
  if (version !== 3)
    throw new TlsAlert(
      'unsupported_certificate',
      `${text} is X.509v${version}; have it issued as X.509v3, with extensions`,
    );
}

/** RFC 9846 §4.5.1.3. The signature of an anchor is not looked at. @throws TlsAlert */
function requireStrongSignature({ text, fields: { signedWith } }: Link): void {
  const { algorithm, pssHash } = signedWith;
  if (algorithm === Oid.rsassaPss ? PSS_HASHES.has(pssHash ?? '') : SIGNATURES.has(algorithm)) return;
  if (BROKEN.has(pssHash ?? algorithm))
    throw new TlsAlert('bad_certificate', `${text} is signed by MD5 or SHA-1; have it issued anew`);
  throw new TlsAlert('unsupported_certificate', `${text} is signed by ${algorithm}, which is not handled here`);
}

/** RFC 5280 §6.1.4, (k) to (n). An anchor without basicConstraints is one because `ca` says so. @throws TlsAlert */
function requireAuthority(candidate: Link, path: readonly Link[], isAnchor: boolean): void {
  const { basicConstraints, keyUsage } = candidate.fields;
  if (!(basicConstraints?.cA ?? isAnchor))
    throw new TlsAlert('bad_certificate', `${candidate.text} is no authority, and yet has issued a certificate`);
  if (keyUsage !== undefined && (keyUsage & KeyUsage.keyCertSign) === 0)
    throw new TlsAlert('bad_certificate', `${candidate.text} may not issue certificates (its keyUsage says so)`);
  const below = path.slice(1).filter((link) => !link.isSelfIssued).length; // the leaf does not count
  if (below > (basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY))
    throw new TlsAlert('bad_certificate', `${candidate.text} may not have ${below} authorities under it`);
  const { publicKey } = candidate.x509;
  const { modulusLength = MIN_RSA_BITS } = publicKey.asymmetricKeyDetails ?? {};
  if (publicKey.asymmetricKeyType?.startsWith('rsa') && modulusLength < MIN_RSA_BITS)
    throw new TlsAlert('bad_certificate', `the key of ${candidate.text} has ${modulusLength} bits, which is too short`);
}

function wrongName(host: string, names: readonly string[]): TlsAlert {
  const has =
    names.length === 0 ? 'it has no subjectAltName, and common names do not count' : `it is for ${names.join(', ')}`;
  return new TlsAlert('bad_certificate', `the certificate is not for ${host}: ${has}`);
}

/** An address in hexadecimal as it is written elsewhere. */
function readable(address: string): string {
  if (address.length === 8) return [...Buffer.from(address, 'hex')].join('.');
  const { hostname } = new URL(`http://[${(address.match(/.{4}/g) ?? []).join(':')}]`); // RFC 5952: with ::
  return hostname.slice(1, -1);
}

function noPath(leaf: Link): TlsAlert {
  if (leaf.isSelfIssued)
    return new TlsAlert(
      'unknown_ca',
      `${leaf.text} is self-signed, and not one of ca; to trust it, add it to ca or to pins`,
    );
  return new TlsAlert(
    'unknown_ca',
    `no path from ${leaf.text}, which ${leaf.issuerText} has issued, leads to ca; add the root to ca, or have the peer send what is between`,
  );
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
