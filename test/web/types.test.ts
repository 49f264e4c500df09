/** The declarations that are published: what a program sees that has no ambient types, one that has the DOM's, and one for Node. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { packageFile } from './support.ts';

const index = fileURLToPath(new URL('../../src/index.js', import.meta.url));
const client = fileURLToPath(new URL('../../src/client.js', import.meta.url));
const node = fileURLToPath(new URL('../../src/node/index.js', import.meta.url));
const testing = fileURLToPath(new URL('../../src/testing.js', import.meta.url));
const openssl = fileURLToPath(new URL('../../src/openssl.js', import.meta.url));
const tls13 = fileURLToPath(new URL('../../src/tls13.js', import.meta.url));
const client13 = fileURLToPath(new URL('../../src/client13.js', import.meta.url));

/** Type-checks a program that imports the library; returns what the compiler says. */
async function check(lib: readonly string[], program: string, types: readonly string[] = []): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tls-resume-types-'));
  try {
    const compilerOptions = {
      lib,
      types,
      typeRoots: [join(dirname(packageFile), 'node_modules/@types')],
      target: 'es2022',
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.mts'] }));
    await writeFile(
      join(folder, 'program.mts'),
      program
        .replaceAll("'tls-resume'", `'${index}'`)
        .replaceAll("'tls-resume/client'", `'${client}'`)
        .replaceAll("'tls-resume/node'", `'${node}'`)
        .replaceAll("'tls-resume/testing'", `'${testing}'`)
        .replaceAll("'tls-resume/openssl'", `'${openssl}'`)
        .replaceAll("'tls-resume/tls13'", `'${tls13}'`)
        .replaceAll("'tls-resume/client13'", `'${client13}'`),
    );
    const tsc = join(dirname(packageFile), 'node_modules/typescript/bin/tsc');
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', folder]);
    return stdout;
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? error);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const PROGRAM = `
import { accept, type BytesPair, defineServer, fromMessagePort, type PortLike } from 'tls-resume';
export async function echo(pair: BytesPair, port: PortLike): Promise<Uint8Array | undefined> {
  const config = defineServer({ credentials: [{ cert: '', key: '' }], sessions: { onGet: (_id, _info, signal) => void signal.aborted } });
  const tls = await accept(pair, config, { onCallbackError: (name) => void name.length });
  await tls.readable.pipeTo(tls.writable);
  const { readable } = fromMessagePort(port);
  const { value } = await readable.getReader().read();
  return value;
}
import { connect, defineClient, type StreamConnectOptions, type TlsClientConnection } from 'tls-resume/client';
export async function ask(pair: BytesPair, sessions: StreamConnectOptions['sessions']): Promise<TlsClientConnection> {
  const client = defineClient({ verifyServer: (chain) => chain.length > 0 });
  const tls = await connect(pair, client, { serverName: 'a.example', sessions, onCallbackError: (name) => void name.length });
  await tls.writable.getWriter().write(new Uint8Array(1));
  return tls;
}
`;

/** Each part that is optional, given as `undefined`. */
const UNDEFINED_PROGRAM = `
import { type AeadKey, type CryptoProvider, defaultProvider, type Scope, type TicketKeyProvider } from 'tls-resume';
const groups = { ...defaultProvider.groups, x25519: undefined };
export const crypto: CryptoProvider = { ...defaultProvider, groups, signer: undefined, verifier: undefined };
export const key = (whole: AeadKey): AeadKey => ({ ...whole, sealInPlace: undefined, openInPlace: undefined });
export const keys: TicketKeyProvider = { sealingKey: () => undefined, openingKeys: () => [], find: undefined, useTimer: undefined };
export const port: PortLike = { postMessage: () => {}, addEventListener: () => {}, start: undefined, close: undefined };
export const scope: Scope = { alpn: undefined };
const config = defineServer({ credentials: [{ cert: '', key: '' }], crypto, world: undefined, sessions: { onGet: undefined }, tickets: { mode: 'stateless', keys } });
export const tls = (pair: BytesPair) => accept(pair, config, { signal: undefined, addresses: undefined });
const some = { sessions: undefined, signal: undefined, faults: undefined };
export const visit = (pair: BytesPair) => connect(pair, { verifyServer: 'any', sessions: { maxBytes: undefined } }, some);
`;

const DOM_PROGRAM = `
import { accept, fromMessagePort } from 'tls-resume';
const { port1 } = new MessageChannel();
const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
const options = { credentials: [{ cert: '', key: '' }] };
export const one = await accept(fromMessagePort(port1), options, { signal: AbortSignal.timeout(10) });
export const two = await accept({ readable, writable }, options);
export const response = new Response(two.readable);
import { connect } from 'tls-resume/client';
export const three = await connect(fromMessagePort(port1), { verifyServer: 'any' }, { signal: AbortSignal.timeout(10) });
export const other: ReadableStream<Uint8Array> = three.readable;
await three.readable.pipeTo(two.writable);
export const text: ReadableStream<string> = two.readable.pipeThrough(new TextDecoderStream());
export const stream: ReadableStream<Uint8Array> = one.readable;
export const sink: WritableStream<Uint8Array> = one.writable;
export const worker = fromMessagePort(new Worker('worker.js'));
export const wrong: number = (await one.readable.getReader().read()).value;
`;

const NODE_PROGRAM = `
import { connect, createServer, type NodeServerOptions, type TlsSocket } from 'tls-resume/node';
import { explain, faults, fork, record, type Recorder, replay } from 'tls-resume/testing';
const tapes: Recorder[] = [];
const options: NodeServerOptions = {
  cert: '',
  key: '',
  faults: ({ number }) => {
    const tape = record();
    tapes.push(tape);
    return [faults.closeAt('finished', { which: number }), tape];
  },
};
createServer(options).on('secureConnection', (socket: TlsSocket) => void socket.end(socket.resumption.reason));
connect({ host: '', port: 1 }, { verifyServer: 'any' }).on('session', (session) => void session.upRef());
export const told = tapes.map(({ recording }) => [explain(recording), replay(recording).trace, fork(recording, { at: 0 }).output]);
`;

const OTHERS_PROGRAM = `
export * as openssl from 'tls-resume/openssl';
export * as tls13 from 'tls-resume/tls13';
export * as client13 from 'tls-resume/client13';
`;

describe('the declarations', function () {
  this.timeout(60_000);

  it('need no ambient types, and take undefined for whatever is optional', async () => {
    expect(await check(['es2022'], PROGRAM + UNDEFINED_PROGRAM)).to.equal('');
  });

  it('check out in a program for Node that checks the declarations, too', async () => {
    expect(await check(['es2022'], NODE_PROGRAM + OTHERS_PROGRAM, ['node'])).to.equal('');
  });

  it('fit the types of the DOM', async () => {
    const complaints = await check(['es2022', 'dom', 'dom.iterable', 'dom.asynciterable'], DOM_PROGRAM);
    const errors = complaints.match(/error TS\d+:.*/g) ?? [];
    expect(errors).to.have.length(1);
    expect(errors[0]).to.contain("'Uint8Array<ArrayBufferLike> | undefined' is not assignable to type 'number'");
  });
});
