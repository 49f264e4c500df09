/** Browsers without a window. They visit loopback alone: all else has a proxy that is not there. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './peers.ts';

export interface Browser {
  readonly name: string;
  readonly programs: readonly string[];
  /** Loads a page of localhost with a profile of its own, and ends. `trust` is the PEM file of the certificate. */
  visit(url: string, trust: string): Promise<void>;
}

const NOWHERE = '127.0.0.1:9';
const LONGEST_MS = 90_000;

/** Without the connections that it makes for itself. */
export const CHROMIUM_FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--ignore-certificate-errors',
  `--proxy-server=${NOWHERE}`, // not for loopback
];

async function withProfile<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tls-resume-browser-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Early data is off in it without the feature. */
const chromium: Browser = {
  name: 'Chromium',
  programs: ['chromium'],
  visit: (url) =>
    withProfile(async (folder) => {
      const flags = [...CHROMIUM_FLAGS, `--user-data-dir=${folder}`, '--enable-features=EnableTLS13EarlyData'];
      await run('chromium', [...flags, '--dump-dom', url], { timeoutMs: LONGEST_MS });
    }),
};

/** Early data is on in it; the others keep it from connections of its own, which would only be noise. */
const PREFERENCES = {
  'security.tls.enable_0rtt_data': true,
  'network.proxy.type': 1,
  'network.proxy.http': NOWHERE.split(':')[0],
  'network.proxy.http_port': Number(NOWHERE.split(':')[1]),
  'network.proxy.ssl': NOWHERE.split(':')[0],
  'network.proxy.ssl_port': Number(NOWHERE.split(':')[1]),
  'network.trr.mode': 5,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.http.speculative-parallel-limit': 0,
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.region.update.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.push.connection.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'extensions.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
};

const firefox: Browser = {
  name: 'Firefox',
  programs: ['firefox-esr', 'certutil'],
  visit: (url, trust) =>
    withProfile(async (folder) => {
      const lines = Object.entries(PREFERENCES).map(
        ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`,
      );
      await writeFile(join(folder, 'user.js'), `${lines.join('\n')}\n`);
      await run('certutil', ['-N', '-d', `sql:${folder}`, '--empty-password']);
      await run('certutil', ['-A', '-d', `sql:${folder}`, '-n', 'server', '-t', 'C,,', '-i', trust]);
      const shot = join(folder, 'page.png'); // without it the browser would stay
      const flags = ['--headless', '--no-remote', '--profile', folder, '--screenshot', shot, url];
      await run('firefox-esr', flags, { timeoutMs: LONGEST_MS, env: { HOME: folder } });
    }),
};

export const BROWSERS: readonly Browser[] = [chromium, firefox];
