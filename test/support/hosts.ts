/** Hosts with the language, a few globals and nothing else: contexts of node:vm, into which an entry of the package is loaded. */

import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import type { ClientConnection } from '../../src/engine/client/client-connection.ts';
import type { ClientConfig } from '../../src/engine/client/config.ts';
import type { Step } from '../../src/engine/events.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import { ServerConnection as Peer, type ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { ScriptedClient } from './scripted-client.ts';

/** The entries that need no Node. */
export interface Library {
  readonly index: typeof import('../../src/index.ts');
  readonly tls13: typeof import('../../src/tls13.ts');
  /** With the connection of the index, which runs the `config` of an SslContext. */
  readonly openssl: typeof import('../../src/openssl.ts') &
    Pick<typeof import('../../src/index.ts'), 'ServerConnection'>;
  readonly client: typeof import('../../src/client.ts');
  readonly client13: typeof import('../../src/client13.ts');
}

const CONTENTS: Readonly<Record<keyof Library, string>> = {
  index: "export * from './index.js';",
  tls13: "export * from './tls13.js';",
  client: "export * from './client.js';",
  client13: "export * from './client13.js';",
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
 * Has the questions of a step answered. Returns what the connection has to say by then, as bytes of this program.
 * @throws the error of a callback, or of the connection
 */
async function answered(connection: Pick<ServerConnection, 'answer'>, first: Step): Promise<Uint8Array> {
  const outputs: Uint8Array[] = [];
  for (let step = first; ; ) {
    outputs.push(step.output);
    for (const event of step.events) {
      if (event.type === 'callback-error' || event.type === 'failed') throw event.error;
    }
    if (step.question === undefined) return Uint8Array.from(Buffer.concat(outputs));
    const outcome = await Promise.resolve(step.question.promise).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    step = connection.answer(step.question, outcome);
  }
}

/**
 * Serves a client in a host, with the questions awaited, until the handshake is complete and neither side has anything to say.
 * @throws the error of a callback, or of the connection
 */
export async function serveIn(
  { library, bytes }: Host<Pick<Library['index'], 'ServerConnection'>>,
  config: ServerConfig,
  client: ScriptedClient,
): Promise<ServerConnection> {
  const connection = new library.ServerConnection(config);
  for (let sent = client.take(); sent.length > 0; sent = client.take()) {
    const output = await answered(connection, connection.receive(bytes(sent)));
    if (output.length > 0) client.receive(output);
  }
  if (!connection.isEstablished) throw new Error('the handshake is not complete');
  return connection;
}

/** The same for a client in a host, at a server of this program. */
export async function visitIn(
  { library, bytes }: Host<Pick<Library['client'], 'ClientConnection'>>,
  config: ClientConfig,
  server: ServerConfig,
): Promise<ClientConnection> {
  const connection = new library.ClientConnection(config, { serverName: 'localhost' });
  const peer = new Peer(server);
  for (let sent = await answered(connection, connection.connect()); sent.length > 0; ) {
    const heard = await answered(peer, peer.receive(sent));
    sent = await answered(connection, connection.receive(bytes(heard)));
  }
  if (!connection.isEstablished) throw new Error('the handshake is not complete');
  return connection;
}
