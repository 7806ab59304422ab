import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { HiveError } from '../../../src/observe/errors.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { checkServers, checksOf } from '../../../src/web/self-check.ts';
import { freePorts } from '../../support/ports.ts';

const answers =
  (status: number, body = ''): RequestListener =>
  (_request, response) =>
    response.writeHead(status).end(body);

async function serve(t: TestContext, listener: RequestListener, host = '127.0.0.1'): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, host, listening));
  t.after(() => server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
}

function check(origin: string, timeoutMs?: number, metrics = new Metrics()): Promise<void> {
  const isRight = (status: number, body: string) => status === 200 && body === 'yes';
  return checkServers([{ name: 'API', origin, path: '/', isRight, counters: ['asked'] }], metrics, timeoutMs);
}

async function refusal(checking: Promise<void>): Promise<string> {
  const error = await checking.then(
    () => assert.fail('it passes'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HiveError && error.code === 'not_answering');
  return error.message;
}

test('a right answer passes, and what it has counted is taken back', async (t) => {
  const metrics = new Metrics();
  const port = await serve(t, (request, response) => {
    metrics.counter('asked').value += 1;
    answers(200, 'yes')(request, response);
  });
  await check(`http://127.0.0.1:${port}`, undefined, metrics);
  assert.equal(metrics.counter('asked').value, 0);
});

test('who listens on all addresses is asked on one', async (t) => {
  await check(`http://0.0.0.0:${await serve(t, answers(200, 'yes'), '0.0.0.0')}`);
  await check(`http://[::]:${await serve(t, answers(200, 'yes'), '::')}`);
});

test('a wrong status or body is an error that shows them', async (t) => {
  const origin = `http://127.0.0.1:${await serve(t, answers(200, 'no'))}`;
  assert.equal(await refusal(check(origin)), `The API at ${origin} gives a wrong answer: 200 "no"`);
  const other = `http://127.0.0.1:${await serve(t, answers(500, 'yes'))}`;
  assert.equal(await refusal(check(other)), `The API at ${other} gives a wrong answer: 500 "yes"`);
});

test('nobody who listens, one who hangs up, and one who keeps silent are errors', async (t) => {
  const [free] = await freePorts(1);
  assert.match(await refusal(check(`http://127.0.0.1:${free}`)), /^The API at \S+ does not answer: .*ECONNREFUSED/);
  const hangingUp = await serve(t, (request) => request.socket.destroy());
  assert.match(await refusal(check(`http://127.0.0.1:${hangingUp}`)), /does not answer: socket hang up$/);
  const silent = await serve(t, () => {});
  assert.match(await refusal(check(`http://127.0.0.1:${silent}`, 50)), /does not answer: nothing came within 50 ms$/);
  const halting = await serve(t, (_request, response) => response.writeHead(200).write('y'));
  assert.match(await refusal(check(`http://127.0.0.1:${halting}`, 50)), /does not answer: nothing came within 50 ms$/);
});

test('what is asked of a node fits it alone', () => {
  const addresses = { client: 'http://a', api: 'http://b', monitor: 'http://c' };
  const node = { addresses, apiKey: 'k/1', monitorKey: 'k 2', node: 'n@h', version: '1.2.3' };
  const [client, api, monitor] = checksOf(node);
  assert.deepEqual(
    [client, api, monitor].map((one) => one?.origin),
    ['http://a', 'http://b', 'http://c'],
  );
  assert.equal(api?.path, '/api/k%2F1/hive/version');
  assert.equal(monitor?.path, '/monitor/k%202/health');
  assert.deepEqual(
    [client?.isRight(404, ''), client?.isRight(404, 'x'), client?.isRight(200, '')],
    [true, false, false],
  );
  assert.deepEqual(
    [api?.isRight(200, '1.2.3'), api?.isRight(200, '1.2.4'), api?.isRight(401, '')],
    [true, false, false],
  );
  assert.deepEqual([monitor?.isRight(503, '{"node":"n@h"}'), monitor?.isRight(200, '{"node":"m@h"}')], [true, false]);
  assert.deepEqual([monitor?.isRight(200, 'x'), monitor?.isRight(404, '{"node":"n@h"}')], [false, false]);
});
