/** The endpoints of the API, their page and their tests: each is documented, and asked of a running node. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { endpoints } from '../../../../src/web/api/calls.ts';
import { rows } from '../../../support/api-rows.ts';

const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');

/** Those after which the node of the table would not serve on, or that it is not configured for, and where they are asked. */
const ending: Readonly<Record<string, string>> = {
  'POST hive/stop': 'e2e/termination.test.ts',
  'POST hive/stop?cluster=true': 'cluster/operation.test.ts',
  'POST clients/disconnect': 'cluster/users.test.ts',
  'GET pubsub/presence': 'cluster/presence.test.ts',
  'GET pubsub/history': 'e2e/history.test.ts',
  'DELETE pubsub/history': 'e2e/history.test.ts',
  'POST router/terminate': 'e2e/termination.test.ts',
  'POST router/terminate?cluster=true': 'cluster/operation.test.ts',
};

test('each endpoint succeeds in the table of requests to a running node, or where it may end that node', () => {
  const asked = new Set(
    rows
      .filter(({ status }) => status === 200)
      .map(({ method, path }) => {
        const [, endpoint, cluster = ''] = /^(clients(?=\?|$)|\w+\/\w+)[^?]*(\?cluster=true)?/.exec(path) ?? [];
        return `${method} ${endpoint}${cluster}`;
      }),
  );
  for (const endpoint of endpoints) {
    const elsewhere = ending[endpoint];
    if (elsewhere === undefined) assert.ok(asked.has(endpoint), `nobody asks for ${endpoint}`);
    else assert.ok(read(`test/${elsewhere}`).includes(endpoint.split(' ')[1]!), `${endpoint} in ${elsewhere}`);
  }
});

test('the page of the API has every endpoint, and no others', () => {
  const documented = read('docs/http-api.md').matchAll(/^\| `(GET|POST|DELETE) (clients(?=`)|\w+\/\w+)/gm);
  const alone = endpoints.filter((endpoint) => !endpoint.includes('?'));
  const pages = new Set(Array.from(documented, ([, method, path]) => `${method} ${path}`));
  assert.deepEqual([...pages].sort(), [...alone].sort());
});
