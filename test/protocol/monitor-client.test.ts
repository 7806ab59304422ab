/** One client as the monitor of a real node shows it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ClientView } from '../../src/web/monitor/monitor-host.ts';
import { CrashNode } from '../support/crash-node.ts';
import { eventually } from '../support/eventually.ts';

describe('the monitor', () => {
  let node: CrashNode;
  before(async () => {
    node = await CrashNode.launch(['4.8 websocket', '0.9 xhr-polling']);
  });
  after(() => node.stop());

  const ask = async (sid: string, method = 'GET') => {
    const response = await node.monitor(`clients/${encodeURIComponent(sid)}`, {}, method);
    return { status: response.status, json: (await response.json()) as ClientView };
  };

  test('shows where a client stands, what it has subscribed to and its state', async () => {
    for (const [at, transport, protocol] of [
      [0, 'websocket', 'eio4'],
      [1, 'polling', '0.9'],
    ] as const) {
      const { sid, name } = node.talkers[at]!;
      const { status, json } = await ask(sid);
      assert.equal(status, 200);
      const { ageMs, mailbox, bufferedBytes, ...rest } = json;
      assert.deepEqual(rest, {
        sid,
        node: 'hive@127.0.0.1',
        pid: (await node.client(sid)).toString(),
        phase: 'waiting',
        transport,
        suspended: null,
        recoverable: false,
        durable: null,
        protocol,
        namespace: '/',
        subscriptions: ['room.all'],
        state: { name },
      });
      for (const number of [ageMs, mailbox.length, bufferedBytes]) assert.ok(number >= 0);
      assert.ok(mailbox.peak > 0);
    }
  });

  test('shows a client whose hook hangs, and how much waits behind it, without waiting', async () => {
    const { sid, socket } = node.talkers[0]!;
    await node.talkers[0]!.stop();
    socket.emit('hang');
    await eventually(() => node.witness.returns.length === 1, 'the hook to hang');
    const events = 5;
    for (let n = 0; n < events; n += 1) socket.emit('nothing');
    await eventually(async () => (await ask(sid)).json.mailbox.length === events, 'the queue');
    node.witness.returns[0]!();
    await eventually(async () => (await ask(sid)).json.mailbox.length === 0, 'the end of the queue');
  });

  test('knows no client that never was, or has left', async () => {
    const { sid, socket } = node.talkers[1]!;
    await node.talkers[1]!.stop();
    await socket.disconnect();
    await eventually(async () => (await ask(sid)).status === 404, 'the end of the client');
    for (const unknown of [sid, 'nobody', 'x'.repeat(30), '%']) {
      const { status, json } = await ask(unknown);
      assert.deepEqual([status, (json as unknown as { error: string }).error], [404, 'bad_monitor_request'], unknown);
    }
    assert.equal((await ask(sid, 'DELETE')).status, 405);
  });
});
