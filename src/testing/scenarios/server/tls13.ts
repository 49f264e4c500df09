/** What the scenarios with a server of TLS 1.3 share: a client whose hello needs no retry, changes of its hello, and reactions. */

import type { ClientOptions } from '../../../engine/client/options.ts';
import type { DraftPsk, HelloDraft } from '../../../handshake/client/hello-draft.ts';
import type { Session } from '../../../sessions/session.ts';
import { ExtensionType } from '../../../wire/registry.ts';
import type { ServerBench, TesterClient } from '../bench.ts';
import { NotRun, type Visit } from '../visit.ts';

export const TLS13 = { side: 'server', versions: ['TLSv1.3'], mechanism: 'psk' } as const;

/** A client with shares of the groups that every server of TLS 1.3 has one of, so that no HelloRetryRequest comes between. */
export function client(bench: ServerBench, options: Partial<ClientOptions> = {}): TesterClient {
  return bench.client({ groups: ['x25519', 'secp256r1'], keyShares: ['x25519', 'secp256r1'], ...options });
}

/** A change of a hello. */
export type Edit = (draft: HelloDraft) => void;
type EditHello = (draft: HelloDraft, attempt: 1 | 2) => HelloDraft;

/** Changes the first hello. What a second one has in common with it is changed in that, too. */
export function first(edit: Edit): { readonly hello: EditHello } {
  return { hello: on(1, edit) };
}

/** Changes the hello that answers a HelloRetryRequest. */
export function second(edit: Edit): { readonly hello: EditHello } {
  return { hello: on(2, edit) };
}

function on(which: 1 | 2, edit: Edit): EditHello {
  return (draft, attempt) => {
    if (attempt === which) edit(draft);
    return draft;
  };
}

/** Sets an extension, where it stands or before pre_shared_key; `undefined` takes it away. */
export function setExtension(draft: HelloDraft, type: number, data: Uint8Array | undefined): void {
  const extensions = draft.extensions ?? [];
  const at = extensions.findIndex((one) => one.type === type);
  if (at >= 0) extensions.splice(at, 1, ...(data === undefined ? [] : [{ type, data }]));
  else if (data !== undefined) {
    const isLast = extensions.at(-1)?.type === ExtensionType.pre_shared_key;
    extensions.splice(extensions.length - (isLast ? 1 : 0), 0, { type, data });
  }
}

/** The content of an extension. */
export function extensionOf(draft: HelloDraft, type: number): Uint8Array | undefined {
  return draft.extensions?.find((one) => one.type === type)?.data;
}

/** An identity that no server has issued. */
export function unknownPsk(bench: ServerBench, length = 64): DraftPsk {
  return { identity: bench.randomBytes(length), obfuscatedTicketAge: 0, binder: bench.randomBytes(32) };
}

/** The PSK of the one session that a hello offers. */
export function onlyPsk({ psks }: HelloDraft): DraftPsk {
  const [psk] = psks;
  if (psk === undefined) throw new NotRun('the session was not offered');
  return psk;
}

/** Returns what the server makes of a hello with a session, once it has resumed by the like of it. @throws NotRun if it has not */
export async function afterControl(
  tester: TesterClient,
  control: Parameters<TesterClient['visit']>[0],
  fault: Parameters<TesterClient['visit']>[0],
): Promise<Visit> {
  const [one, other] = await tester.sessions(2);
  const { reaction } = await tester.visit({ ...control, sessions: [one] });
  if (reaction !== 'resumes') throw new NotRun(`without the fault it does not resume: ${reaction}`);
  return tester.visit({ ...fault, sessions: [other as Session] });
}

/** What the server has sent in EncryptedExtensions. */
export interface Answers {
  readonly earlyData?: true | undefined;
  readonly recordSizeLimit?: number | undefined;
  readonly maxFragmentLength?: number | undefined;
  readonly ticketRequest?: number | undefined;
}

/** The fields of EncryptedExtensions. @throws NotRun if none has come */
export function answersOf(visit: Visit): Answers {
  const [message] = visit.received<{ readonly extensions: Answers }>('encrypted_extensions');
  if (message?.fields === undefined) throw new NotRun(`no EncryptedExtensions has come: ${visit.reaction}`);
  return message.fields.extensions;
}

/** Where a hello has the length of all extensions. */
export function blockOf(raw: Uint8Array): number {
  const view = new DataView(raw.buffer, raw.byteOffset);
  let block = 4 + 2 + 32;
  block += 1 + view.getUint8(block);
  block += 2 + view.getUint16(block);
  return block + 1 + view.getUint8(block);
}

/** Where a hello has its lengths: that of all extensions, the header of the last of them, and the list of binders, if that is pre_shared_key. */
export function placesOf(raw: Uint8Array): { readonly block: number; readonly last: number; readonly binders: number } {
  const view = new DataView(raw.buffer, raw.byteOffset);
  const block = blockOf(raw);
  let last = block + 2;
  for (let at = last; at < raw.length; at += 4 + view.getUint16(at + 2)) last = at;
  return { block, last, binders: last + 4 + 2 + view.getUint16(last + 4) };
}

/** Adds to numbers of two bytes: to the lengths that count what was added. The message has fewer than 2^16 bytes. */
export function addTo(bytes: Uint8Array, places: readonly number[], by: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (const at of places) view.setUint16(at, view.getUint16(at) + by);
}
