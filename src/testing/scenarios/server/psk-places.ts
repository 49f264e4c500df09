/** Each fault of an identity and of its binder, at each place of a list of five: RFC 9846 §4.3.11. */

import type { DraftPsk } from '../../../handshake/client/hello-draft.ts';
import { concat } from '../../../wire/bytes.ts';
import type { ServerBench } from '../bench.ts';
import type { ServerScenario } from '../scenario.ts';
import type { Reaction } from '../visit.ts';
import { addTo, afterControl, client, type Edit, first, onlyPsk, placesOf, TLS13, unknownPsk } from './tls13.ts';

const PLACES = [1, 2, 3, 4, 5] as const;

/** One fault, which is a scenario at each place. */
interface Fault {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  readonly reason: string;
  readonly expect: readonly Reaction[];
  /** Changes the PSK of the one session that the server knows. */
  readonly change: (psk: DraftPsk, bench: ServerBench) => DraftPsk;
  /** Changes the bytes of the hello, whose binders are made. */
  readonly bytes?: ((raw: Uint8Array, place: number) => Uint8Array) | undefined;
}

/** A hello with five identities, of which the server knows the one at this place. */
function five(bench: ServerBench, place: number, change: (psk: DraftPsk) => DraftPsk): Edit {
  return (draft) => {
    const known = onlyPsk(draft);
    draft.psks = PLACES.map((one) => (one === place ? change(known) : unknownPsk(bench)));
  };
}

const FAULTS: readonly Fault[] = [
  {
    id: 'binder-wrong',
    title: 'the binder of the known identity is wrong',
    clause: 'RFC 9846 §4.3.11',
    reason: 'Who has copied a ticket would be taken for who owns it, by its place in the list.',
    expect: ['aborts'],
    change: (psk, bench) => ({ ...psk, binder: bench.randomBytes(psk.hash === 'sha384' ? 48 : 32) }),
  },
  {
    id: 'binder-of-another-secret',
    title: 'the binder of the known identity is made with another PSK',
    clause: 'RFC 9846 §4.3.11.2',
    reason: 'A binder that proves some other PSK proves nothing of this one.',
    expect: ['aborts'],
    change: (psk, bench) => ({ ...psk, secret: bench.randomBytes(psk.hash === 'sha384' ? 48 : 32) }),
  },
  {
    id: 'binder-of-another-hash',
    title: 'the binder of the known identity is made with another hash than that of its PSK',
    clause: 'RFC 9846 §4.3.11',
    reason: 'Each PSK has one hash. A second one would let the server be used to compare keys across hashes.',
    expect: ['aborts'],
    change: (psk) => ({ ...psk, hash: psk.hash === 'sha384' ? 'sha256' : 'sha384' }),
  },
  {
    id: 'binder-short',
    title: 'the binder of the known identity has 31 bytes',
    clause: 'RFC 9846 §6, §4.3.11',
    reason: 'A binder has 32 to 255 bytes. One that may be shorter can be guessed, down to one of none.',
    expect: ['decode_error'],
    change: (psk, bench) => ({ ...psk, binder: bench.randomBytes(31) }),
  },
  {
    id: 'binder-long',
    title: 'the binder of the known identity has 255 bytes',
    clause: 'RFC 9846 §4.3.11',
    reason: 'It is well-formed, and is no HMAC of the hash of the PSK: who compares beginnings only accepts too much.',
    expect: ['aborts'],
    change: (psk, bench) => ({ ...psk, binder: bench.randomBytes(255) }),
  },
  {
    id: 'identity-empty',
    title: 'an identity of no bytes',
    clause: 'RFC 9846 §6, §4.3.11',
    reason: 'An identity has at least one byte. An empty one would be a key of a lookup that nobody has made.',
    expect: ['decode_error'],
    change: (psk) => ({ ...psk, identity: new Uint8Array(0) }),
  },
];

/** Leaves out the binder at a place, as the one fault that bytes alone can make. */
const MISSING: Fault = {
  id: 'binder-missing',
  title: 'one binder fewer than identities: that of the known one is left out',
  clause: 'RFC 9846 §4.3.11',
  reason: 'Without its binder an identity proves nothing, and those behind it would be taken for those of others.',
  expect: ['aborts'],
  change: (psk) => psk,
  bytes: withoutBinder,
};

function atPlace({ change, bytes, id, ...about }: Fault, place: number): ServerScenario {
  return {
    ...TLS13,
    ...about,
    id: `server/psk/${id}-at-${place}`,
    title: `${about.title}, at place ${place} of five`,
    severity: 'must',
    run: async (bench) => {
      const control = { edits: first(five(bench, place, (psk) => psk)) };
      const { hello } = first(five(bench, place, (psk) => change(psk, bench)));
      const fault = { edits: { hello, bytes: (raw: Uint8Array) => bytes?.(raw, place) ?? raw } };
      return (await afterControl(client(bench), control, fault)).reaction;
    },
  };
}

export const serverPskPlaces: readonly ServerScenario[] = [...FAULTS, MISSING].flatMap((fault) =>
  PLACES.map((place) => atPlace(fault, place)),
);

/** Takes the binder at a place out of a hello, and corrects the four lengths that count it. */
function withoutBinder(raw: Uint8Array, place: number): Uint8Array {
  const { block, last, binders } = placesOf(raw);
  let cut = binders + 2;
  for (let i = 1; i < place; i++) cut += 1 + (raw[cut] ?? 0);
  const size = 1 + (raw[cut] ?? 0);
  const shorter = concat(raw.subarray(0, cut), raw.subarray(cut + size));
  addTo(shorter, [2, block, last + 2, binders], -size);
  return shorter;
}
