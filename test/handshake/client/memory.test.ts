/** What a client keeps of its server's messages once it is established, and that they may come in any pieces. */

import { expect } from 'chai';
import type { Credential } from '../../../src/crypto/credentials/credential.ts';
import { newSessionTicket } from '../../../src/handshake/messages/new-session-ticket.ts';
import { type Pair, pair } from '../../../src/testing/pair.ts';
import { concat } from '../../../src/wire/bytes.ts';
import { expectEstablished, Meeting, type Script, sending, withExtensions } from '../../support/client-exchange.ts';
import { memory } from '../../support/memory.ts';
import { credential } from '../../support/servers.ts';

/** A chain of 60 kB: the server's certificate, and fifteen that certify nothing. */
const LENGTH = 60000;
function longChain(): Credential {
  const { certificateChain, schemes, names, sign } = credential('ecdsaP256');
  const [leaf = new Uint8Array(0)] = certificateChain;
  const rest = Math.floor((LENGTH - leaf.length) / 15);
  const issuers = Array.from({ length: 15 }, (_, i) => new Uint8Array(rest).fill(i));
  return { certificateChain: [leaf, ...issuers], schemes, names, sign: sign.bind(credential('ecdsaP256')) };
}

/** Bytes in use in array buffers, as those of messages are: what the engine of the language adds to its heap is not counted. */
function buffers(): number {
  memory(); // collects the garbage
  return process.memoryUsage().arrayBuffers;
}

/** How many bytes of buffers each of so many established clients keeps. The servers are disposed of. */
function buffersPerClient(script: Script, count = 12): number {
  const meeting = new Meeting(script);
  const clients: unknown[] = [];
  const connect = () => {
    const link = meeting.meet({ alter: script.alter });
    expectEstablished(link);
    link.server.dispose();
    return link.client;
  };
  for (let i = 0; i < 4; i++) connect().dispose(); // what is compiled, and kept, is so once
  const before = buffers();
  for (let i = 0; i < count; i++) clients.push(connect());
  const each = (buffers() - before) / count;
  expect(clients).to.have.lengthOf(count);
  return each;
}

describe('what an established client keeps', () => {
  for (const version of ['TLSv1.3', 'TLSv1.2'] as const)
    it(`${version}: the chain of its server once, also with its sessions`, () => {
      const server = { credentials: [longChain()] };
      const small = buffersPerClient({ version });
      const large = buffersPerClient({ version, server });
      expect(large - small).to.be.within(LENGTH * 0.5, LENGTH * 1.3);
    });

  it('TLSv1.3: nothing of extensions that it does not know, nor of the message a ticket came in', () => {
    const unknown = concat(Uint8Array.of(0x3a, 0x3a, 0x80, 0), new Uint8Array(0x8000));
    const alter = [sending(newSessionTicket, (raw) => withExtensions(raw, raw.length - 6, unknown))];
    expect(buffersPerClient({ alter }) - buffersPerClient({})).to.be.below(4000);
  });
});

describe('the flights of a server in any pieces', () => {
  const TLS12 = { version: 'TLSv1.2' } as const;
  const scripts: readonly [string, Script][] = [
    ['TLS 1.3', {}],
    ['TLS 1.3 with a retry', { client: { keyShares: [] } }],
    ['TLS 1.3 by PSK', { resumes: true }],
    ['TLS 1.2', TLS12],
    ['TLS 1.2 with a ticket', { ...TLS12, server: { tickets: { mode: 'stateless' } } }],
    ['TLS 1.2 by id', { ...TLS12, resumes: true }],
    ['TLS 1.2 by ticket', { ...TLS12, server: { tickets: { mode: 'stateless' } }, resumes: true }],
  ];
  for (const [name, script] of scripts)
    for (const chunks of [1, 7])
      it(`${name}, ${chunks} byte${chunks === 1 ? '' : 's'} at a time`, () => {
        const meeting = new Meeting(script);
        const sessions = script.resumes ? meeting.sessions() : [];
        const link: Pair = pair(meeting.client, meeting.server, { chunks, client: { sessions } });
        expectEstablished(link.runSync());
        expect(link.client.resumption.resumed).to.equal(script.resumes === true);
      });
});
