/** The error catalogue, its page and the tests: each code is produced somewhere, documented, and provoked by a test. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { catalogue, type ErrorCode } from '../../../src/observe/errors.ts';
import { closeReasons } from '../../../src/web/client/client-handle.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');

/** Where a running node is made to say each code, over its real wires: to clients, back ends, operators, other nodes. */
const provokedIn: Readonly<Record<ErrorCode, string>> = {
  bad_request: 'e2e/bad-input.test.ts',
  bad_packet: 'e2e/bad-input.test.ts',
  bad_external_event: 'e2e/errors.test.ts',
  bad_session_id: 'e2e/bad-input.test.ts',
  client_suspended: 'protocol/asks.test.ts',
  client_error: 'e2e/errors.test.ts',
  too_many_requests: 'regression/address-limits.test.ts',
  payload_too_large: 'e2e/bad-input.test.ts',
  overloaded: 'e2e/inner-errors.test.ts',
  too_many_errors: 'regression/event-floods.test.ts',
  router_error: 'e2e/closed-doors.test.ts',
  no_slots: 'e2e/closed-doors.test.ts',
  stopped: 'e2e/plugins.test.ts',
  internal_error: 'e2e/errors.test.ts',
  bad_api_request: 'e2e/bad-input.test.ts',
  idempotency_key_reused: 'cluster/idempotency.test.ts',
  idempotency_uncertain: 'cluster/idempotency.test.ts',
  bad_monitor_request: 'e2e/bad-input.test.ts',
  invalid_json: 'e2e/errors.test.ts',
  bad_internal_event: 'e2e/errors.test.ts',
  limit_exceeded: 'e2e/errors.test.ts',
  dispatch_too_deep: 'e2e/errors.test.ts',
  plugins_error: 'e2e/errors.test.ts',
  bad_hook_descriptor: 'e2e/errors.test.ts',
  bad_connector_descriptor: 'e2e/errors.test.ts',
  bad_config: 'e2e/errors.test.ts',
  no_config: 'e2e/errors.test.ts',
  bad_http_connector_args: 'e2e/errors.test.ts',
  bad_tcp_connector_args: 'e2e/errors.test.ts',
  bad_redis_connector_args: 'e2e/errors.test.ts',
  connectors_error: 'e2e/inner-errors.test.ts',
  connector_error: 'e2e/errors.test.ts',
  bad_connector_id: 'e2e/errors.test.ts',
  http_error: 'e2e/errors.test.ts',
  tcp_error: 'e2e/errors.test.ts',
  redis_error: 'e2e/redis-error.test.ts',
  bad_channel_id: 'e2e/errors.test.ts',
  unknown_channel_id: 'e2e/bad-input.test.ts',
  access_denied: 'e2e/errors.test.ts',
  pubsub_error: 'e2e/inner-errors.test.ts',
  invalid_config: 'e2e/command-line.test.ts',
  file_missing: 'support/bad-configs/files.ts',
  file_error: 'e2e/command-line.test.ts',
  schema_not_found: 'support/bad-configs/files.ts',
  port_taken: 'e2e/command-line.test.ts',
  not_answering: 'e2e/self-check.test.ts',
  sockets_unavailable: 'e2e/command-line.test.ts',
  name_taken: 'e2e/command-line.test.ts',
  cluster_error: 'cluster/silent-owner.test.ts',
  hive_error: 'e2e/inner-errors.test.ts',
  timeout: 'cluster/silent-owner.test.ts',
  not_running: 'e2e/inner-errors.test.ts',
  crashed: 'e2e/inner-errors.test.ts',
  already_started: 'e2e/inner-errors.test.ts',
  already_present: 'e2e/inner-errors.test.ts',
  not_found: 'e2e/inner-errors.test.ts',
  running: 'e2e/inner-errors.test.ts',
  restarting: 'e2e/inner-errors.test.ts',
};

/** What those files run against: a node process, or the command line. The rows of bad configurations are its input. */
const real = /\b(?:DefaultNode|RecoveryNode|HiveProcess)\b/;

const codes = Object.keys(catalogue) as ErrorCode[];

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? sources(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

/** The rows of the tables under a heading, cell by cell, without back-quotes. */
function rowsUnder(page: string, heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

test('every code is produced somewhere', () => {
  const files = sources('src').filter((file) => !file.endsWith(join('observe', 'errors.ts')));
  const all = files.map((file) => read(file)).join('\n');
  assert.deepEqual(
    codes.filter((code) => !all.includes(`'${code}'`)),
    [],
  );
});

for (const [code, file] of Object.entries(provokedIn)) {
  test(`${code} is provoked in test/${file}`, () => {
    const text = read('test', file);
    assert.match(text, new RegExp(`\\b${code}\\b`));
    if (!file.startsWith('support/bad-configs/')) assert.match(text, real);
  });
}

test('the page of errors has every code with its status, and no others', () => {
  const rows = rowsUnder(read('docs', 'errors.md'), 'Codes').map(([code, status]) => `${code} ${status}`);
  assert.deepEqual(rows.sort(), codes.map((code) => `${code} ${catalogue[code].status}`).sort());
});

test('the page of errors has every reason why connections end', () => {
  const rows = rowsUnder(read('docs', 'errors.md'), 'Why connections end');
  const reasons = Object.entries(closeReasons).map(([reason, { code, final }]) => [
    reason,
    `${code}`,
    final ? 'yes' : 'no',
  ]);
  assert.deepEqual(
    rows.map((row) => row.slice(0, 3)),
    reasons,
  );
});

test('codes that are said to be gone are gone', () => {
  const gone = rowsUnder(read('docs', 'errors.md'), 'Codes of 2014 that are gone').map(([code]) => code);
  assert.ok(gone.length > 5);
  assert.deepEqual(
    codes.filter((code) => gone.includes(code)),
    [],
  );
});
