/** Chromium without a window, driven over its pipe: a page is loaded, pressed on, and looked at. */

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { CHROMIUM_FLAGS } from '../interop/browsers.ts';

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** A page in a browser of its own. */
export interface Page {
  /** The URLs that were asked for, and what the browser has complained about. */
  readonly requests: readonly string[];
  readonly complaints: readonly string[];
  load(url: string): Promise<void>;
  /** Returns the value of an expression in the page, which JSON can say. */
  evaluate<T>(expression: string): Promise<T>;
  press(key: 'Tab' | 'Enter' | 'ArrowDown' | 'ArrowUp' | '/'): Promise<void>;
  look(settings: { width?: number; scheme?: 'light' | 'dark'; media?: 'print' | '' }): Promise<void>;
  /** Runs what starts a download. Returns the name of its file in `folder` when it is there. */
  download(folder: string, start: () => Promise<unknown>): Promise<string>;
  close(): Promise<void>;
}

const KEYS = { Tab: 9, Enter: 13, ArrowDown: 40, ArrowUp: 38, '/': 191 } as const;
const TEXTS: Readonly<Record<string, string>> = { Enter: '\r', '/': '/' };

/** Calls methods of the browser, and hears its events. */
class Wire {
  readonly #input: Writable;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly listeners = new Set<(reply: Reply) => void>();
  #last = 0;
  #rest = '';

  constructor(input: Writable, output: Readable) {
    this.#input = input;
    output.setEncoding('utf8').on('data', (chunk: string) => this.#take(chunk));
  }

  #take(chunk: string): void {
    const parts = `${this.#rest}${chunk}`.split('\0');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) {
      const reply = JSON.parse(part) as Reply;
      if (reply.id === undefined) for (const hear of this.listeners) hear(reply);
      else this.#waiting.get(reply.id)?.(reply);
    }
  }

  call(method: string, params: object = {}, sessionId?: string): Promise<NonNullable<Reply['result']>> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result = {}, error }) =>
        error === undefined ? resolve(result) : reject(new Error(`${method}: ${error.message}`)),
      );
      this.#input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  /** Resolves with the next event that is wanted. */
  next(isWanted: (reply: Reply) => boolean): Promise<Reply> {
    return new Promise((resolve) => {
      const hear = (reply: Reply) => {
        if (!isWanted(reply)) return;
        this.listeners.delete(hear);
        resolve(reply);
      };
      this.listeners.add(hear);
    });
  }
}

export async function openChromium(): Promise<Page> {
  const folder = await mkdtemp(join(tmpdir(), 'tls-resume-browser-'));
  const flags = [...CHROMIUM_FLAGS, `--user-data-dir=${folder}`, '--remote-debugging-pipe', 'about:blank'];
  const child = spawn('chromium', flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const wire = new Wire(child.stdio[3] as Writable, child.stdio[4] as Readable);
  const { targetId } = await wire.call('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await wire.call('Target.attachToTarget', { targetId, flatten: true });
  const call = (method: string, params?: object) => wire.call(method, params, sessionId as string);
  const requests: string[] = [];
  const complaints: string[] = [];
  wire.listeners.add(({ method, params = {} }) => {
    if (method === 'Network.requestWillBeSent') requests.push((params['request'] as { url: string }).url);
    if (method === 'Log.entryAdded') complaints.push((params['entry'] as { text: string }).text);
    if (method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params['exceptionDetails']));
  });
  for (const domain of ['Page', 'Network', 'Log', 'Runtime']) await call(`${domain}.enable`);

  return {
    requests,
    complaints,
    async load(url) {
      const loaded = wire.next(({ method }) => method === 'Page.loadEventFired');
      await call('Page.navigate', { url });
      await loaded;
    },
    async evaluate<T>(expression: string) {
      const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, returnByValue: true });
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value: T }).value;
    },
    async press(key) {
      const windowsVirtualKeyCode = KEYS[key];
      const text = TEXTS[key];
      await call('Input.dispatchKeyEvent', { type: 'keyDown', key, windowsVirtualKeyCode, ...(text && { text }) });
      await call('Input.dispatchKeyEvent', { type: 'keyUp', key, windowsVirtualKeyCode });
    },
    async look({ width = 1200, scheme = 'light', media = '' }) {
      await call('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false });
      await call('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value: scheme }] });
    },
    async download(to, start) {
      await wire.call('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: to, eventsEnabled: true });
      const begun = wire.next(({ method }) => method === 'Browser.downloadWillBegin');
      const done = wire.next(
        ({ method, params }) => method === 'Browser.downloadProgress' && params?.['state'] !== 'inProgress',
      );
      await start();
      await done;
      return (await begun).params?.['suggestedFilename'] as string;
    },
    async close() {
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
