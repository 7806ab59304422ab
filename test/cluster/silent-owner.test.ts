/** What back ends are told about clients whose node does not answer, by another node. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { io } from 'socket.io-client';
import { DefaultNode } from '../support/default-node.ts';
import { eventually, next } from '../support/eventually.ts';
import { ask, type Failure, metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';

const names = ['one@127.0.0.1', 'two@127.0.0.1'];

test('a client on a node that hangs is a timeout, on one that dies meanwhile cluster_error, then it is unknown', async (t) => {
  const [epmd] = await freePorts(1);
  const start = (name: string) =>
    DefaultNode.start((config) => {
      Object.assign(config.hive!, { name, epmd_port: epmd, cluster_nodes: names.filter((other) => other !== name) });
    });
  const one = await start(names[0]!);
  t.after(() => one.stop());
  const two = await start(names[1]!);
  t.after(() => two.process.stop('SIGKILL'));
  await eventually(async () => (await metric(one, 'hive.cluster.size')) === 2, 'the cluster');
  const client = io(two.url, { transports: ['websocket'], forceNew: true, reconnection: false });
  t.after(() => client.disconnect());
  await next(client, 'connect');

  const orders = { action: 'send', args: { name: 'hello', args: [] } };
  const act = async () => {
    const { status, json } = await ask(one, 'api', 'POST', `/api/KEY/clients/action/${client.id}`, orders);
    return `${status} ${(json as Failure | undefined)?.error}`;
  };
  const heard = next(client, 'hello');
  assert.equal(await act(), '200 undefined');
  await heard;

  two.process.signal('SIGSTOP');
  const calls = (await metric(one, 'hive.cluster.calls')) ?? 0;
  assert.equal(await act(), '504 timeout');
  const open = act();
  await eventually(async () => (await metric(one, 'hive.cluster.calls')) === calls + 2, 'the second call');
  two.process.signal('SIGKILL');
  assert.equal(await open, '503 cluster_error');
  await eventually(async () => (await metric(one, 'hive.cluster.size')) === 1, 'the loss');
  assert.equal(await act(), '404 bad_session_id');
});
