/** What a tester sends otherwise than it should: which field, of which message. */

import type { Fault } from '../../engine/fault.ts';
import type { HelloEdits } from '../../handshake/client/context.ts';
import type { HelloDraft } from '../../handshake/client/hello-draft.ts';
import { helloExtensions } from '../../handshake/messages/client-hello.ts';
import { copyOf, equalBytes } from '../../wire/bytes.ts';
import type { Version } from '../../wire/registry.ts';
import { differenceOf, messageDifference } from '../differences.ts';
import { LayeredFault } from '../interceptor.ts';
import { nameIn } from '../messages.ts';
import type { Marking } from '../render.ts';

/** Notes what faults, and edits of a hello, make of the messages of a connection. */
export class Marks {
  readonly all: Marking[] = [];
  /** What was edited in the hello that is about to be sent. */
  #edited: string | undefined;

  /** What sees the messages first. */
  fault(): Fault {
    return new LayeredFault('marks', (inner) => ({
      ...inner,
      sending: (raw) => {
        const result = inner.sending(raw);
        this.#note(raw, result.sent);
        return result;
      },
    }));
  }

  #note(raw: Uint8Array, [sent, ...more]: readonly Uint8Array[]): void {
    const edited = this.#edited;
    this.#edited = undefined;
    if (sent === undefined) this.all.push({ sent, what: `no ${nameIn(raw)}` });
    else if (more.length > 0) this.all.push({ sent, what: `${nameIn(raw)}, and what was not asked for` });
    else if (!equalBytes(sent, raw)) this.all.push({ sent, what: changeOf(raw, sent) });
    else if (edited !== undefined) this.all.push({ sent, what: edited });
  }

  /** Returns edits that do the same. */
  edits({ hello, bytes }: HelloEdits): HelloEdits {
    return {
      hello: (draft, attempt) => {
        const before = fieldsOf(draft);
        const edited = hello?.(draft, attempt) ?? draft;
        const path = differenceOf(before, fieldsOf(edited))?.path;
        if (path !== undefined) this.#edited = `.client_hello${path.replace(/(binders\[\d+\]).*/, '$1')}`;
        return edited;
      },
      bytes: (raw, attempt) => {
        const changed = bytes?.(raw, attempt) ?? raw;
        if (!equalBytes(raw, changed)) this.#edited = changeOf(raw, changed);
        return changed;
      },
    };
  }
}

function changeOf(raw: Uint8Array, sent: Uint8Array): string {
  if (nameIn(raw) !== nameIn(sent)) return `${nameIn(sent)} in the place of ${nameIn(raw)}`;
  const versions: readonly Version[] = ['TLSv1.3', 'TLSv1.2']; // whichever can read both
  const paths = versions.map((version) => messageDifference(raw, sent, version)?.path);
  return paths.find((path) => path !== undefined && !path.endsWith(']')) ?? paths[0] ?? nameIn(raw);
}

const EXTENSIONS = new Map<number, string>(Object.entries(helloExtensions).map(([name, [type]]) => [type, name]));

/** The fields of a draft as a trace has those of the hello. Their bytes are copies, since an edit may change them in their place. */
function fieldsOf({ extensions = [], psks, ...fields }: HelloDraft): unknown {
  const known = extensions.flatMap(({ type, data }) => {
    const name = EXTENSIONS.get(type);
    return name === undefined ? [] : [[name, copyOf(data)] as const];
  });
  const preSharedKey = {
    identities: psks.map(({ identity, obfuscatedTicketAge }) => ({ identity: copyOf(identity), obfuscatedTicketAge })),
    binders: psks.map(({ binder, secret, hash, kind }) => ({ binder: binder && copyOf(binder), secret, hash, kind })),
  };
  return {
    ...fields,
    random: copyOf(fields.random),
    legacySessionId: copyOf(fields.legacySessionId),
    cipherSuites: [...fields.cipherSuites],
    legacyCompressionMethods: copyOf(fields.legacyCompressionMethods),
    extensions: {
      ...Object.fromEntries(known),
      ...(psks.length === 0 ? {} : { preSharedKey }),
      order: extensions.map(({ type }) => type),
    },
  };
}
