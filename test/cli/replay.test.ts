/** `tls-resume replay`, and the recordings and the listing of `tls-resume connect`. */

import { constants } from 'node:buffer';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { expect } from 'chai';
import { parseCommand, REPLAY_FLAGS, type ReplaySettings } from '../../src/cli/args.ts';
import { connectTo } from '../../src/cli/connect.ts';
import { Fault } from '../../src/cli/fault.ts';
import { REPLAY_HELP } from '../../src/cli/help.ts';
import { RecordingFolder } from '../../src/cli/recordings.ts';
import { replayFile } from '../../src/cli/replay.ts';
import { serve } from '../../src/cli/serve.ts';
import { connect } from '../../src/node/index.ts';
import type { Recording } from '../../src/testing/recording.ts';
import { fixturePath } from '../fixtures.ts';
import { startServer, stopServers, textOf } from '../node/support.ts';
import { finished } from './programs.ts';

const FILE = fixturePath('recordings/server-psk-stateless-psk-ke.json');

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-resume-replay-'));
});
after(() => rmSync(folder, { recursive: true }));
afterEach(() => stopServers());

function settingsOf(...words: readonly string[]): ReplaySettings {
  const command = parseCommand(['replay', ...words]);
  if (command.name !== 'replay') throw new Error(`${command.name}?`);
  return command.settings;
}

