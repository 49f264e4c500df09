/** Hosts with the language, a few globals and nothing else: contexts of node:vm, into which an entry of the package is loaded. */

import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import type { Step } from '../../src/engine/events.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import type { ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { TestClient } from './client.ts';

/** The entries that need no Node. */
export interface Library {
  readonly index: typeof import('../../src/index.ts');
  readonly tls13: typeof import('../../src/tls13.ts');
  /** With the connection of the index, which runs the `config` of an SslContext. */
  readonly openssl: typeof import('../../src/openssl.ts') &
    Pick<typeof import('../../src/index.ts'), 'ServerConnection'>;
}

const CONTENTS: Readonly<Record<keyof Library, string>> = {
  index: "export * from './index.js';",
  tls13: "export * from './tls13.js';",
  openssl: "export * from './openssl.js'; export { ServerConnection } from './engine/server/server-connection.js';",
};

const bundles = new Map<keyof Library, Promise<string>>();

function bundleOf(entry: keyof Library): Promise<string> {
  const made = bundles.get(entry) ?? makeBundle(CONTENTS[entry]);
  bundles.set(entry, made);
  return made;
}

async function makeBundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('../../src', import.meta.url)) },
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'TlsResume',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

export interface Host<L> {
  readonly library: L;
  /** Returns a copy that is of the host's own Uint8Array. */
  bytes(from: Uint8Array): Uint8Array;
}

/** Loads an entry into a host that has the language and these globals. `crypto` has no `subtle` unless that is named, too. */
export async function load<E extends keyof Library>(entry: E, globals: readonly string[]): Promise<Host<Library[E]>> {
  const context = createContext({});
  for (const name of globals) if (name !== 'crypto.subtle') context[name] = Reflect.get(globalThis, name);
  if (globals.includes('crypto') && !globals.includes('crypto.subtle')) {
    context['crypto'] = { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes) };
  }
  runInContext(await bundleOf(entry), context);
  const bytes: (from: Uint8Array) => Uint8Array = runInContext('(from) => Uint8Array.from(from)', context);
  return { library: runInContext('TlsResume', context), bytes };
}

/**
 * Serves a client in a host, with the questions awaited, until the handshake is complete and neither side has anything to say.
 * @throws the error of a callback, or of the connection
 */
export async function serveIn(
  { library, bytes }: Host<Pick<Library['index'], 'ServerConnection'>>,
  config: ServerConfig,
  client: TestClient,
): Promise<ServerConnection> {
  const connection = new library.ServerConnection(config);
  const attend = ({ output, events, question }: Step): Step['question'] => {
    if (output.length > 0) client.receive(Uint8Array.from(output));
    for (const event of events) {
      if (event.type === 'callback-error' || event.type === 'failed') throw event.error;
    }
    return question;
  };
  for (let sent = client.take(); sent.length > 0; sent = client.take()) {
    let question = attend(connection.receive(bytes(sent)));
    while (question !== undefined) {
      const outcome = await Promise.resolve(question.promise).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      question = attend(connection.answer(question, outcome));
    }
  }
  if (!connection.isEstablished) throw new Error('the handshake is not complete');
  return connection;
}
