import { assert } from 'chai';
import {
  INSPECT_FLAGS,
  type InspectSettings,
  parseCommand,
  parseDemo,
  SERVE_FLAGS,
  type ServeSettings,
} from '../../src/cli/args.ts';
import { Fault } from '../../src/cli/fault.ts';
import { INSPECT_HELP, SERVE_HELP } from '../../src/cli/help.ts';
import { FAULT_NAMES } from '../../src/cli/serve-faults.ts';

function settings(...words: string[]): ServeSettings {
  const command = parseCommand(['serve', ...words]);
  if (command.name !== 'serve') throw new Error(`${command.name}?`);
  return command.settings;
}

function inspected(...words: string[]): InspectSettings {
  const command = parseCommand(['inspect', ...words]);
  if (command.name !== 'inspect') throw new Error(`${command.name}?`);
  return command.settings;
}

function complaint(words: readonly string[]): string {
  try {
    parseCommand(words);
  } catch (error) {
    assert.instanceOf(error, Fault);
    assert.strictEqual(error.exitCode, 2);
    assert.notInclude(error.message, '\n');
    return error.message;
  }
  throw new Error(`no complaint about ${words.join(' ')}`);
}

describe('the command line', () => {
  it('has defaults for everything', () => {
    assert.deepEqual(settings(), {
      host: '127.0.0.1',
      port: 8443,
      certificates: [],
      protocol: {
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.3',
        ciphers: undefined,
        groups: undefined,
        alpn: undefined,
        pskModes: undefined,
      },
      psk: undefined,
      compat: undefined,
      crypto: 'default',
      resumption: { tickets: undefined, ticketKeys: [], idContext: undefined, foreign: false },
      earlyData: undefined,
      recordSizeLimit: undefined,
      faults: [],
      echo: false,
      keylog: undefined,
      record: undefined,
      recordData: false,
      json: false,
      verbose: false,
    });
  });

  it('takes every flag', () => {
    const words = [
      '--host ::1 --port=0 --cert a --key b --cert c --key d --min-version 1.3 --max-version TLSv1.3',
      '--ciphers TLS_CHACHA20_POLY1305_SHA256,TLS_AES_128_GCM_SHA256 --groups secp256r1,x25519 --alpn h2,http/1.1',
      '--tickets stateless --ticket-keys nginx:new --ticket-keys haproxy:a:b --id-context hex:00ff --foreign',
      '--psk-modes psk_ke,psk_dhe_ke --compat openssl-3 --crypto fast --echo --keylog f --json --verbose',
      '--record r --record-data',
    ];
    assert.deepEqual(settings(...words.flatMap((line) => line.split(' '))), {
      host: '::1',
      port: 0,
      certificates: [
        { cert: 'a', key: 'b' },
        { cert: 'c', key: 'd' },
      ],
      protocol: {
        minVersion: 'TLSv1.3',
        maxVersion: 'TLSv1.3',
        ciphers: ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
        groups: ['secp256r1', 'x25519'],
        alpn: ['h2', 'http/1.1'],
        pskModes: ['psk_ke', 'psk_dhe_ke'],
      },
      psk: undefined,
      compat: 'openssl-3',
      crypto: 'fast',
      resumption: {
        tickets: 'stateless',
        ticketKeys: [
          { producer: 'nginx', file: 'new' },
          { producer: 'haproxy', file: 'a:b' },
        ],
        idContext: Uint8Array.of(0, 255),
        foreign: true,
      },
      earlyData: undefined,
      recordSizeLimit: undefined,
      faults: [],
      echo: true,
      keylog: 'f',
      record: 'r',
      recordData: true,
      json: true,
      verbose: true,
    });
  });

  it('takes ticket keys for stateless tickets', () => {
    assert.strictEqual(settings('--ticket-keys', 'node:f').resumption.tickets, 'stateless');
    assert.strictEqual(settings('--tickets', 'off').resumption.tickets, 'off');
  });

  it('takes a session id context as text', () => {
    assert.deepEqual(settings('--id-context', 'haproxy').resumption.idContext, Uint8Array.from(Buffer.from('haproxy')));
    assert.lengthOf(settings('--id-context', 'x'.repeat(32)).resumption.idContext ?? '', 32);
    assert.deepEqual(settings('--id-context', '').resumption.idContext, new Uint8Array(0));
  });

  it('takes every flag of inspect', () => {
    assert.deepEqual(inspected('--session', 'f'), {
      what: 'session',
      file: 'f',
      ticketKeys: [],
      showSecrets: false,
      json: false,
    });
    const words = ['--ticket', 't', '--ticket-keys', 'node:k', '--show-secrets', '--json'];
    assert.deepEqual(inspected(...words), {
      what: 'ticket',
      file: 't',
      ticketKeys: [{ producer: 'node', file: 'k' }],
      showSecrets: true,
      json: true,
    });
  });

  it('knows the general words', () => {
    for (const words of [['--help'], ['-h'], ['help']]) assert.deepEqual(parseCommand(words), { name: 'help' });
    for (const words of [
      ['serve', '--help'],
      ['serve', '-h'],
      ['help', 'serve'],
    ]) {
      assert.deepEqual(parseCommand(words), { name: 'serve-help' });
    }
    for (const words of [
      ['inspect', '--help'],
      ['help', 'inspect'],
    ]) {
      assert.deepEqual(parseCommand(words), { name: 'inspect-help' });
    }
    assert.deepEqual(parseCommand(['--version']), { name: 'version' });
  });

  it('explains every flag in the help', () => {
    for (const flag of Object.keys(SERVE_FLAGS)) assert.include(SERVE_HELP, `--${flag}`);
    for (const name of FAULT_NAMES) assert.match(SERVE_HELP, new RegExp(`[ ,]${name}[:,\n]`), name);
    for (const flag of Object.keys(INSPECT_FLAGS)) assert.include(INSPECT_HELP, `--${flag}`);
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /^no command given; there is 'serve', 'connect', 'inspect'/],
    ['frob', /^unknown command 'frob'; there is 'serve', 'connect', 'inspect'/],
    ['--port 3', /^--port stands before the command/],
    ['-v', /^unknown flag '-v'; is --version meant\? see 'tls-resume --help'$/],
    ['--verison', /^unknown flag '--verison'; is --version meant\?/],
    ['--hlep', /^unknown flag '--hlep'; is --help meant\?/],
    ['serve --fault', /^--fault: a value is wanted/],
    [
      'serve --fault bad-finish',
      /^--fault: unknown 'bad-finish'; is bad-finished meant\? there are bad-finished, .*close-notify$/,
    ],
    ['serve --fault closeNotify:alert', /^--fault: unknown 'closeNotify'; is close-notify meant\?/],
    ['serve --fault xyzzy', /^--fault: unknown 'xyzzy'; there are bad-finished, bad-signature/],
    ['serve --fault constructor', /^--fault: unknown 'constructor'/],
    ['serve --fault bad-finished:1', /^--fault bad-finished: nothing stands behind it$/],
    ['serve --fault bad-finished#2', /^--fault bad-finished#2: #2 says nothing$/],
    ['serve --fault drop', /^--fault drop: something is missing, as in drop:finished$/],
    ['serve --fault drop:finish', /^--fault drop:finish: drop: "finish" is not one of .*; is 'finished' meant\?$/],
    ['serve --fault drop:finished#0', /^--fault drop:finished#0: drop: which is 0; the first is 1$/],
    ['serve --fault drop:finished#all', /^--fault drop:finished#all: #2 or #each is wanted, not #all$/],
    [
      'serve --fault corrupt:finished',
      /^--fault corrupt:finished: corrupt: "finished" is not one of change_cipher_spec,/,
    ],
    ['serve --fault split:0', /^--fault split:0: split\(size\) is 0; whole numbers from 1/],
    ['serve --fault split:x', /^--fault split:x: 'x' is not a whole number$/],
    [
      'serve --fault retry-with:P-256',
      /^--fault retry-with:P-256: retryWith: "P-256" is not one of .*; is 'secp256r1' meant/,
    ],
    ['serve --fault ticket-nonce:zz', /^--fault ticket-nonce:zz: 'zz' is not hexadecimal$/],
    ['serve --fault ticket-lifetime:4294967296', /: ticket\.lifetime is 4294967296; whole numbers from 0/],
    ['serve --fault delay:server_hello', /: milliseconds are missing, as in delay:server_hello=500$/],
    ['serve --fault delay:server_hello=-1', /: '-1' is not a whole number$/],
    ['serve --prot 3', /^unknown flag '--prot'; is --port meant\? see 'tls-resume serve --help'$/],
    ['serv', /^unknown command 'serv'; is 'serve' meant\?/],
    ['serve --port 1 --port 2', /^--port is given twice; give it once$/],
    ['serve --port=1 --port=2', /^--port is given twice/],
    ['inspect FILE', /^is 'FILE' a session or a ticket\? write --session FILE, or --ticket FILE/],
    ['serve extra', /^unexpected argument 'extra'/],
    ['serve --echo=yes', /^option '--echo' does not take an argument/],
    ['serve --port', /^--port: a value is wanted/],
    ['serve --port -1', /^--port: '-1' is no port; 0 to 65535 are/],
    ['serve --port --echo', /^--port: a value is wanted/],
    ['serve --port=-1', /^--port: '-1' is no port; 0 to 65535 are/],
    ['serve --port 65536', /^--port: '65536' is no port/],
    ['serve --port 0x50', /^--port: '0x50' is no port/],
    ['serve --port http', /^--port: 'http' is no port/],
    ['serve --host=', /^--host: the value is empty/],
    ['serve --min-version 1.1', /^--min-version: '1.1' is not spoken here; 1.2 and 1.3 are/],
    ['serve --max-version toString', /^--max-version: 'toString' is not spoken here/],
    ['serve --min-version 1.3 --max-version 1.2', /^--min-version TLSv1.3 is above --max-version TLSv1.2/],
    ['serve --cert a', /^--key is missing: 1 --cert and 0 --key given/],
    ['serve --cert a --key b --key c', /^--cert is missing: 1 --cert and 2 --key given/],
    ['serve --ciphers FOO,TLS_AES_128_GCM_SHA256,BAR', /^--ciphers: unknown 'FOO', 'BAR'; there are TLS_AES_128_GCM/],
    ['serve --ciphers tls_aes_128_gcm_sha256', /'tls_aes_128_gcm_sha256' \(is TLS_AES_128_GCM_SHA256 meant\?\)/],
    ['serve --ciphers ECDHE-RSA-CHACHA20-POLY1305', /is TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 meant\?/],
    ['serve --max-version 1.2 --ciphers TLS_AES_128_GCM_SHA256', /^--ciphers: none of these is a suite of TLSv1.2: /],
    ['serve -v', /^unknown flag '-v'; is --verbose meant\? see 'tls-resume serve --help'$/],
    ['serve -p 1', /^unknown flag '-p'; is --port or --psk-modes or --psk meant\?/],
    ['serve -x', /^unknown flag '-x'; see/],
    ['help sreve', /^unknown command 'sreve'; is 'serve' meant\?/],
    ['serve --groups x448', /^--groups: unknown 'x448'; there are .*x25519/],
    ['serve --groups x25519,', /^--groups: names separated by commas are wanted/],
    ['serve --psk-modes none', /^--psk-modes: unknown 'none'; there are .*psk_dhe_ke/],
    ['serve --compat openssl-1', /^--compat: 'openssl-1' is not known; openssl-3 is$/],
    ['serve --crypto openssl', /^--crypto: 'openssl' is not known; default, noble, fast, node are$/],
    ['serve --compat', /^--compat: a value is wanted/],
    ['serve --tickets sometimes', /^--tickets: unknown 'sometimes'; there are stateful, stateless, off$/],
    ['serve --tickets off,stateful', /^--tickets: one of stateful, stateless, off is wanted/],
    ['serve --tickets off --ticket-keys node:f', /^--ticket-keys: with --tickets off nothing is sealed/],
    ['serve --tickets stateful --ticket-keys node:f', /^--ticket-keys: with --tickets stateful nothing is sealed/],
    ['serve --ticket-keys f', /^--ticket-keys: 'f' is not PRODUCER:FILE; the producer is one of .*, nginx, haproxy$/],
    ['serve --ticket-keys iis:f', /^--ticket-keys: 'iis:f' is not PRODUCER:FILE/],
    ['serve --ticket-keys ngnix:f', /^--ticket-keys: 'ngnix:f' is not .*, haproxy; is nginx meant\?$/],
    ['serve --ticket-keys nginx:', /^--ticket-keys: 'nginx:' is not PRODUCER:FILE/],
    ['serve --foreign', /^--foreign: no other server has these keys/],
    ['serve --id-context hex:0', /^--id-context: '0' is not hexadecimal/],
    [`serve --id-context ${'x'.repeat(33)}`, /^--id-context: 33 bytes; at most 32 are possible/],
    ['inspect', /^give either --session F or --ticket F/],
    ['inspect --session a --ticket b', /^give either --session F or --ticket F/],
    ['inspect --ticket a', /^--ticket: --ticket-keys is missing/],
    ['inspect --session a --ticket-keys node:b', /^--ticket-keys: a session needs none/],
    ['inspect --session=', /^--session: the value is empty/],
    ['inspect --frob', /^unknown flag '--frob'; see 'tls-resume inspect --help'$/],
    ['serve --alpn h2,ü', /^--alpn: 'ü' is no protocol name/],
  ];
  for (const [words, expected] of wrong) {
    it(`says what is wrong with '${words}'`, () => {
      assert.match(complaint(words === '' ? [] : words.split(' ')), expected);
    });
  }

  it('of the demo has a port and help', () => {
    assert.deepEqual(parseDemo(['--port', '0']), { help: false, port: 0 });
    assert.deepEqual(parseDemo(['-h']), { help: true, port: undefined });
    assert.throws(() => parseDemo(['--host', 'x']), Fault, "unknown flag '--host'; see 'npm start -- --help'");
  });
});