function faultOf(run: () => unknown): Fault {
  try {
    run();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('no fault');
}

/** A recording in the folder. */
function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('tls-resume replay', () => {
  it('says that nothing differs, and what was not compared', () => {
    const [line, ...others] = replayFile(settingsOf(FILE));
    expect(line).to.match(
      /server-psk-stateless-psk-ke\.json: \d+ calls on a TLSv1\.3 server replayed, and nothing differs$/,
    );
    const masked = readFileSync(FILE, 'utf8').includes('"application_data"');
    expect(others).to.have.length(masked ? 1 : 0);
  });

  it('explains it', () => {
    const [text = ''] = replayFile(settingsOf(FILE, '--explain'));
    expect(text).to.match(/^A TLSv1\.3 server: established, resumed by psk-stateless in psk_ke/);
    expect(text).to.match(/verdict on a psk-stateless: resumed/);
    expect(text).not.to.include('\x1b');
  });

  it('prints one JSON object, with the trace if it is to explain', () => {
    const [text = ''] = replayFile(settingsOf(FILE, '--json'));
    const report = JSON.parse(text);
    expect(report)
      .to.include({ event: 'replayed', side: 'server' })
      .and.to.have.keys('event', 'side', 'calls', 'maskedRecords', 'facts');
    const [full = ''] = replayFile(settingsOf(FILE, '--json', '--explain'));
    expect(JSON.parse(full).trace).to.be.an('array').with.length.above(5);
  });

  it('names the field that differs, and ends with 1', () => {
    const recording: Recording = JSON.parse(readFileSync(FILE, 'utf8'));
    const file = written('other.json', JSON.stringify({ ...recording, seed: '00'.repeat(32) }));
    const { message, exitCode } = faultOf(() => replayFile(settingsOf(file)));
    expect(message).to.match(/other\.json: it differs at calls\[\d+\]\.\w+\.random: /);
    expect(exitCode).to.equal(1);
  });

  it('says of what is no recording why not', () => {
    for (const [name, text, message] of [
      ['none.json', '-----BEGIN EC', /none\.json: is not a recording: it is not JSON, or it is cut off$/],
      ['empty.json', '{}', /empty\.json: is not a recording: what record\(\) has written is wanted/],
      [
        'seedless.json',
        '{"format": 1, "side": "client"}',
        /seedless\.json: is not a recording: seed: missing or wrong; 32 bytes in hexadecimal is wanted$/,
      ],
      ['later.json', '{"format": 99}', /its format is 99, and this version reads 1/],
    ] as const) {
      const { message: said, exitCode } = faultOf(() => replayFile(settingsOf(written(name, text))));
      expect(said).to.match(message);
      expect(exitCode).to.equal(1);
    }
    expect(faultOf(() => replayFile(settingsOf(join(folder, 'missing')))).exitCode).to.equal(2);
    const long = written('long.json', '');
    truncateSync(long, constants.MAX_STRING_LENGTH + 1); // takes no room on the disk
    expect(faultOf(() => replayFile(settingsOf(long))).message).to.match(
      /long\.json: is not a recording: it is too long$/,
    );
  });

  it('writes a capture with the secrets of the connection, for its owner alone', () => {
    const capture = join(folder, 'capture.pcapng');
    replayFile(settingsOf(FILE, '--pcapng', capture));
    expect(statSync(capture).mode & 0o777).to.equal(0o600);
    const blocks = blocksOf(readFileSync(capture));
    expect(blocks.map(({ type }) => type).slice(0, 3)).to.deep.equal([0x0a0d0d0a, 1, 10]);
    const secrets = blocks[2]?.body.subarray(8).toString() ?? '';
    expect(secrets).to.match(/^CLIENT_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]{64} [0-9a-f]{64}\n/m);
    // All that was received stands in the packets, in order.
    const recording: Recording = JSON.parse(readFileSync(FILE, 'utf8'));
    const hello = recording.calls
      .flatMap(({ input = [] }) => input)
      .filter((piece) => typeof piece === 'string')
      .join('');
    const sent = blocks
      .filter(({ type }) => type === 6)
      .map(({ body }) => body.subarray(20).subarray(0, body.readUInt32LE(12)));
    const fromClient = sent.filter((packet) => packet[15] === 1).map((packet) => packet.subarray(40).toString('hex'));
    expect(fromClient.join('')).to.include(hello.slice(0, 400));
    for (const packet of sent) {
      expect(checksum(packet.subarray(0, 20))).to.equal(0xffff);
      const pseudo = Buffer.concat([
        packet.subarray(12, 20),
        Buffer.of(0, 6, (packet.length - 20) >> 8, packet.length - 20),
      ]);
      expect(checksum(Buffer.concat([pseudo, packet.subarray(20)]))).to.equal(0xffff);
    }
  });

  it('says of a capture that cannot be written which', () => {
    const { message } = faultOf(() => replayFile(settingsOf(FILE, '--pcapng', join(folder, 'no', 'where'))));
    expect(message).to.match(/^--pcapng .*where: cannot be written \(ENOENT/);
  });

  it('refuses wrong words', () => {
    for (const [words, message] of [
      [[], "which recording? write 'tls-resume replay FILE'"],
      [['a', 'b'], "'b' is one word too many; see 'tls-resume replay --help'"],
      [['a', '--explian'], "unknown flag '--explian'; is --explain meant? see 'tls-resume replay --help'"],
    ] as const)
      expect(faultOf(() => settingsOf(...words))).to.include({ message, exitCode: 2 });
  });

  it('has help that names every flag', () => {
    for (const flag of Object.keys(REPLAY_FLAGS)) expect(REPLAY_HELP).to.include(`--${flag}`);
    for (const words of [
      ['replay', '--help'],
      ['help', 'replay'],
    ])
      expect(finished(...words).stdout).to.equal(REPLAY_HELP);
  });
});

/** RFC 1071: all ones if the checksum in it is right. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += 256 * (bytes[i] ?? 0) + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

function blocksOf(capture: Buffer): { readonly type: number; readonly body: Buffer }[] {
  const blocks = [];
  for (let at = 0; at < capture.length; ) {
    const length = capture.readUInt32LE(at + 4);
    expect(capture.readUInt32LE(at + length - 4)).to.equal(length);
    blocks.push({ type: capture.readUInt32LE(at), body: capture.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

describe('tls-resume connect', () => {
  async function connectWith(words: readonly string[], input: string): Promise<string> {
    const command = parseCommand(['connect', ...words]);
    if (command.name !== 'connect') throw new Error(`${command.name}?`);
    const [output, report] = [new PassThrough(), new PassThrough()];
    const said = Promise.all([textOf(output), textOf(report)]);
    await connectTo(command.settings, { input: Readable.from([input]), output, report });
    output.end();
    report.end();
    return (await said)[1];
  }

  it('records each connection in a file that replays, without the data', async () => {
    const { port } = await startServer({}, (socket) => socket.pipe(socket));
    const records = join(folder, 'records');
    await connectWith([`127.0.0.1:${port}`, '--insecure', '--reconnect', '1', '--record', records], 'a secret of mine');
    const names = readdirSync(records);
    expect(names).to.have.length(2);
    for (const name of names) {
      const file = join(records, name);
      expect(statSync(file).mode & 0o777).to.equal(0o600);
      const text = readFileSync(file, 'utf8');
      expect(text).not.to.include(Buffer.from('a secret of mine').toString('hex'));
      expect(replayFile(settingsOf(file))).to.have.length(2);
    }
  });

  it('records data if it is told to', async () => {
    const { port } = await startServer({}, (socket) => socket.pipe(socket));
    const records = join(folder, 'data');
    await connectWith([`127.0.0.1:${port}`, '--insecure', '--record', records, '--record-data'], 'a secret of mine');
    const [name = ''] = readdirSync(records);
    expect(readFileSync(join(records, name), 'utf8')).to.include(Buffer.from('a secret of mine').toString('hex'));
    expect(replayFile(settingsOf(join(records, name)))).to.have.length(1);
  });

  it('lists what passes', async () => {
    const { port } = await startServer({}, (socket) => socket.pipe(socket));
    const text = await connectWith([`127.0.0.1:${port}`, '--insecure', '--trace'], 'x');
    for (const line of [
      /^client \S+ 0 +client_hello /m,
      /^client \S+ 1 +finished /m,
      /^client \S+ 2 +record application_data/m,
    ])
      expect(text).to.match(line);
  });

  it('refuses --record-data without --record, and a folder that cannot be', () => {
    const words = ['127.0.0.1:1', '--insecure'];
    expect(faultOf(() => parseCommand(['connect', ...words, '--record-data'])).message).to.equal(
      '--record-data: is for --record DIR',
    );
    expect(faultOf(() => parseCommand(['connect', ...words, '--record', ''])).exitCode).to.equal(2);
    for (const path of [FILE, join(FILE, 'below')])
      expect(faultOf(() => new RecordingFolder(path, false))).to.include({
        message: `--record ${path}: a folder is wanted, and that is a file`,
        exitCode: 2,
      });
  });
});

describe('tls-resume serve', () => {
  it('records each connection in a file that replays, without the data', async () => {
    const records = join(folder, 'served');
    const command = parseCommand(['serve', '--port', '0', '--echo', '--record', records]);
    if (command.name !== 'serve') throw new Error(`${command.name}?`);
    const { port, close } = await serve(command.settings, { write: () => {} });
    for (let i = 0; i < 2; i++) {
      const socket = connect({ port }, { verifyServer: 'any', handshakeTimeout: 10_000 });
      socket.end('a secret of mine');
      expect(await textOf(socket)).to.equal('a secret of mine');
    }
    await close();
    const names = readdirSync(records);
    expect(names).to.have.length(2);
    for (const name of names) {
      const file = join(records, name);
      expect(statSync(file).mode & 0o777).to.equal(0o600);
      expect(readFileSync(file, 'utf8')).not.to.include(Buffer.from('a secret of mine').toString('hex'));
      expect(replayFile(settingsOf(file))[0]).to.match(/ calls on a TLSv1\.3 server replayed, and nothing differs$/);
    }
  });

  it('goes on where a recording cannot be written, and says so', async () => {
    const records = join(folder, 'lost');
    const command = parseCommand(['serve', '--port', '0', '--echo', '--record', records]);
    if (command.name !== 'serve') throw new Error(`${command.name}?`);
    const warnings: string[] = [];
    const { port, close } = await serve(command.settings, { write: () => {}, warn: (line) => warnings.push(line) });
    rmSync(records, { recursive: true });
    const socket = connect({ port }, { verifyServer: 'any', handshakeTimeout: 10_000 });
    socket.end('hello');
    expect(await textOf(socket)).to.equal('hello');
    await close();
    expect(warnings.join()).to.match(/^--record: .* cannot be written \(ENOENT/);
  });
});
