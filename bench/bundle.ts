/** What a bundle weighs of those who serve with this library. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

export const ENTRIES = {
  /** What docs/performance.md recommends to who serves TLS 1.3 and nothing else: the curves are the host's. */
  webCrypto: `
import { defineServer, ServerConnection, webCryptoCredential } from 'tls-resume/tls13';
export const serve = async (pem) => {
  const config = defineServer({ credentials: [await webCryptoCredential(pem)] });
  return () => new ServerConnection(config);
};`,
  /** The same where the host has no Web Crypto that will do. */
  nobleCurves: `
import { credentialFromPem, defaultProvider, defineServer, ServerConnection } from 'tls-resume/tls13';
export const serve = (pem) => {
  const config = defineServer({ credentials: [credentialFromPem(pem)], crypto: defaultProvider });
  return () => new ServerConnection(config);
};`,
  /** What the index brings along: both versions, and every option. */
  bothVersions: `
import { defineServer, ServerConnection } from 'tls-resume';
export const serve = (pem) => {
  const config = defineServer({ credentials: [pem] });
  return () => new ServerConnection(config);
};`,
  /** A client of TLS 1.3 with the host's Web Crypto. */
  client13: `
import { ClientConnection, defineClient } from 'tls-resume/client13';
export const connect = (verifyServer) => {
  const client = defineClient({ verifyServer });
  return (serverName) => new ClientConnection(client, { serverName });
};`,
} as const;

export interface Bundle {
  /** Minified, under gzip -9. */
  readonly bytes: number;
  /** Paths of what is in it. */
  readonly modules: readonly string[];
}

/** As a user's bundler resolves it: by the names in package.json. */
export async function bundle(contents: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: findRoot(dirname(fileURLToPath(import.meta.url))) },
    bundle: true,
    external: ['node:*'],
    minify: true,
    format: 'esm',
    target: 'es2022',
    metafile: true,
    write: false,
  });
  const [output] = Object.values(metafile.outputs);
  const used = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return {
    bytes: gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length,
    modules: used.map(([path]) => path),
  };
}

function findRoot(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : findRoot(dirname(from));
}
