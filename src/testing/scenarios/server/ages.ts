/** What a server makes of the age that a client states of its ticket: RFC 9846 §4.3.10, §4.3.11.1. */

import type { ServerScenario } from '../scenario.ts';
import { client, TLS13 } from './tls13.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** An age that is stated, in milliseconds. */
interface Lie {
  readonly id: string;
  readonly title: string;
  readonly ticketAge: number;
  /** How long the ticket is kept before it is used. */
  readonly wait?: number | undefined;
}

const LIES: readonly Lie[] = [
  { id: 'age-zero', title: 'a ticket of three seconds is said to have come just now', ticketAge: 0, wait: 3000 },
  { id: 'age-too-old', title: 'a fresh ticket is said to be a day old', ticketAge: DAY },
  { id: 'age-too-young', title: 'a fresh ticket is said to come in an hour', ticketAge: 2 ** 32 - HOUR },
  { id: 'age-highest', title: 'a fresh ticket is said to be 2^32-1 milliseconds old', ticketAge: 2 ** 32 - 1 },
];

export const serverAges: readonly ServerScenario[] = LIES.map(({ id, title, ticketAge, wait }) => ({
  ...TLS13,
  id: `server/psk/${id}`,
  title,
  clause: 'RFC 9846 §4.3.10',
  reason: 'Clocks differ. A wrong age speaks against early data; the handshake itself should go on.',
  severity: 'should',
  expect: ['ignores'],
  run: async (bench) => {
    const tester = client(bench);
    const sessions = await tester.sessions();
    if (wait !== undefined) await bench.wait(wait);
    return (await tester.visit({ sessions, ticketAge })).reaction;
  },
}));
