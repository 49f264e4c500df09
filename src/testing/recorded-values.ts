/** Answers, conclusions and errors as JSON, and back. */

import { type DecapsulationKey, InvalidPublicKey } from '../crypto/provider.ts';
import { ClientSession } from '../sessions/client-session.ts';
import { sessionToDer } from '../sessions/der.ts';
import type { SessionParameters } from '../sessions/parameters.ts';
import { Session } from '../sessions/session.ts';
import { isOwnAlert, TlsAlert } from '../wire/alert.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { AlertDescription, type AlertName } from '../wire/registry.ts';
import type { RecordedError, RecordedSession } from './recording.ts';

/** What `undefined` is in JSON, where it is a conclusion. */
const UNDEFINED = { $undefined: true };

/** The sessions that a connection meets, as they are when it meets them. */
export class SessionsMet {
  readonly #met: { readonly session: Session; readonly parameters: SessionParameters; readonly isRuledOut: boolean }[] =
    [];

  readonly #told = new Set<number>();

  /** Returns the index of a session as it is now. */
  add(session: Session): number {
    const parameters = { ...parametersOf(session) };
    parameters.secret = parameters.secret.slice(); // which may be wiped before the recording is written
    return this.#met.push({ session, parameters, isRuledOut: session.isRuledOut }) - 1;
  }

  /** Returns the indices of sessions that have been ruled out since they were met, each once. */
  newlyRuledOut(): number[] {
    return this.#met.flatMap(({ session, isRuledOut }, i) => {
      if (isRuledOut || this.#told.has(i) || !session.isRuledOut) return [];
      this.#told.add(i);
      return [i];
    });
  }

  /** The sessions as they are written. The secrets of those that `isUsed` does not name are left out. */
  toJSON(isUsed: (session: Session) => boolean): RecordedSession[] {
    return this.#met.map(({ session, parameters, isRuledOut }) => {
      const used = isUsed(session);
      const secret = used ? parameters.secret : new Uint8Array(parameters.secret.length);
      return {
        der: toHex(sessionToDer({ ...parameters, secret })),
        isUsed: used,
        isRuledOut: isRuledOut || undefined,
        receivedAt: session instanceof ClientSession ? session.origin.receivedAt : undefined,
      };
    });
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Of a session whose secret has been wiped there are 48 zeros. */
function parametersOf(session: Session): Mutable<SessionParameters> {
  if (session.holds > 0) return session.parameters();
  const { version, cipherSuite, id, time, timeout, authTime, extendedMasterSecret, idContext } = session;
  const { serverName, alpnProtocol, group, ticketAgeAdd, scope, applicationData, peerCertificate, foreign } = session;
  const known = { version, cipherSuite, id, time, timeout, authTime, extendedMasterSecret, idContext };
  const rest = { serverName, alpnProtocol, group, ticketAgeAdd, scope, applicationData, peerCertificate, foreign };
  return { ...known, ...rest, secret: new Uint8Array(48) };
}

/** A replay does not ask who has accepted a server. */
const NOBODY = { verifyServer: undefined, pins: [] };

/** Reads a session, with one hold. A client's gets back the time when it came. */
export function readSession({ der, isRuledOut, receivedAt }: RecordedSession): Session {
  const read = Session.fromDer(fromHex(der));
  const origin = { receivedAt: receivedAt ?? 0, peerChain: [], acceptedBy: NOBODY };
  const session = receivedAt === undefined ? read : new ClientSession(read.parameters(), origin);
  if (isRuledOut) session.forbidResumption();
  return session;
}

/** Writes a value. Functions are left out, and what is a secret of its own: of a key there is the public part alone. */
export function writeValue(value: unknown, sessions: SessionsMet): unknown {
  if (value === undefined) return UNDEFINED;
  if (value instanceof Uint8Array) return { $bytes: toHex(value) };
  if (Session.isSession(value)) return { $session: sessions.add(value) };
  if (Array.isArray(value)) return value.map((one) => writeValue(one, sessions));
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? UNDEFINED : value;
  if ('decapsulate' in value && 'publicKey' in value) return { $publicKey: toHex(value.publicKey as Uint8Array) };
  const fields = Object.entries(value).filter(([, field]) => field !== undefined && typeof field !== 'function');
  return Object.fromEntries(fields.map(([name, field]) => [name, writeValue(field, sessions)]));
}

/** Reads what {@link writeValue} has written. */
export function readValue(value: unknown, sessions: readonly Session[]): unknown {
  if (Array.isArray(value)) return value.map((one) => readValue(one, sessions));
  if (typeof value !== 'object' || value === null) return value;
  if ('$undefined' in value) return undefined;
  if ('$bytes' in value) return fromHex(String(value.$bytes));
  if ('$session' in value) return sessions[Number(value.$session)];
  if ('$secretOf' in value) return sessions[Number(value.$secretOf)]?.secret;
  if ('$publicKey' in value) return publicKeyOf(fromHex(String(value.$publicKey)));
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, readValue(field, sessions)]));
}

/** A key of which only the public part is known. What it agreed on is an answer of its own. */
function publicKeyOf(publicKey: Uint8Array): DecapsulationKey {
  const decapsulate = () => {
    throw new Error('the private key is not in the recording');
  };
  return { publicKey, decapsulate, wipe: () => {} };
}

/** Writes an error: its name, its message, and the alert that it stands for. */
export function writeError(error: unknown): RecordedError {
  if (isOwnAlert(error)) return { name: 'TlsAlert', message: reasonOf(error), alert: error.alert };
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: 'unknown', message: typeof error };
}

/** An alert's message begins with its name, which its constructor adds. */
function reasonOf({ message, alert }: TlsAlert): string {
  return message.startsWith(`${alert}: `) ? message.slice(alert.length + 2) : message;
}

/** Reads an error, of the class that the handshake looks for. */
export function readError({ name, message, alert }: RecordedError): Error {
  if (alert !== undefined && Object.hasOwn(AlertDescription, alert)) return new TlsAlert(alert as AlertName, message);
  if (name === 'InvalidPublicKey') return new InvalidPublicKey(message);
  return Object.assign(new Error(message), { name });
}
