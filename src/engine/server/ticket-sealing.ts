/** Sealed tickets as one connection sees them: asks for keys, opens tickets, has the application judge them, and seals sessions. */

import { type Awaitable, isPromise } from '../../awaitable.ts';
import type { NoTicket, TicketFacts } from '../../handshake/outcome.ts';
import type { OpenedTicket, Sealed } from '../../handshake/server/context.ts';
import type { Outcome, Task } from '../../handshake/wait.ts';
import type { Session } from '../../sessions/session.ts';
import { judgeTicket, openedStatus } from '../../tickets/callbacks.ts';
import { KEY_NAME_LENGTH, MAX_TICKET_LENGTH } from '../../tickets/format.ts';
import { TicketKey } from '../../tickets/key.ts';
import type { KeyTimer, OpeningKey, Renewal, TicketKeyProvider } from '../../tickets/key-provider.ts';
import { TicketKeyRing } from '../../tickets/key-ring.ts';
import { openSession, type RejectedTicket, sealSession, ticketKeyName } from '../../tickets/ticket.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { copyOf, copyRange, toHex } from '../../wire/bytes.ts';
import type { Version } from '../../wire/registry.ts';
import { drawRandom } from '../../world.ts';
import { complete } from '../checks.ts';
import { disowned } from '../events.ts';
import type { SealedTickets, TicketHost, TicketPolicy } from './ticket-policy.ts';

/**
 * Whether the client gets a new ticket, by what the key provider says. Otherwise the version decides: RFC 9846 §4.7.1 lets a new
 * ticket follow; RFC 5077 §3.3 has one if the old one is of no use.
 */
const RENEW: Readonly<Record<Renewal, boolean | undefined>> = { 'as-usual': undefined, due: true, declined: false };

/** The result if there are no keys, or no answer. */
const UNOPENED: OpenedTicket = { found: { reason: 'undecryptable' }, renew: undefined, status: 'no-decrypt' };

class ConnectionSealedTickets implements Sealed {
  readonly #policy: TicketPolicy;
  readonly #keys: TicketKeyProvider | undefined;
  readonly #host: TicketHost;
  /** The phase of the key that was last looked for. */
  #phase: TicketFacts['phase'];

  constructor(policy: TicketPolicy, host: TicketHost) {
    this.#policy = policy;
    this.#keys = policy.keys;
    this.#host = host;
    if (host.keyTimer !== undefined) this.#lend(host.keyTimer);
  }

  /** It is for all connections, so none depends on what the provider does with it. */
  #lend(timer: KeyTimer): void {
    try {
      requireNow(this.#keys?.useTimer?.(timer), this.#host);
    } catch (error) {
      this.#host.emit({ type: 'callback-error', callback: 'openingKeys', error });
    }
  }

  /** Opens a ticket with the keys of a ring. If the ring throws, {@link ConnectionSealedTickets.open} asks again, and reports that. */
  openAtOnce(version: Version, ticket: Uint8Array, sessionId?: Uint8Array): OpenedTicket | undefined {
    const keys = this.#keysAtHand(ticket);
    return keys && this.#openWith(version, ticket, keys, sessionId);
  }

  #keysAtHand(ticket: Uint8Array): readonly OpeningKey[] | undefined {
    try {
      return this.#keys instanceof TicketKeyRing ? this.#keysOfRing(this.#keys, ticketKeyName(ticket)) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Asks a ring. It keeps no reference to the name, needs no connection info, and tells the phase of its keys. */
  #keysOfRing(ring: TicketKeyRing, name: Uint8Array | undefined): readonly OpeningKey[] {
    const found = name === undefined ? [] : ring.openingKeys(name);
    const [first] = found;
    if (first !== undefined) this.#phase = first.renewal === 'as-usual' ? 'encrypt' : 'decrypt-only';
    else this.#phase = name && ring.find(name)?.phase;
    return found;
  }

  open(version: Version, ticket: Uint8Array, sessionId?: Uint8Array): Task<unknown, OpenedTicket> {
    return {
      kind: 'ticket',
      callback: 'openingKeys',
      budgeted: true,
      run: () => this.#findKeys(ticket),
      conclude: (outcome) => {
        if ('late' in outcome) return { ...UNOPENED, found: { reason: 'store-timeout' } };
        if ('value' in outcome) return this.#openWith(version, ticket, outcome.value, sessionId);
        if (TlsAlert.isAlert(outcome.error)) throw outcome.error;
        return UNOPENED;
      },
      isAnswer: TlsAlert.isAlert,
    };
  }

  #findKeys(ticket: Uint8Array): Awaitable<unknown> {
    const name = ticketKeyName(ticket);
    this.#phase = undefined;
    if (name === undefined) return [];
    const keys = this.#keys;
    this.#phase = phaseOf(requireNow(keys?.find?.(copyOf(name)), this.#host));
    return keys?.openingKeys(name, this.#host.info(), copyOf(ticket)) ?? [];
  }

