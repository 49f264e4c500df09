/** Web servers of Node's over the Node shell, and clients that are not Node's own HTTP/1.1 client. */

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import { expect } from 'chai';
import { describeWith, run } from '../interop/peers.ts';
import { only, startServer, stopServers, VERSIONS } from './support.ts';

afterEach(stopServers);

describeWith(['curl'], 'HTTP with curl', () => {
  for (const version of VERSIONS) {
    it(`${version}: pages and a POST on one connection`, async () => {
      const web = createHttpServer((request, response) => {
        let length = 0;
        request.on('data', (chunk: Buffer) => {
          length += chunk.length;
        });
        request.on('end', () => response.end(`${request.method} ${request.url} ${length}\n`));
      });
      let connections = 0;
      const { port } = await startServer({ alpn: ['http/1.1'] }, (socket) => {
        connections++;
        web.emit('connection', socket);
      });
      const versions = version === 'TLSv1.3' ? ['--tlsv1.3'] : ['--tlsv1.2', '--tls-max', '1.2'];
      const page = (path: string) => `https://127.0.0.1:${port}/${path}`;
      const quiet = ['-sSk', '--noproxy', '*', ...versions];
      const { stdout } = await run('curl', [...quiet, page('one'), page('two')]);
      expect(stdout).to.equal('GET /one 0\nGET /two 0\n');
      expect(connections).to.equal(1);
      const body = 'x'.repeat(100_000);
      const posted = await run('curl', [...quiet, '--data-binary', '@-', page('form')], { input: body });
      expect(posted.stdout).to.equal('POST /form 100000\n');
    });
  }
});

describe('HTTP/2', () => {
  for (const version of VERSIONS) {
    it(`${version}: many requests at once`, async () => {
      const web = createHttp2Server((request, response) => response.end(request.url.repeat(10_000)));
      const { port } = await startServer({ alpn: ['h2'] }, (socket) => void web.emit('connection', socket));
      const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, ...only(version) });
      const paths = Array.from({ length: 20 }, (_, i) => `/${i}`);
      const pages = paths.map(async (path) => {
        let text = '';
        const stream = session.request({ ':path': path }).setEncoding('utf8');
        stream.on('data', (chunk: string) => {
          text += chunk;
        });
        await once(stream, 'end');
        return text;
      });
      expect(await Promise.all(pages)).to.deep.equal(paths.map((path) => path.repeat(10_000)));
      session.close();
      await once(session, 'close');
    });
  }
});
