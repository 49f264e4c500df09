/** `tls-resume inspect`: shows a stored session, or a ticket, with the key that it was sealed under. */

import { SessionDecodeError } from '../sessions/der.ts';
import { splitNodeSession } from '../sessions/node-session.ts';
import { Session } from '../sessions/session.ts';
import type { TicketKey } from '../tickets/key.ts';
import { openTicket, type RejectedTicket } from '../tickets/ticket.ts';
import { latin1, toHex, wipe } from '../wire/bytes.ts';
import type { InspectSettings, TicketKeyFile } from './args.ts';
import { Fault } from './fault.ts';
import { loadTicketKeys, read } from './files.ts';
import { describeSession, type Origin, textOf } from './session-text.ts';

/** The length of the session ids that we make, in bytes. */
const STATEFUL_LENGTH = 32;

/** The lines of output. @throws Fault if there is no session to show */
export function inspect(settings: InspectSettings): readonly string[] {
  const { session, ...origin } = settings.what === 'session' ? ofFile(settings) : ofTicket(settings);
  const description = describeSession(session, origin, settings.showSecrets);
  session.free();
  return settings.json ? [JSON.stringify(description)] : textOf(description);
}

interface Found extends Origin {
  readonly session: Session;
}

function ofFile({ file }: InspectSettings): Found {
  const bytes = read('--session', file);
  try {
    return decode(bytes);
  } catch (error) {
    throw undecodable(error, `--session ${file}: no session, in OpenSSL's DER or PEM`);
  } finally {
    wipe(bytes);
  }
}

function ofTicket({ file, ticketKeys }: InspectSettings): Found {
  const keys = ticketKeys.flatMap((from) => loadTicketKeys([from]).map((key) => ({ key, from })));
  const { ticket, nodeHost } = ticketIn(file);
  const opened = openTicket(
    ticket,
    keys.map(({ key }) => ({ key, renewal: 'declined' })),
  );
  const { keyName } = opened;
  const by = keys.find(({ key }) => keyName !== undefined && key.hasName(keyName));
  try {
    if (opened.status !== 'opened') throw new Fault(1, `--ticket ${file}: ${whyNotOpened(opened, ticket, keys)}`);
    const sealedBy = {
      length: ticket.length,
      keyName: toHex(opened.keyName),
      ...by?.from,
      format: by?.key.format.name,
    };
    return { session: Session.fromDer(opened.plaintext), sealedBy, nodeHost };
  } catch (error) {
    throw undecodable(error, `--ticket ${file}: it has been opened, and holds no session`);
  } finally {
    if (opened.status === 'opened') wipe(opened.plaintext);
    for (const { key } of keys) key.destroy();
  }
}

/** A client's session contains its ticket; anything else is taken for a ticket. */
function ticketIn(file: string): { readonly ticket: Uint8Array; readonly nodeHost?: string | undefined } {
  const bytes = read('--ticket', file);
  if (!isPem(bytes) && !isWrapped(bytes) && !isSession(bytes)) return { ticket: bytes };
  let found: Found;
  try {
    found = decode(bytes);
  } catch (error) {
    throw undecodable(error, `--ticket ${file}: neither a ticket nor a session with one`);
  }
  const { session, nodeHost } = found;
  const { ticket } = session.foreign;
  session.free();
  wipe(bytes);
  if (ticket === undefined) throw new Fault(1, `--ticket ${file}: a session without a ticket; --session shows it`);
  return { ticket, nodeHost };
}

function isSession(bytes: Uint8Array): boolean {
  try {
    Session.fromDer(bytes).free();
    return true;
  } catch (error) {
    if (error instanceof SessionDecodeError) return false;
    throw error;
  }
}

function isPem(bytes: Uint8Array): boolean {
  return latin1(bytes).includes('-----BEGIN ');
}

/** As Node's client wraps sessions, in whichever version of that. No key name begins so: names are random. */
function isWrapped(bytes: Uint8Array): boolean {
  return latin1(bytes).startsWith('\0nodejs:tls:session:');
}

function decode(bytes: Uint8Array): Found {
  if (bytes.length === 0) throw new SessionDecodeError('session', 'the file is empty');
  if (isPem(bytes)) return { session: Session.fromPem(latin1(bytes)) };
  return { session: Session.fromDer(bytes), nodeHost: splitNodeSession(bytes).host };
}

function undecodable(error: unknown, where: string): unknown {
  return error instanceof SessionDecodeError ? new Fault(1, `${where}: ${error.message}`, { cause: error }) : error;
}

type KeyOfFile = { readonly key: TicketKey; readonly from: TicketKeyFile };

function whyNotOpened({ status, keyName }: RejectedTicket, ticket: Uint8Array, keys: readonly KeyOfFile[]): string {
  if (keyName === undefined) return `no ticket: 32 to 65535 bytes are, and here are ${ticket.length}`;
  const name = toHex(keyName);
  const of = keys.filter(({ key }) => key.hasName(keyName)).map(({ from }) => `${from.producer}:${from.file}`);
  if (status === 'unknown-key') {
    const names = keys.map(({ key }) => toHex(key.name)).join(', ');
    return `none of the keys has the name that the ticket begins with, ${name}; theirs are ${names}${guess(ticket)}`;
  }
  if (status === 'malformed')
    return `key ${name} of ${of.join()} is not for tickets of this length, ${ticket.length} bytes; is it whole?`;
  return `key ${name} of ${of.join()} does not fit: is it of another producer, or has the ticket been changed?`;
}

/** A guess at a file that is not a sealed ticket. */
function guess(ticket: Uint8Array): string {
  if (ticket.length === STATEFUL_LENGTH) return '; of this length are stateful ones, ids of sessions in a cache';
  const [first, second] = ticket;
  return first === 0x30 && second === 0x82 ? '; is it a session, in DER, that is not whole?' : '';
}
