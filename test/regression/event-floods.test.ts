/**
 * One client with 94,000 bad events in eight seconds made the echo of another take 1.3 s instead of 0.8 ms: each byte of it
 * was 13 bytes of the log, and it was never disconnected. Wrong keys and cookies did likewise.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { initiate } from '../../src/distribution/negotiate.ts';
import { tcp } from '../../src/distribution/sockets.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { ask, metric } from '../support/operator.ts';
import { rawUpgrade, textFrame } from '../support/raw-client.ts';
import { SocketClient } from '../support/socket-clients.ts';
import { loadable } from '../support/socket-libraries.ts';

/** A back end that refuses everything. */
async function refuser(t: TestContext): Promise<string> {
  const server = createServer((request, response) => request.resume().on('end', () => response.writeHead(403).end()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

const puts = 300;
const strangers = 100;
/** Bytes that were sent in vain. */
let sent = 0;

/** Connects and sends the frame that many times, until the server has ended the connection. */
async function flood(node: DefaultNode, text: string, times: number): Promise<void> {
  const socket = await rawUpgrade(Number(new URL(node.url).port), '/socket.io/?EIO=4&transport=websocket');
  let received = '';
  socket.on('data', (data) => {
    received += data.toString('latin1');
  });
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.write(textFrame('40'));
  await eventually(() => received.includes('40{'), 'the client');
  const frames = Buffer.concat(Array.from({ length: 1000 }, () => textFrame(text)));
  for (let at = 0; at < times / 1000 && !socket.destroyed; at += 1) {
    sent += frames.length;
    if (!socket.write(frames)) await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve));
  }
  await ended;
}

/** Events that the back end refuses, as fast as it does, until the server has ended the connection. */
async function postInVain(node: DefaultNode): Promise<void> {
  const client = await SocketClient.connect('4.8 websocket', node.url);
  while (client.connected) {
    client.received.length = 0;
    for (let at = 0; at < 100; at += 1) client.emit('post');
    await client.until(() => client.received.length >= 100 || !client.connected, 'the errors');
  }
}

async function wrongCookie(port: number): Promise<void> {
  const socket = await tcp.connect('127.0.0.1', port, 5000);
  const self = { node: 'stranger@127.0.0.1', creation: 7, cookie: 'a guess' };
  await assert.rejects(initiate(socket, { self, headerSize: 2, maxFrame: 1000 }, 'hive@127.0.0.1', () => true));
}

/** All that the log has, and how often a text is in its main file. */
function logOf(node: DefaultNode): { bytes: number; main: string } {
  const folder = join(node.directory, 'log');
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const bytes = [...texts, node.process.stderr].reduce((sum, text) => sum + text.length, 0);
  return { bytes, main: readFileSync(join(folder, 'hive.log'), 'utf8') };
}

for (const sockets of loadable) {
  test(`${sockets}: who floods a node with what it refuses fills no log, is disconnected, and holds up nobody`, async (t) => {
    const base_url = await refuser(t);
    let distribution = 0;
    const node = await DefaultNode.start(
      (config) => {
        const args = { base_url, max_connection_timeout: 5000, max_connections: 8 };
        config.connectors!.pools = { web: { connector: 'connector.http', size: 2, overflow: 2, args } };
        const hook = (name: string) => [{ hook: name, args: { connector: 'web', endpoint: '/' } }];
        const echo = [{ hook: 'utils.echo', args: null }];
        Object.assign(config.clients!.hooks as object, { echo, post: hook('hp.post'), put: hook('hp.put') });
        // Neither the echoes, which come as fast as they can, nor the floods are ended for their number.
        config.socketio!.max_packets_per_second = 0;
        distribution = Number(config.hive!.cluster_port_min);
        // The errors are to end them, not the number of their packets.
        config.socketio = { ...config.socketio, max_packets_per_second: 0 };
      },
      { HIVE_SOCKETS: sockets },
    );
    t.after(() => node.stop());
    sent = 0;

    const control = await SocketClient.connect('4.8 websocket', node.url);
    t.after(() => control.disconnect());
    let isOver = false;
    let echoes = 0;
    const echoing = (async () => {
      for (; !isOver; echoes += 1) {
        control.emit('echo', echoes);
        await control.event('echo', (value) => value === echoes);
        control.received.length = 0;
      }
    })();

    const floods = async () => {
      for (let at = 0; at < 5; at += 1) await flood(node, '42["on_connect","xxx"]', 20_000);
      assert.equal(await metric(node, 'clients.too_many_errors'), 5);
      await postInVain(node);
      assert.equal(await metric(node, 'clients.too_many_errors'), 6);
      // One of these is the end of a connection.
      for (let at = 0; at < 50; at += 1) await flood(node, '42["x",', 1000);
      // Puts are refused behind the client's back: it is no error of its own.
      const putting = await SocketClient.connect('4.8 websocket', node.url);
      for (let at = 0; at < puts; at += 1) putting.emit('put', at);
      putting.emit('echo', 'behind them');
      await putting.event('echo');
      await putting.disconnect();
      await Promise.all(
        Array.from({ length: 100 }, async (_, at) => {
          const server = at % 2 === 0 ? 'api' : 'monitor';
          assert.equal((await ask(node, server, 'GET', `/${server}/wrong/x`)).status, 401);
        }),
      );
      for (let at = 0; at < strangers; at += 1) await wrongCookie(distribution);
    };
    await floods();
    isOver = true;
    await echoing;
    assert.ok(echoes > 100, `${echoes} echoes`);
    assert.ok(control.connected);

    const counted = (await metric(node, 'hive.log.counted')) ?? 0;
    await control.disconnect();
    await node.process.stop();
    const { bytes, main } = logOf(node);
    assert.ok(bytes < sent / 2, `${bytes} bytes of the log for ${sent} received`);
    const told = (kind: string): number => {
      const lines = main.matchAll(new RegExp(`"msg":"${kind}: (\\d+) more (?:in 10 s|until the node stopped)"`, 'g'));
      return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
    };
    const written = (text: string): number => main.split(`"msg":"${text}`).length - 1;
    // Nothing is left out without a word.
    assert.ok(told('[^"]*') >= counted && counted > 5000, `${told('[^"]*')} of ${counted} lines were told`);
    assert.equal(written('A back end refused a put"') + told('A back end refused a put'), puts);
    assert.equal(written('refused a connection from') + told('refused a connection'), strangers);
  });
}
