/**
 * Ghosts: a back end was told of a client by `on_connect`, Hive refused the client all the same (the answer came too late, a second
 * hook said no), and nobody ever told the back end that the client was gone.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BackEnd } from '../support/back-end.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { metric } from '../support/operator.ts';
import { SocketClient } from '../support/socket-clients.ts';

describe('a client that on_connect refuses', () => {
  let backEnd: BackEnd;
  let node: DefaultNode;
  const orders = (action: string) => ({ body: { action, args: 'no' } });

  before(async () => {
    backEnd = await BackEnd.start();
    node = await DefaultNode.start((config) => {
      config.connectors!.pools = {
        backend: {
          connector: 'connector.http',
          size: 2,
          overflow: 2,
          args: { base_url: backEnd.url, max_connection_timeout: 300 },
        },
      };
      const hook = (endpoint: string) => ({ hook: 'hp.post', args: { connector: 'backend', endpoint } });
      config.clients!.hooks = { on_connect: [hook('/first'), hook('/second')], on_disconnect: [hook('/gone')] };
      config.clients!.actions = {
        stop: [{ action: 'action.stop', args: null }],
        error: [{ action: 'action.error', args: null }],
      };
    });
  });
  after(async () => {
    await node?.stop();
    await backEnd?.stop();
  });

  /** The endpoints that were asked, in order, for one client that is refused. */
  async function refused(answers: [string, object][]): Promise<string[]> {
    backEnd.answers.clear();
    backEnd.asked.length = 0;
    for (const [path, answer] of answers) backEnd.answers.set(path, answer);
    await assert.rejects(SocketClient.connect('4.8 websocket', node.url));
    await eventually(async () => (await metric(node, 'clients.total')) === 0, 'the end of the client');
    const sids = new Set(backEnd.asked.map(({ body }) => JSON.parse(body).sid));
    assert.equal(sids.size, 1);
    return backEnd.asked.map(({ path }) => path);
  }

  test('because the answer came too late runs on_disconnect', async () => {
    assert.deepEqual(await refused([['/first', { delayMs: 1000 }]]), ['/first', '/gone']);
  });

  test('because the answer cannot be used runs on_disconnect', async () => {
    assert.deepEqual(await refused([['/first', { body: 'no orders' }]]), ['/first', '/gone']);
  });

  test('because of its second hook runs on_disconnect, once', async () => {
    assert.deepEqual(await refused([['/second', orders('stop')]]), ['/first', '/second', '/gone']);
    assert.deepEqual(await refused([['/second', orders('error')]]), ['/first', '/second', '/gone']);
  });

  test('because its first hook says no does not: nobody believes that it is there', async () => {
    assert.deepEqual(await refused([['/first', orders('stop')]]), ['/first']);
    assert.deepEqual(await refused([['/first', orders('error')]]), ['/first']);
  });
});
