/** Recovery with every socket library, and clients that know nothing of it on the same node. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { matrixClient, missingPython } from '../support/matrix-clients.ts';
import { RecoveryNode, soonPings } from '../support/recovery-scene.ts';
import { loadable } from '../support/socket-libraries.ts';

const bytes = Buffer.from([0, 1, 254, 255]);
const encoded = { _binary: bytes.toString('base64') };

for (const sockets of loadable) {
  test(`clients are recovered with the sockets of ${sockets}`, async (t) => {
    const hive = await RecoveryNode.start(({ socketio }) => Object.assign(socketio!, soonPings), {
      HIVE_SOCKETS: sockets,
    });
    t.after(() => hive.stop());
    for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']] as const) {
      const ann = await hive.visit({ transports });
      await ann.publish(0);
      await ann.heard(1);
      for (let round = 1; round <= 3; round += 1) {
        await ann.lose();
        await ann.publish(`${round}`, encoded);
        await ann.send(encoded, 'alone');
        await ann.comeBack();
        await ann.publish('live');
        await ann.heard(1 + 5 * round);
      }
      const rounds = ['1', '2', '3'].flatMap((round) => [round, bytes, bytes, 'alone', 'live']);
      assert.deepEqual(ann.client.firsts('news'), [0, ...rounds], transports.join());
      assert.deepEqual(ann.client.connects, [false, true, true, true]);
      // Taken over: the node has not noticed.
      ann.proxy.cut(true);
      await ann.publish('silent');
      ann.client.socket.io.engine.close();
      await ann.comeBack();
      assert.equal((await ann.heard(17)).at(-1), 'silent');
      assert.equal(ann.client.connects.at(-1), true);
      ann.client.stop();
      await eventually(() => ann.told.at(-1)?.startsWith('on_disconnect'), 'the departure');
    }
  });
}

describe('beside clients that may return', () => {
  let hive: RecoveryNode;

  before(async () => {
    hive = await RecoveryNode.start();
  });
  after(() => hive.stop());

  /** The only session that was told of since. */
  const strangerTo = (known: ReadonlySet<string>): Promise<string> =>
    eventually(() => {
      for (const { path, body } of hive.backEnd.asked) {
        const { sid } = JSON.parse(body) as { sid: string };
        if (path === '/on_connect' && !known.has(sid)) return sid;
      }
      return undefined;
    }, 'the on_connect');

  for (const [library, query] of [
    ['4.8', '?recovery=0'],
    ['2.5', ''],
    ['1.7', ''],
    ['0.9', ''],
    ['python', '?recovery=0'],
  ] as const) {
    for (const way of ['websocket', 'polling'] as const) {
      test(`${library} ${query} over ${way} gets its arguments untouched, and ends with its connection`, {
        skip: library === 'python' && missingPython(),
      }, async (t) => {
        const ann = await hive.visit();
        const known = new Set(hive.backEnd.asked.map(({ body }) => (JSON.parse(body) as { sid: string }).sid));
        const client = matrixClient(library, way, hive.node.url + query);
        t.after(() => client.disconnect());
        await client.connected(1);
        const sid = await strangerTo(known);
        await hive.call(`pubsub/subscribe/${sid}`, [ann.room]);
        await ann.lose();
        await ann.publish(1, 2);
        await hive.call(`clients/action/${sid}`, { action: 'send', args: { name: 'news', args: [3, 'text'] } });
        await hive.call(`pubsub/publish/${ann.room}`, { name: 'news', args: [4, 'text'] });
        await ann.comeBack();
        assert.deepEqual(await client.nextEvents('news', 4), [[1], [2], [3, 'text'], [4, 'text']]);
        assert.deepEqual(await ann.heard(3), [1, 2, 4]);
        client.disconnect();
        await eventually(() => hive.told(sid).length === 2, 'the departure');
        assert.match(hive.told(sid)[1]!, /^on_disconnect/);
        ann.client.stop();
      });
    }
  }
});
