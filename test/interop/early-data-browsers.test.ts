/** Early data of browsers, over HTTP as docs/early-data.md has it: accepted, replayed, and told to come again by 425 (RFC 8470). */

import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { SessionCache, singleUse } from '../../src/index.ts';
import { createServer, type NodeServerOptions, type Server, type TlsSocket } from '../../src/node/index.ts';
import { certificates, fixturePath } from '../fixtures.ts';
import { hybridCrypto } from '../support/hybrid.ts';
import { BROWSERS, type Browser } from './browsers.ts';
import { type Capture, captureFlights, replayFlight } from './first-flights.ts';
import { CERTIFICATE } from './harness.ts';
import { describeWith } from './peers.ts';

/** So that it may take its time under load. */
const LONGEST_MS = 120_000;
const PATIENCE_MS = 3000;
const REQUESTS = 4;

/** Asks for /0, /1 …, one after another, each on a connection of its own, before it counts as loaded. */
const PAGE = `<!doctype html><link rel="icon" href="data:,"><script>
for (let i = 0; i < ${REQUESTS}; i++) {
  const request = new XMLHttpRequest();
  request.open('GET', '/' + i, false);
  request.send();
}
</script>`;

/** One request, as the server has seen it. */
interface Asked {
  readonly path: string;
  /** Whether it came before the end of the handshake. */
  readonly isEarly: boolean;
  readonly earlyData: string;
  readonly resumed: boolean;
  readonly group: string | undefined;
  readonly status: number;
}

interface Site {
  readonly server: Server;
  /** Resolves when the request in the early data from this port has been read, if it is to be read at once. */
  mayAnswer(port: number | undefined): Promise<unknown>;
  readonly asked: Asked[];
  /** What became of the early data of each connection that had any. */
  readonly decisions: string[];
}

/** @param reading whether requests are read from early data; then they are answered 425, where it says so */
function openSite(options: NodeServerOptions, reading?: '200' | '425'): Site {
  const asked: Asked[] = [];
  const decisions: string[] = [];
  const waiting = new Map<number | undefined, { readonly isRead: Promise<void>; readonly read: () => void }>();
  const ending = new Map<number | undefined, () => void>();
  const http: HttpServer = createHttpServer((request, response) => {
    const { connection, earlyData, remotePort } = request.socket as unknown as TlsSocket;
    waiting.get(remotePort)?.read();
    const isEarly = !connection.isEstablished;
    const status = isEarly && reading === '425' ? 425 : 200;
    const { resumption, group } = connection;
    asked.push({ path: request.url ?? '', isEarly, earlyData, resumed: resumption.resumed, group, status });
    response.writeHead(status, { connection: 'close', 'content-type': 'text/html', 'cache-control': 'no-store' });
    response.write(request.url === '/' ? PAGE : 'answer');
    // An answer that ends the connection before the handshake is done leaves no time for a ticket.
    if (isEarly) ending.set(remotePort, () => response.end());
    else response.end();
  });
  const server = createServer({ credentials: [certificates.ecdsaP256], ...options });
  if (reading !== undefined) server.on('earlyData', (socket) => http.emit('connection', socket.readEarlyData()));
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    if (!socket.readsEarlyData) http.emit('connection', socket);
    ending.get(socket.remotePort)?.();
  });
  server.on('tlsEvent', (event, { remotePort }) => {
    if (event.type !== 'early-data') return;
    decisions.push(event.status);
    if (reading !== undefined && asked.at(-1)?.status !== 425 && event.status === 'accepted')
      waiting.set(remotePort, deferred());
  });
  server.on('tlsClientError', () => {});
  // A browser that has been told to come again waits for the end of the handshake, as one may that connects ahead of its requests.
  const mayAnswer = (port: number | undefined) => Promise.race([waiting.get(port)?.isRead, delay(PATIENCE_MS)]);
  return { server, mayAnswer, asked, decisions };
}

function deferred(): { isRead: Promise<void>; read: () => void } {
  let read = (): void => {};
  const isRead = new Promise<void>((resolve) => {
    read = resolve;
  });
  return { isRead, read };
}

const earlyData = () => ({ maxSize: 16_384, antiReplay: singleUse() });

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Has the browser visit the site, and then does what is to be done before the site goes. */
async function visited(browser: Browser, site: Site, then?: (capture: Capture, port: number) => Promise<void>) {
  const port = await listening(site.server);
  const capture = await captureFlights(port, site.mayAnswer);
  try {
    await browser.visit(`https://localhost:${capture.port}/`, fixturePath(`certificates/${CERTIFICATE}.cert.pem`));
    await then?.(capture, port);
  } finally {
    await capture.close();
    site.server.close();
  }
}

/** Those for /1 and on; the page and /0 may come before there is a ticket. */
function later({ asked }: Site): Asked[] {
  return asked.filter(({ path }) => /^\/[1-9]$/.test(path));
}

const PATHS = Array.from({ length: REQUESTS - 1 }, (_, i) => `/${i + 1}`);

for (const browser of BROWSERS)
  describeWith(browser.programs, `interop: early data, ${browser.name}`, () => {
    it('is accepted, held back until the handshake is done, and once however often and wherever its flight comes again', async function () {
      this.timeout(LONGEST_MS);
      const shared: NodeServerOptions = { sessions: { cache: new SessionCache() }, earlyData: earlyData() };
      const site = openSite(shared);
      const other = openSite(shared);
      await visited(browser, site, async ({ flights }, port) => {
        expect(later(site).map(({ path }) => path)).to.deep.equal(PATHS);
        for (const one of later(site)) expect(one).to.include({ isEarly: false, earlyData: 'accepted', resumed: true });
        const before = site.decisions.filter((status) => status === 'accepted').length;
        expect(before).to.be.at.least(PATHS.length);
        const otherPort = await listening(other.server);
        for (const place of [port, otherPort, port]) for (const flight of flights) await replayFlight(place, flight);
        other.server.close();
        expect(site.decisions.filter((status) => status === 'accepted')).to.have.length(before);
        expect(other.decisions).to.not.include('accepted');
        expect(other.decisions).to.include('rejected');
      });
    });

    it('is read before the handshake is done, with X25519MLKEM768', async function () {
      this.timeout(LONGEST_MS);
      const site = openSite({ crypto: hybridCrypto, earlyData: earlyData() }, '200');
      await visited(browser, site);
      expect(later(site).map(({ path }) => path)).to.deep.equal(PATHS);
      for (const one of later(site))
        expect(one).to.include({ isEarly: true, earlyData: 'accepted', resumed: true, group: 'X25519MLKEM768' });
    });

    it('is asked for again by 425, and comes again without early data', async function () {
      this.timeout(LONGEST_MS);
      const site = openSite({ earlyData: earlyData() }, '425');
      await visited(browser, site);
      for (const path of PATHS) {
        const both = site.asked.filter((one) => one.path === path);
        expect(both.map(({ isEarly, status }) => [isEarly, status])).to.deep.equal([
          [true, 425],
          [false, 200],
        ]);
      }
    });
  });
