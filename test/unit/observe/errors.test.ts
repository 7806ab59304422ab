/** The error catalogue, its page and the tests: each code is produced somewhere, documented, and provoked by a test. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { catalogue, type ErrorCode } from '../../../src/observe/errors.ts';
import { closeReasons } from '../../../src/web/sessions.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');

/** Where each code is provoked: through the wire where it can be. */
const provokedIn: Readonly<Record<ErrorCode, string>> = {
  bad_request: 'support/api-rows.ts',
  bad_packet: 'protocol/engine-4.test.ts',
  bad_external_event: 'e2e/errors.test.ts',
  bad_session_id: 'support/api-rows.ts',
  client_error: 'e2e/errors.test.ts',
  payload_too_large: 'protocol/api.test.ts',
  transport_error: 'unit/web/http.test.ts',
  overloaded: 'unit/actors/client.test.ts',
  router_error: 'cluster/operation.test.ts',
  no_slots: 'protocol/socketio-4.test.ts',
  stopped: 'protocol/socketio-4.test.ts',
  internal_error: 'e2e/errors.test.ts',
  bad_api_request: 'support/api-rows.ts',
  bad_monitor_request: 'protocol/monitor.test.ts',
  invalid_json: 'e2e/errors.test.ts',
  bad_internal_event: 'e2e/errors.test.ts',
  dispatch_too_deep: 'e2e/errors.test.ts',
  plugins_error: 'e2e/errors.test.ts',
  bad_hook_descriptor: 'e2e/errors.test.ts',
  bad_connector_descriptor: 'e2e/errors.test.ts',
  bad_config: 'e2e/errors.test.ts',
  no_config: 'e2e/errors.test.ts',
  bad_http_connector_args: 'e2e/errors.test.ts',
  bad_tcp_connector_args: 'e2e/errors.test.ts',
  bad_redis_connector_args: 'e2e/errors.test.ts',
  connectors_error: 'unit/actors/connectors/manager.test.ts',
  connector_error: 'e2e/errors.test.ts',
  bad_connector_id: 'e2e/errors.test.ts',
  http_error: 'e2e/errors.test.ts',
  tcp_error: 'e2e/errors.test.ts',
  redis_error: 'e2e/redis-error.test.ts',
  bad_channel_id: 'e2e/errors.test.ts',
  unknown_channel_id: 'support/api-rows.ts',
  access_denied: 'e2e/errors.test.ts',
  pubsub_error: 'unit/actors/pubsub/failed-start.test.ts',
  invalid_config: 'e2e/command-line.test.ts',
  file_missing: 'support/bad-configs/files.ts',
  file_error: 'protocol/tls.test.ts',
  schema_not_found: 'support/bad-configs/files.ts',
  port_taken: 'e2e/command-line.test.ts',
  name_taken: 'e2e/command-line.test.ts',
  cluster_error: 'cluster/distribution.test.ts',
  hive_error: 'otp/start.test.ts',
  timeout: 'cluster/distribution.test.ts',
  not_running: 'unit/kernel/ask.test.ts',
  already_started: 'e2e/errors.test.ts',
  already_present: 'otp/child-administration.test.ts',
  not_found: 'otp/child-administration.test.ts',
  running: 'otp/child-administration.test.ts',
  restarting: 'otp/restart-loop.test.ts',
};

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
    assert.match(read('test', file), new RegExp(`\\b${code}\\b`));
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
