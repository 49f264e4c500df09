/** The table of docs/openssl.md says what is there, all of it, and which test proves it. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { assert } from 'chai';
import * as facade from '../../src/openssl.ts';
import { Session } from '../../src/sessions/session.ts';
import { packageFile } from '../web/support.ts';

const root = join(packageFile, '..');

interface Row {
  readonly functions: string;
  readonly here: string;
  readonly differs: string;
  readonly test: string;
}

/** The lines under the header with these columns. */
function table(text: string, header: string): string[][] {
  const [, below = ''] = text.split(`| ${header} |\n`);
  const [lines = ''] = below.split('\n\n');
  return lines
    .split('\n')
    .slice(1)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function rowsOf(text: string): Row[] {
  const rows = table(text, 'manual page function | here | what differs | test');
  return rows.map(([functions = '', here = '', differs = '', test = '']) => ({ functions, here, differs, test }));
}

/** What stands in backticks. */
function codes(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '');
}

interface Link {
  readonly title: string;
  /** Relative to the root. */
  readonly path: string;
}

function links(text: string): Link[] {
  const found = [...text.matchAll(/\[([^\]]+)\]\(([^)#]*)(?:#[^)]*)?\)/g)];
  return found.map(([, title = '', path = '']) => ({ title, path: posix.join('docs', path) }));
}

/** `Class.member` of the façade's classes, its functions and its constants. */
function namesOf(exports: Readonly<Record<string, unknown>>, instances: readonly object[]): Set<string> {
  const names = new Set(Object.keys(exports));
  for (const [name, value] of Object.entries(exports)) {
    if (!isClass(value)) continue;
    const fields = instances.filter((instance) => instance instanceof value).flatMap(Object.keys);
    const statics = Object.getOwnPropertyNames(value).filter((key) => !['length', 'name', 'prototype'].includes(key));
    const members = membersOf(value.prototype);
    for (const member of [...members, ...statics, ...fields]) names.add(`${name}.${member}`);
    names.delete(name); // it is there with its constructor
  }
  return names;
}

/** Its own and those of its base classes. */
function membersOf(prototype: object): string[] {
  if (prototype === Object.prototype) return [];
  return [...Object.getOwnPropertyNames(prototype), ...membersOf(Object.getPrototypeOf(prototype))];
}

function isClass(value: unknown): value is new (...given: never[]) => object {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

/** A session has fields of its own, besides the members of its class. */
function someSession(): Session {
  const nothing = new Uint8Array(0);
  const [time, timeout, authTime, cipherSuite] = [0, 0, 0, 0x1301];
  const secret = new Uint8Array(32);
  const negotiated = { version: 'TLSv1.3', cipherSuite, id: nothing, idContext: nothing, secret } as const;
  return new Session({ ...negotiated, time, timeout, authTime, extendedMasterSecret: true });
}

/** What a row says that is not so; nothing where all is well. */
function complaints(
  { functions, here, differs, test }: Row,
  names: ReadonlySet<string>,
  read: (path: string) => string | undefined,
) {
  const unknown = codes(here).filter((name) => !names.has(name));
  const isAbsent = here === 'no';
  const tests = links(test);
  return [
    ...(codes(functions).length === 0 ? ['names no function'] : []),
    ...unknown.map((name) => `${name} is not there`),
    ...(isAbsent && differs === '' ? ['does not say why not'] : []),
    ...(isAbsent || codes(here).length > 0 ? [] : ['says neither where it is, nor that it is not']),
    ...(isAbsent || tests.length > 0 ? [] : ['names no test']),
    ...tests.flatMap(({ title, path }) => whyNoTest(title, read(path)).map((why) => `${path}: ${why}`)),
  ].map((complaint) => `${functions}: ${complaint}`);
}

function whyNoTest(title: string, text: string | undefined): string[] {
  if (text === undefined) return ['no such file'];
  const isTitle = text.split('\n').some((line) => !/^\s*(?:\/\/|\/?\*)/.test(line) && line.includes(title));
  return isTitle ? [] : [`no test '${title}'`];
}

const readText = (path: string): string | undefined =>
  existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined;

describe('docs/openssl.md', () => {
  const text = readText('docs/openssl.md') ?? '';
  const rows = rowsOf(text);
  const names = namesOf(facade, [someSession()]);

  it('is read at all', () => {
    assert.isAbove(rows.length, 50);
    assert.isAbove(names.size, 140);
    assert.includeMembers([...names], ['Session.foreign', 'Session.fromPem', 'Ssl.constructor', 'SSL_SENT_SHUTDOWN']);
  });

  for (const row of rows) {
    it(`is right about ${codes(row.functions).join(', ')}`, () => {
      assert.deepEqual(complaints(row, names, readText), []);
    });
  }

  it('has everything that the façade has, once', () => {
    const others = table(text, 'here | what for').flatMap(([here = '']) => codes(here));
    const said = [...rows.flatMap(({ here }) => codes(here)), ...others];
    assert.deepEqual([...said].sort(), [...names].sort());
  });

  it('has every function of a manual page once', () => {
    const functions = rows.flatMap((row) => codes(row.functions));
    assert.deepEqual([...functions].sort(), [...new Set(functions)].sort());
    assert.includeMembers(functions, DUE);
  });
});

/** The functions of the manual pages that this is about. */
const DUE = `
SSL_CTX_sess_set_new_cb SSL_CTX_sess_set_get_cb SSL_CTX_sess_set_remove_cb
SSL_CTX_sess_get_new_cb SSL_CTX_sess_get_get_cb SSL_CTX_sess_get_remove_cb
SSL_CTX_add_session SSL_CTX_remove_session SSL_CTX_flush_sessions
SSL_get_session SSL_get0_session SSL_get1_session
SSL_CTX_set_session_cache_mode SSL_CTX_get_session_cache_mode
SSL_CTX_sess_set_cache_size SSL_CTX_sess_get_cache_size
SSL_CTX_sess_number SSL_CTX_sess_connect SSL_CTX_sess_connect_good SSL_CTX_sess_connect_renegotiate
SSL_CTX_sess_accept SSL_CTX_sess_accept_good SSL_CTX_sess_accept_renegotiate
SSL_CTX_sess_hits SSL_CTX_sess_cb_hits SSL_CTX_sess_misses SSL_CTX_sess_timeouts SSL_CTX_sess_cache_full
SSL_CTX_set_timeout SSL_CTX_get_timeout
SSL_SESSION_get_time SSL_SESSION_set_time SSL_SESSION_get_timeout SSL_SESSION_set_timeout
SSL_CTX_set_session_id_context SSL_set_session_id_context
SSL_CTX_set_generate_session_id SSL_set_generate_session_id SSL_has_matching_session_id
SSL_SESSION_is_resumable SSL_SESSION_up_ref SSL_SESSION_free SSL_SESSION_dup
i2d_SSL_SESSION d2i_SSL_SESSION PEM_write_bio_SSL_SESSION PEM_read_bio_SSL_SESSION
SSL_shutdown SSL_set_shutdown SSL_get_shutdown
SSL_CTX_set_quiet_shutdown SSL_CTX_get_quiet_shutdown SSL_set_quiet_shutdown SSL_get_quiet_shutdown
SSL_CTX_set_not_resumable_session_callback SSL_set_not_resumable_session_callback
SSL_CTX_free SSL_CTX_up_ref SSL_free SSL_clear SSL_set_session
SSL_CTX_set_options SSL_CTX_get_options SSL_CTX_clear_options
SSL_CTX_set_num_tickets SSL_CTX_get_num_tickets SSL_new_session_ticket
SSL_CTX_set_ex_data SSL_CTX_get_ex_data SSL_set_ex_data SSL_get_ex_data SSL_SESSION_set_ex_data SSL_SESSION_get_ex_data
SSL_CTX_set_tlsext_ticket_key_cb SSL_CTX_set_session_ticket_cb
SSL_CTX_set_max_early_data SSL_CTX_get_max_early_data SSL_set_max_early_data SSL_get_max_early_data
SSL_CTX_set_recv_max_early_data SSL_read_early_data SSL_write_early_data SSL_get_early_data_status
SSL_CTX_set_allow_early_data_cb SSL_set_allow_early_data_cb SSL_SESSION_get_max_early_data SSL_SESSION_set_max_early_data
SSL_CTX_set_psk_find_session_callback SSL_set_psk_find_session_callback
SSL_CTX_set_psk_server_callback SSL_set_psk_server_callback SSL_CTX_use_psk_identity_hint SSL_use_psk_identity_hint
`
  .trim()
  .split(/\s+/);

describe('the links of docs/', () => {
  const documents = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));

  for (const name of documents) {
    const text = readText(posix.join('docs', name)) ?? '';

    it(`of ${name} lead to files`, () => {
      const paths = links(text).map(({ path }) => path);
      assert.deepEqual(
        paths.filter((path) => !/^docs\/https?:/.test(path) && !existsSync(join(root, path))),
        [],
      );
    });

    const isLedger = name === 'rfc9846.md'; // whose tests test/ledger/ledger.test.ts looks up
    it(`of ${name} to tests name one`, () => {
      const tests = links(text).filter(({ path }) => path.startsWith('test/') && !isLedger);
      assert.deepEqual(
        tests.flatMap(({ title, path }) => whyNoTest(title, readText(path))),
        [],
      );
    });

    it(`of ${name} lead to headings, or to anchors`, () => {
      const lost = [...text.matchAll(/\]\(([^)#]*)#([^)]+)\)/g)].filter(([, file, heading = '']) => {
        const target = readText(posix.join('docs', file || name)) ?? '';
        return !headings(target).includes(heading) && !target.includes(`<a id="${heading}">`);
      });
      assert.deepEqual(
        lost.map(([link]) => link),
        [],
      );
    });
  }
});

/** As GitHub names them. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('the test of the table', () => {
  const names = new Set(['Ssl.free', 'SSL_SESSION_dup']);
  const read = (path: string) =>
    path === 'test/a.test.ts' ? "// it was once\n  it('is freed', () => {});" : undefined;
  const judge = (here: string, test: string, differs = 'because') =>
    complaints({ functions: '`SSL_free`', here, differs, test }, names, read);

  for (const [here, test] of [
    ['`Ssl.free`', '[is freed](../test/a.test.ts)'],
    ['`SSL_SESSION_dup`, `Ssl.free`', '[is](../test/a.test.ts), [freed](../test/a.test.ts)'],
    ['no', ''],
  ] as const) {
    it(`takes ${here}`, () => assert.deepEqual(judge(here, test), []));
  }

  it('complains of a no without a reason', () => {
    assert.deepEqual(judge('no', '', ''), ['`SSL_free`: does not say why not']);
  });

  for (const [here, test, complaint] of [
    ['not yet', '', 'says neither'],
    ['`Ssl.gone`', '[is freed](../test/a.test.ts)', 'Ssl.gone is not there'],
    ['', '', 'says neither'],
    ['`Ssl.free`', '', 'names no test'],
    ['`Ssl.free`', 'tested', 'names no test'],
    ['`Ssl.free`', '[is freed](../test/b.test.ts)', 'no such file'],
    ['`Ssl.free`', '[is gone](../test/a.test.ts)', "no test 'is gone'"],
    ['`Ssl.free`', '[it was once](../test/a.test.ts)', "no test 'it was once'"],
    ['no', '[is gone](../test/a.test.ts)', "no test 'is gone'"],
  ] as const) {
    it(`complains: ${complaint}, of ${here || 'nothing'}`, () =>
      assert.include(judge(here, test).join('; '), complaint));
  }
});
