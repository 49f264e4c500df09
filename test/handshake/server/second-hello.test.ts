/** The hello that answers a HelloRetryRequest (RFC 9846 §4.2.2): whatever it lacks, it ends in an alert. */

import { expect } from 'chai';
import { defineClient } from '../../../src/engine/client/define-client.ts';
import type { HelloDraft } from '../../../src/handshake/client/hello-draft.ts';
import { pair } from '../../../src/testing/pair.ts';
import { testServer } from '../../support/servers.ts';
import { TestWorld } from '../../support/world.ts';

/** What the server says to a second hello that was edited. */
function alertFor(edit: (draft: HelloDraft) => HelloDraft): string | undefined {
  const client = defineClient({ world: new TestWorld(1), verifyServer: 'any', keyShares: [] });
  const hello = (draft: HelloDraft, attempt: 1 | 2) => (attempt === 2 ? edit(draft) : draft);
  const run = pair(client, testServer(), { client: { edits: { hello } } }).runSync();
  const [failed] = run.eventsOf('server', 'failed');
  run.dispose();
  return failed?.error.message;
}

describe('a second ClientHello', () => {
  it('without any block of extensions is refused: it differs from the first', () => {
    expect(alertFor((draft) => ({ ...draft, extensions: undefined }))).to.equal(
      'illegal_parameter: the second ClientHello differs from the first',
    );
  });

  it('with an empty one as well', () => {
    expect(alertFor((draft) => ({ ...draft, extensions: [] }))).to.match(/^(illegal_parameter|missing_extension)/);
  });
});
