/** The dice of the host, and how they are thrown. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { selfSignedCertificate } from '../src/crypto/credentials/self-signed.ts';
import type { Step } from '../src/engine/events.ts';
import { TicketKeyRing } from '../src/tickets/key-ring.ts';
import { toHex } from '../src/wire/bytes.ts';
import { drawRandom, systemWorld } from '../src/world.ts';
import type { Exchange } from './support/exchange.ts';
import { Bench } from './support/mechanisms.ts';
import { POISONS } from './support/poisons.ts';
import { ROWS } from './support/replay.ts';
import { codeOf, readSources } from './support/sources.ts';
import { TestWorld } from './support/world.ts';

describe('systemWorld.randomBytes()', () => {
  for (const length of [0, 1, 32, 255, 256, 257, 4096, 65536, 65537, 200_000]) {
    it(`draws ${length} bytes`, () => {
      const bytes = systemWorld.randomBytes(length);
      expect(bytes.length).to.equal(length);
      if (length >= 32) expect(bytes.subarray(-32).some((byte) => byte !== 0)).to.equal(true);
    });
  }

  it('hands nothing out twice, however the draws fall on the refills', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 20_000; i++) seen.add(toHex(systemWorld.randomBytes(16 + (i % 240)).subarray(0, 16)));
    expect(seen.size).to.equal(20_000);
  });

  it('gives each caller bytes of its own', () => {
    const [first, second] = [systemWorld.randomBytes(32), systemWorld.randomBytes(32)];
    const before = toHex(second);
    expect(first.buffer).not.to.equal(second.buffer);
    first.fill(0);
    expect(toHex(second)).to.equal(before);
  });

  it('is evenly spread', () => {
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i < 8192; i++)
      for (const byte of systemWorld.randomBytes(32)) counts[byte] = (counts[byte] ?? 0) + 1;
    for (const count of counts) expect(count).to.be.within(512, 1536); // 1024 expected; 16 standard deviations
  });
});

describe('drawRandom()', () => {
  it('refuses fewer bytes than were asked for', () => {
    const world = { now: () => 0, randomBytes: (length: number) => new Uint8Array(length - 1) };
    expect(() => drawRandom(world, 32)).to.throw(RangeError, 'returned 31 bytes');
  });
});

describe('a world that answers with anything', () => {
  const NO_TIMES = { ...POISONS, 'a number': () => -1, Infinity: () => Number.POSITIVE_INFINITY };
  const CALLS = {
    'now()': [NO_TIMES, /^world\.now\(\): milliseconds since the epoch are wanted, not /],
    'randomBytes()': [POISONS, /^world\.randomBytes\(\d+\)(?:: a Uint8Array is wanted, not | returned \d+ bytes)/],
  } as const;

  /** The members of a world that answers with a poison once it is told to. */
  function poisoned(call: string, poison: () => unknown) {
    const world = new TestWorld(5);
    let isOn = false;
    const answer = (usual: unknown) => (isOn ? poison() : usual) as never;
    return {
      now: () => (call === 'now()' ? answer(world.now()) : world.now()),
      randomBytes: (length: number) =>
        call === 'randomBytes()' ? answer(world.randomBytes(length)) : world.randomBytes(length),
      turn: () => {
        isOn = true;
      },
    };
  }

  /** Key agreements draw in a task, whose failure is an event. */
  function failureOf(link: Exchange, step: Step): unknown {
    const error = link.step(step).events.flatMap((event) => (event.type === 'callback-error' ? [event.error] : []))[0];
    return error instanceof Error ? error.message : error;
  }

  function messageOf(use: () => unknown): string {
    try {
      return String(use());
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  for (const [call, [answers, message]] of Object.entries(CALLS)) {
    it(`${call}: the connection fails with internal_error, and the caller is told what was wrong`, () => {
      for (const [what, poison] of Object.entries(answers)) {
        if (what === 'bytes whose prototype is a trap') continue; // whose own error it is
        const world = poisoned(call, poison);
        const bench = new Bench();
        const link = bench.link(bench.bare({ world }), { version: 'TLSv1.3' });
        const hello = link.client.take();
        world.turn();
        expect(
          messageOf(() => failureOf(link, link.connection.receive(hello))),
          what,
        ).to.match(message);
        expect(link.connection.hasFailed, what).to.equal(true);
        link.step(link.connection.dispose());
        expect(link.client.alerts, what).to.have.length(1).with.nested.property('[0].name', 'internal_error');
        bench.close();
      }
    });

    it(`${call}: the same for ticket keys, and for certificates`, () => {
      for (const poison of [() => 'text', () => Number.NaN, () => new Uint8Array(3), () => new Proxy([], {})]) {
        const world = poisoned(call, poison);
        const ring = TicketKeyRing.rotating(world);
        world.turn();
        for (const use of [() => ring.sealingKey(), () => selfSignedCertificate(world)])
          expect(messageOf(use)).to.match(message);
      }
    });
  }

  it('may throw: the caller gets that error', () => {
    const mine = new Error('no dice');
    for (const call of Object.keys(CALLS)) {
      const world = poisoned(call, () => {
        throw mine;
      });
      const bench = new Bench();
      const link = bench.link(bench.bare({ world }), { version: 'TLSv1.2' });
      const hello = link.client.take();
      world.turn();
      expect(() => link.connection.receive(hello)).to.throw(mine as never);
      link.step(link.connection.dispose());
      expect(link.client.alerts).to.have.length(1).with.nested.property('[0].name', 'internal_error');
      bench.close();
    }
  });

  it('takes bytes of another realm, and a Buffer', () => {
    for (const make of ['new Uint8Array(32)', 'Buffer.alloc(32)']) {
      const bytes = runInNewContext(make, { Buffer }) as Uint8Array;
      expect(drawRandom({ randomBytes: () => bytes }, 32)).to.equal(bytes);
    }
  });
});

