/** The one renderer of traces: plain data, with the fields of each message, and what is marked. */

import { expect } from 'chai';
import { defineClient } from '../../src/client.ts';
import { defineServer } from '../../src/index.ts';
import {
  explain,
  type Line,
  pair,
  renderRecording,
  renderTrace,
  seededWorld,
  type Trace,
  textLines,
} from '../../src/testing.ts';
import { certificates } from '../fixtures.ts';
import { testProvider as crypto } from '../support/provider.ts';

function run() {
  const world = seededWorld('render');
  const server = defineServer({ credentials: [certificates.ecdsaP256], crypto, world });
  const run = pair(defineClient({ verifyServer: 'any', crypto, world }), server, { record: true });
  return run.runSync();
}

/** The line at a path of labels. */
function at(lines: readonly Line[], ...[label, ...more]: readonly string[]): Line {
  const found = lines.find((line) => line.label === label);
  if (found === undefined) throw new Error(`no line is ${label}`);
  return more.length === 0 ? found : at(found.children, ...more);
}

const markedIn = (lines: readonly Line[]): string[] =>
  lines.flatMap((line) => [...(line.isMarked ? [line.label] : []), ...markedIn(line.children)]);

describe('a rendered trace', () => {
  let trace: Trace;
  let recordings: ReturnType<typeof run>['recordings'];
  before(() => {
    ({ trace, recordings } = run());
  });
  const marked = (what: string) => {
    const hello = trace.messages.find(({ name }) => name === 'server_hello');
    return renderTrace(trace.entries, [{ sent: hello?.raw, what }]);
  };

  it('has a line an entry, and below a message a line a field, with its bytes and the name of its number', () => {
    const lines = renderTrace(trace.entries);
    expect(lines).to.have.lengthOf(trace.entries.length);
    const suite = at(lines, 'server_hello', 'cipherSuite');
    expect(suite.value).to.match(/^TLS_\w+ \(\d+\)$/);
    expect(at(lines, 'server_hello', 'extensions', 'keyShare', 'group').value).to.match(/^\w+ \(\d+\)$/);
    expect(at(lines, 'server_hello', 'random').bytes).to.have.lengthOf(32);
    expect(at(lines, 'client_hello', 'extensions', 'order', '[0]').value).to.match(/^[a-z_]+ \(\d+\)$/);
  });

  it('is plain data, which a page can be sent', () => {
    const lines = renderTrace(trace.entries);
    expect(structuredClone(lines)).to.deep.equal(lines);
  });

  it('marks a field; or the message, where it has no such field; or says so at the end, where nothing was sent', () => {
    expect(markedIn(marked('.server_hello.extensions.keyShare.group'))).to.deep.equal(['group']);
    expect(markedIn(marked('.server_hello[7]'))).to.deep.equal(['server_hello']);
    const lines = renderTrace(trace.entries, [{ sent: undefined, what: 'no finished' }]);
    expect(markedIn(lines)).to.deep.equal(['changed']);
    expect(lines.at(-1)).to.include({ kind: 'note', value: 'no finished' });
  });

  it('cuts long lists, but not before what is marked', () => {
    const fields = { list: Array.from({ length: 200 }, (_, i) => i) };
    const raw = Uint8Array.of(1, 0, 0, 0);
    const entry = {
      kind: 'message',
      side: 'client',
      direction: 'sent',
      epoch: 0,
      name: 'client_hello',
      fields,
      raw,
    } as const;
    const labels = (what?: string) => {
      const lines = renderTrace([entry], what === undefined ? [] : [{ sent: raw, what }]);
      return at(lines, 'client_hello', 'list').children.map(({ label }) => label);
    };
    expect(labels()).to.have.lengthOf(65).and.to.include('136 more');
    expect(labels('.client_hello.list[150]')).to.include('[150]').and.to.include('135 more');
  });

  it('is what toText() and explain() print', () => {
    expect(`${textLines(renderTrace(trace.entries)).join('\n')}\n`).to.equal(trace.toText());
    const recording = recordings.server;
    const text = renderRecording(recording).map((line) => textLines([line]).join('\n'));
    expect(`${text.join('\n\n')}\n`).to.equal(explain(recording));
  });
});
