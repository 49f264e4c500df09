/** The options of one connection of a client. */

import { expect } from 'chai';
import { ClientConnection, type ConnectOptions } from '../../../src/engine/client/client-connection.ts';
import { defineClient } from '../../../src/engine/client/define-client.ts';

describe('the edits of a hello', () => {
  const made = (edits: unknown) =>
    new ClientConnection(defineClient({ verifyServer: 'any' }), { edits } as ConnectOptions);

  it('are a TypeError where they would edit nothing', () => {
    expect(() => made({ byte: () => {} })).to.throw(TypeError, 'unknown option edits.byte; there are hello, bytes');
    expect(() => made({ hello: {} })).to.throw(TypeError, 'edits.hello: ');
    expect(() => made({ bytes: new Uint8Array(1) })).to.throw(TypeError, 'edits.bytes: ');
    expect(() => made(null)).to.throw(TypeError, 'edits: ');
    made({ hello: undefined, bytes: undefined }).dispose();
    made(undefined).dispose();
  });
});
