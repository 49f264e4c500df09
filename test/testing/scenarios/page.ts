/** docs/scenarios.md, made of the catalogue. */

import { scenarios } from '../../../src/testing/catalogue/scenarios.ts';
import type { Scenario } from '../../../src/testing/scenarios/scenario.ts';

const ABOUT = `# The catalogue of scenarios

What \`npx tls-resume scenarios\` puts to a client or a server: [conformance.md](conformance.md) says how. Each row is a scenario. Its id never
changes.

- **Severity**: \`must\` where a MUST of the cited text binds the peer under test and says how it is to react; \`should\` where a SHOULD does, or a
  MUST that leaves the reaction open; \`observed\` where no text speaks: it is never a finding.
- **Expected**: an alert by its name; \`resumes\`; \`full handshake\`; \`ignores\` is either of these two; \`closes\` is the end of the transport without an
  alert; \`aborts\` is any alert, or \`closes\`; \`conforms\` is that what was looked at is as it has to be.
- Those marked † flood, replay or try many values. Beyond loopback they are run with \`--intrusive\` alone.

Each is proved twice by \`test/testing/scenarios/catalogue.test.ts\`: this library's own peer passes, and a mutant of it, which lacks the check
that the scenario is about, does not.

The page is made of the catalogue, version ${scenarios.version}: \`npm run scenarios:page\` makes it anew.`;

function chapter(title: string, all: readonly Scenario[]): string {
  const byTopic = new Map<string, Scenario[]>();
  for (const scenario of all) {
    const topic = scenario.id.split('/')[1] ?? '';
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), scenario]);
  }
  const tables = [...byTopic].map(([topic, rows]) =>
    [
      `### ${topic}`,
      '',
      '| id | what it meets, and why | severity | expected | clause |',
      '|---|---|---|---|---|',
      ...rows.map(rowOf),
    ].join('\n'),
  );
  return [`## ${title}: ${all.length} scenarios`, ...tables].join('\n\n');
}

function rowOf({ id, title, reason, severity, expect, clause, versions, isIntrusive }: Scenario): string {
  const cells = [
    `\`${id}\`${isIntrusive === true ? ' †' : ''}, ${versions.map((version) => version.replace('TLSv', '')).join(' and ')}`,
    `${title}. *${reason}*`,
    severity,
    expect.join(', '),
    clause,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

export function pageOf(): string {
  const chapters = [
    chapter('With a client under test', scenarios.forClients()),
    chapter('With a server under test', scenarios.forServers()),
  ];
  return `${[ABOUT, ...chapters].join('\n\n')}\n`;
}
