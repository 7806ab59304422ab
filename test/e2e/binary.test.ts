/** Bytes on their whole way: client, hook, back end, action, channel, client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { io } from 'socket.io-client';
import { BackEnd } from '../support/back-end.ts';
import { DefaultNode } from '../support/default-node.ts';
import { next } from '../support/eventually.ts';
import { ask } from '../support/operator.ts';

const bytes = Buffer.from([0, 1, 127, 128, 255]);
const encoded = { _binary: bytes.toString('base64') };

test('back ends see bytes as base64, and clients get what back ends say as bytes', async (t) => {
  const backEnd = await BackEnd.start();
  t.after(() => backEnd.stop());
  backEnd.answers.set('/upload', ({ body }) => {
    const { trigger } = JSON.parse(body);
    const reply = { name: 'uploaded', args: trigger.args };
    return {
      body: [
        { action: 'send', args: reply },
        { action: 'publish', args: { cids: ['ping.room'], event: { name: 'news', args: [{ file: encoded }] } } },
        { action: 'ack', args: trigger.args, trigger_id: '0+' },
      ],
    };
  });
  const node = await DefaultNode.start((config) => {
    const args = { base_url: backEnd.url, max_connection_timeout: 2000, max_connections: 4 };
    config.connectors!.pools = { web: { connector: 'connector.http', size: 1, overflow: 1, args } };
    Object.assign(config.clients!.hooks!, {
      upload: [{ hook: 'hp.post', args: { connector: 'web', endpoint: '/upload' } }],
      echo: [{ hook: 'utils.echo', args: null }],
    });
    Object.assign(config.clients!.actions!, {
      ack: [{ action: 'action.send_ack', args: null }],
      publish: [{ action: 'action.pubsub.publish_raw', args: 'public' }],
    });
  });
  t.after(() => node.stop());
  for (const transport of ['websocket', 'polling']) {
    const client = io(node.url, { transports: [transport], forceNew: true, reconnection: false });
    t.after(() => client.disconnect());
    await next(client, 'connect');

    const echo = next(client, 'echo');
    client.emit('echo', bytes);
    assert.deepEqual(await echo, bytes);

    await ask(node, 'api', 'POST', `/api/KEY/pubsub/subscribe/${client.id}`, ['ping.room']);
    const [uploaded, news] = [next(client, 'uploaded'), next(client, 'news')];
    assert.deepEqual(await client.emitWithAck('upload', bytes), bytes);
    assert.deepEqual(await uploaded, bytes);
    assert.deepEqual(await news, { file: bytes });
    const asked = JSON.parse((await backEnd.request('/upload')).body);
    assert.deepEqual(asked.trigger, { name: 'upload', args: [encoded] });

    const pushed = next(client, 'pushed');
    const order = { action: 'send', args: { name: 'pushed', args: [encoded] } };
    assert.equal((await ask(node, 'api', 'POST', `/api/KEY/clients/action/${client.id}`, order)).status, 200);
    assert.deepEqual(await pushed, bytes);
    client.disconnect();
  }
});