  #openWith(version: Version, ticket: Uint8Array, keys: unknown, sessionId?: Uint8Array): OpenedTicket {
    try {
      return this.#opened(version, ticket, requireOpeningKeys(keys), sessionId);
    } catch (error) {
      return this.#failed(error); // the answer is not a list of keys, or a user's format throws
    }
  }

  #opened(version: Version, ticket: Uint8Array, keys: readonly OpeningKey[], sessionId?: Uint8Array): OpenedTicket {
    const opened = openSession(ticket, keys, this.#host.now(), sessionId);
    if (opened.status !== 'opened') {
      const reason = opened.status === 'malformed' ? 'malformed' : 'undecryptable';
      return { found: { reason }, renew: undefined, status: 'no-decrypt', facts: this.#factsOfRejected(opened, keys) };
    }
    const { key, renewal, session } = opened;
    const facts = { keyName: key.hexName, format: key.format.name, phase: this.#phase, failure: undefined };
    const status = openedStatus(renewal, version);
    return { found: { session: this.#host.adoptOffered(session) }, renew: RENEW[renewal], status, facts };
  }

  #factsOfRejected({ keyName, status }: RejectedTicket, keys: readonly OpeningKey[]): TicketFacts {
    const key = keyName && keys.find((candidate) => candidate.key.hasName(keyName))?.key;
    return { keyName: keyName && toHex(keyName), format: key?.format.name, phase: this.#phase, failure: status };
  }

  /** Reports an error in opening a ticket. It does not end the handshake, unless the key provider has thrown an alert. */
  #failed(error: unknown): OpenedTicket {
    if (TlsAlert.isAlert(error)) throw error;
    this.#host.emit({ type: 'callback-error', callback: 'openingKeys', error });
    return UNOPENED;
  }

  judge(opened: OpenedTicket, ticket: Uint8Array): Task<unknown, OpenedTicket> | undefined {
    const { onDecrypt } = this.#policy.callbacks;
    if (onDecrypt === undefined) return undefined;
    const { status } = opened;
    const { session } = opened.found;
    return {
      kind: 'ticket',
      callback: 'onDecrypt',
      budgeted: true,
      run: () => onDecrypt(session, keyNameOf(ticket), status, this.#host.info()),
      conclude: (outcome) => judged(opened, outcome),
    };
  }

  seal(session: Session): Task<unknown, Uint8Array | undefined> {
    return {
      kind: 'ticket',
      callback: 'sealingKey',
      budgeted: true,
      run: () => this.#findSealingKey(),
      conclude: (outcome) => {
        if ('value' in outcome) return this.#sealed(session, outcome.value);
        if ('error' in outcome && TlsAlert.isAlert(outcome.error)) throw outcome.error;
        return this.#noTicket('callback-error');
      },
      isAnswer: TlsAlert.isAlert,
    };
  }

  #findSealingKey(): Awaitable<unknown> {
    const keys = this.#keys;
    return keys instanceof TicketKeyRing ? keys.sealingKey() : keys?.sealingKey(this.#host.info());
  }

  #sealed(session: Session, key: unknown): Uint8Array | undefined {
    try {
      if (key !== undefined && !(key instanceof TicketKey)) throw new TypeError('a TicketKey is wanted, or nothing');
      const ticket = sealSession(key, session, (length) => drawRandom(this.#host.world, length, 'ticket'));
      if (typeof ticket !== 'string') return requireTicket(ticket);
      return this.#noTicket(ticket);
    } catch (error) {
      if (TlsAlert.isAlert(error)) throw error;
      this.#host.emit({ type: 'callback-error', callback: 'sealingKey', error });
      return this.#noTicket('callback-error');
    }
  }

  #noTicket(reason: NoTicket): undefined {
    this.#host.emit({ type: 'no-ticket', reason });
  }
}

/** Key files and keys are taken for providers of keys. */
const REMEDY = '; TicketKeyRing.of(keys, world) has it, and ticketKeysFrom() reads key files';

/** Sealed tickets, as an optional part of a server: the `tickets.mode` 'stateless' needs it. */
export const sealedTickets: SealedTickets = {
  connect: (policy, host) => new ConnectionSealedTickets(policy, host),
  keys: (given, world) =>
    given === undefined
      ? TicketKeyRing.rotating(world)
      : complete('tickets.keys', given, ['sealingKey', 'openingKeys'], REMEDY),
};

function judged(opened: OpenedTicket, outcome: Outcome): OpenedTicket {
  const verdict = judgeTicket(opened.status, 'value' in outcome ? outcome.value : 'ignore-renew');
  if (verdict === 'abort') throw new TlsAlert('internal_error', 'the application has refused a ticket');
  const isIgnored = opened.found.session !== undefined && !verdict.use;
  return { ...opened, found: isIgnored ? { reason: 'ignored' } : opened.found, renew: verdict.renew };
}

/** Returns the key name of a ticket; of a ticket that is shorter than a name, all of it. */
function keyNameOf(ticket: Uint8Array): Uint8Array {
  return copyRange(ticket, 0, Math.min(ticket.length, KEY_NAME_LENGTH));
}

function phaseOf(info: { readonly phase: unknown } | undefined): TicketFacts['phase'] {
  return PHASES.find((phase) => phase === info?.phase);
}

/** Returns an answer that is wanted at once. A promise is not waited for; if it rejects, that is an event and must not end the process. */
function requireNow<T>(told: T, host: TicketHost): T | undefined {
  if (!isPromise(told)) return told;
  host.emit(disowned('openingKeys', told));
  return undefined;
}

const PHASES = ['encrypt', 'decrypt-only', 'destroyed'] as const;

function requireOpeningKeys(answer: unknown): readonly OpeningKey[] {
  if (Array.isArray(answer) && answer.every(isOpeningKey)) return answer;
  throw new TypeError('an array of { key, renewal } is wanted, each with a TicketKey');
}

function isOpeningKey(entry: Partial<OpeningKey> | undefined): boolean {
  return entry?.key instanceof TicketKey && entry.renewal !== undefined && Object.hasOwn(RENEW, entry.renewal);
}

/** RFC 9846 §4.7.1: `opaque ticket<1..2^16-1>`. Only a user's format can make another. @throws RangeError */
function requireTicket(ticket: Uint8Array): Uint8Array {
  if (ticket instanceof Uint8Array && ticket.length >= 1 && ticket.length <= MAX_TICKET_LENGTH) return ticket;
  throw new RangeError(`a format has made a ticket that is none; 1 to ${MAX_TICKET_LENGTH} bytes are possible`);
}