describe('a seeded world', function () {
  this.timeout(60_000);
  let runs: readonly Readonly<Record<string, string>>[];

  before(async () => {
    const program = fileURLToPath(new URL('support/replay.js', import.meta.url));
    const outputs = [0, 1].map(() => promisify(execFile)(process.execPath, [program]));
    runs = (await Promise.all(outputs)).map(({ stdout }) => JSON.parse(stdout));
  });

  for (const [name, { draws }] of Object.entries(ROWS)) {
    it(`${name}: ${draws ? 'draws by itself, so two runs differ' : 'two processes send the same bytes'}`, () => {
      const [first, second] = runs.map((digests) => digests[name]);
      expect(first).to.match(/^[0-9a-f]{64}$/);
      if (draws) expect(first).not.to.equal(second);
      else expect(first).to.equal(second);
    });
  }
});

describe('the world is the one source', () => {
  /** Who else may ask the host, and for what. */
  const OTHERS: Readonly<Record<string, RegExp>> = {
    'world.ts': /getRandomValues|Date\.now/,
    'platform.ts': /getRandomValues/,
    'crypto/providers/web-crypto.ts': /subtle\s*\.generateKey/, // keys that the host makes: docs/runtimes.md
    'crypto/providers/host-ml-kem.ts': /subtle\s*\.generateKey/,
    'engine/driver.ts': /performance\.now/, // a shell's wait
  };
  const WORDS =
    /getRandomValues|randomUUID|randomFill|subtle\s*\.generateKey|generateKeyPair|Math\.random|Date\.now|performance\.now|hrtime|new Date\(\)/g;

  it('no file of src draws or reads a clock past it', () => {
    const found = [...readSources()].flatMap(([path, text]) => {
      const words = codeOf(text).match(WORDS) ?? [];
      const imports = /import \{[^}]*\brandom[^}]*\} from 'node:crypto'/.test(text) ? ['node:crypto'] : [];
      return [...words.filter((word) => OTHERS[path]?.test(word) !== true), ...imports].map(
        (word) => `${path}: ${word}`,
      );
    });
    expect(found).to.deep.equal([]);
  });

  it('and every exception is one', () => {
    const sources = readSources();
    for (const [path, words] of Object.entries(OTHERS)) expect(codeOf(sources.get(path) ?? '')).to.match(words);
  });
});
