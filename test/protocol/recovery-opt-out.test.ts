/**
 * Clients that know no recovery, at a node that has it: on the wire nothing tells them from Socket.IO's own client, so they say
 * `?recovery=0` and get their events as they were published. Otherwise their listeners get one argument too many, the position.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { type MatrixClient, matrixClient, missingPython } from '../support/matrix-clients.ts';

const bytes = { _binary: Buffer.from('bytes').toString('base64') };
const lists = [[1], [2, 'text'], [], [{ a: 'b' }, null], [bytes], [bytes, 'text']];

describe('at a node with recovery', () => {
  let node: DefaultNode;

  before(async () => {
    node = await DefaultNode.start((config) => {
      Object.assign(config.clients!, { recovery: {} });
      config.clients!.hooks = {
        echo: [
          { hook: 'pubsub.subscribe', args: 'public' },
          { hook: 'utils.echo', args: null },
        ],
      };
      config.pubsub = { channels: { room: { privilege: 'public', timeout: 0 } } };
    });
  });

  after(() => node.stop());

  /** What a client hears of an echo and of some events that are published, each with its arguments. */
  async function heardBy(client: MatrixClient): Promise<unknown[][]> {
    try {
      await client.connected(1);
      client.emit('echo', ['room.a']);
      const heard = [await client.next('echo')];
      for (const args of lists) {
        const body = JSON.stringify({ name: 'news', args });
        const answer = await node.api('POST', 'pubsub/publish/room.a', body);
        assert.equal(answer.status, 200, await answer.text());
        heard.push(await client.next('news'));
      }
      return heard as unknown[][];
    } finally {
      client.disconnect();
    }
  }

  for (const library of ['python', '4.8']) {
    const skip = library === 'python' && missingPython();
    for (const way of ['polling', 'websocket'] as const) {
      test(`client ${library} that has opted out gets what was published, over ${way}`, { skip }, async () => {
        const heard = await heardBy(matrixClient(library, way, `${node.url}/?recovery=0`));
        assert.deepEqual(heard, [['room.a'], ...lists]);
      });
    }

    test(`client ${library} that has not opted out gets a position behind it`, { skip }, async () => {
      const heard = await heardBy(matrixClient(library, 'websocket', node.url));
      const positions = heard.map((args) => args.pop());
      assert.deepEqual(heard, [['room.a'], ...lists]);
      assert.ok(positions.every((position) => typeof position === 'string'));
      assert.equal(new Set(positions).size, positions.length);
    });
  }
});
