/** Which sessions of TLS 1.2 a client offers no more: RFC 5246 §7.2. */

import type { Fault } from '../../../engine/fault.ts';
import { AlertDescription, AlertLevel, ContentType } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ClientBench } from '../bench.ts';
import type { ClientScenario } from '../scenario.ts';
import { NotRun, type Reaction, type Visit } from '../visit.ts';
import { given, type Means, notOffered, offers, records, serverOf } from './tls12.ts';

const TLS12 = { side: 'client', versions: ['TLSv1.2'] } as const;

/** The server answers by a fatal alert. */
const fatalAlert = (): Fault =>
  records('a fatal alert for an answer', (type, _, put) =>
    type === ContentType.application_data
      ? [put(ContentType.alert, Uint8Array.of(AlertLevel.fatal, AlertDescription.internal_error))]
      : undefined,
  );

/** The server's answer does not open, to which the client sends a fatal alert. */
const unopenable = (): Fault => faults.corrupt('application_data');

/** @throws NotRun unless the client offers this id or ticket */
function requireOffer(visit: Visit, means: Means, bytes: Uint8Array): void {
  if (!offers(visit, means, bytes)) throw new NotRun(`the client does not offer its ${means}`);
}

/** A connection that makes a session ends by a fault: is the session offered afterwards? Before, one that has ended well must be. */
const afterFull =
  (means: Means, fault: () => Fault, wantsAlert = false) =>
  async (bench: ClientBench): Promise<Reaction> => {
    bench.need('resume');
    bench.need('session-store');
    const server = serverOf(bench, means);
    const well = await server.hand();
    requireOffer(await server.accept(), means, given(well, means));
    const failed = await server.hand({ faults: [fault()] });
    if (wantsAlert && failed.alert === undefined) throw new NotRun('the client sends no alert');
    return notOffered(await server.accept(), means, given(failed, means));
  };

/** The same with a connection that resumes the session. */
const afterResumption =
  (means: Means, fault: () => Fault) =>
  async (bench: ClientBench): Promise<Reaction> => {
    bench.need('resume');
    bench.need('session-store');
    const server = serverOf(bench, means);
    const bytes = given(await server.hand(), means);
    const failed = await server.accept({ faults: [fault()] });
    requireOffer(failed, means, bytes);
    if (!failed.isResumed) throw new NotRun(`the session is not resumed: ${failed.reaction}`);
    return notOffered(await server.accept(), means, bytes);
  };

/** A session of one name, and then a connection to another. */
const otherName =
  (means: Means) =>
  async (bench: ClientBench): Promise<Reaction> => {
    bench.need('resume');
    bench.need('session-store');
    bench.need('server-name');
    const server = serverOf(bench, means);
    const bytes = given(await server.hand(), means);
    requireOffer(await server.accept(), means, bytes);
    return notOffered(await server.accept({ serverName: 'other.example' }), means, bytes);
  };

const cutOff =
  (means: Means) =>
  async (bench: ClientBench): Promise<Reaction> => {
    bench.need('resume');
    const server = serverOf(bench, means);
    await server.hand({ faults: [faults.closeAt('application_data', { closeNotify: false })] });
    return (await server.accept()).reaction;
  };

const FAILED = 'Both sides must forget the session of a connection that has failed.';
const NAMES =
  'A session stands for the certificate of its server. Another name is another server, whose certificate nobody has seen.';

export const endedTls12: readonly ClientScenario[] = [
  {
    ...TLS12,
    id: 'client/session-id/after-alert-received',
    title: 'a session whose connection the server has ended by a fatal alert',
    clause: 'RFC 5246 §7.2.2',
    reason: FAILED,
    mechanism: 'session-id',
    severity: 'must',
    expect: ['conforms'],
    run: afterFull('session-id', fatalAlert),
  },
  {
    ...TLS12,
    id: 'client/session-id/after-alert-sent',
    title: 'a session whose connection the client has ended by a fatal alert',
    clause: 'RFC 5246 §7.2.2',
    reason: FAILED,
    mechanism: 'session-id',
    severity: 'must',
    expect: ['conforms'],
    run: afterFull('session-id', unopenable, true),
  },
  {
    ...TLS12,
    id: 'client/session-id/after-alert-on-resumption',
    title: 'a session that was resumed in a connection which the server has ended by a fatal alert',
    clause: 'RFC 5246 §7.2',
    reason: 'The id must be invalidated, so that the failed session makes no new connections.',
    mechanism: 'session-id',
    severity: 'must',
    expect: ['conforms'],
    run: afterResumption('session-id', fatalAlert),
  },
  {
    ...TLS12,
    id: 'client/session-ticket/after-alert-received',
    title: 'a ticket whose connection the server has ended by a fatal alert',
    clause: 'RFC 5246 §7.2.2',
    reason: `${FAILED} They must forget the secrets that go with it as well, and a ticket is of no use without its own.`,
    mechanism: 'session-ticket',
    severity: 'must',
    expect: ['conforms'],
    run: afterFull('session-ticket', fatalAlert),
  },
  {
    ...TLS12,
    id: 'client/session-ticket/after-alert-sent',
    title: 'a ticket whose connection the client has ended by a fatal alert',
    clause: 'RFC 5246 §7.2.2',
    reason: `${FAILED} They must forget the secrets that go with it as well, and a ticket is of no use without its own.`,
    mechanism: 'session-ticket',
    severity: 'must',
    expect: ['conforms'],
    run: afterFull('session-ticket', unopenable, true),
  },
  {
    ...TLS12,
    id: 'client/session-ticket/after-alert-on-resumption',
    title: 'a ticket that was used in a connection which the server has ended by a fatal alert',
    clause: 'RFC 5246 §7.2, §7.2.2',
    reason: `${FAILED} The failed session makes no new connections, by whatever it was resumed.`,
    mechanism: 'session-ticket',
    severity: 'must',
    expect: ['conforms'],
    run: afterResumption('session-ticket', fatalAlert),
  },
  {
    ...TLS12,
    id: 'client/session-id/after-close-without-close-notify',
    title: 'a session whose connection was cut off without close_notify',
    clause: 'RFC 5246 §7.2.1',
    reason: 'Since TLS 1.1 a missing close_notify no longer forbids to resume.',
    mechanism: 'session-id',
    severity: 'observed',
    expect: ['resumes'],
    run: cutOff('session-id'),
  },
  {
    ...TLS12,
    id: 'client/session-ticket/after-close-without-close-notify',
    title: 'a ticket whose connection was cut off without close_notify',
    clause: 'RFC 5246 §7.2.1',
    reason: 'Since TLS 1.1 a missing close_notify no longer forbids to resume.',
    mechanism: 'session-ticket',
    severity: 'observed',
    expect: ['resumes'],
    run: cutOff('session-ticket'),
  },
  {
    ...TLS12,
    id: 'client/session-id/other-name',
    title: 'a session that was made under another name',
    clause: 'RFC 6066 §3',
    reason: `${NAMES} For TLS 1.2 the text forbids the server alone to resume it.`,
    mechanism: 'session-id',
    severity: 'observed',
    expect: ['conforms'],
    run: otherName('session-id'),
  },
  {
    ...TLS12,
    id: 'client/session-ticket/other-name',
    title: 'a ticket that was given under another name',
    clause: 'RFC 6066 §3',
    reason: `${NAMES} For TLS 1.2 the text forbids the server alone to resume it.`,
    mechanism: 'session-ticket',
    severity: 'observed',
    expect: ['conforms'],
    run: otherName('session-ticket'),
  },
];
