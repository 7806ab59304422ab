/** That what clients miss or hear twice while their servers are replaced is found out, and that they come back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Deploy } from '../lib/deploy.mjs';
import { FailoverPosts } from '../lib/failover-posts.mjs';
import { encodeRequest } from '../lib/http-client.mjs';
import { Balancer } from '../lib/loyal-client.mjs';
import { newsEvent } from '../lib/messages.mjs';

const host = '127.0.0.1';

/** An HTTP server that does what the test says; `heard` has the bodies. */
class FakeServer {
  heard = [];
  status = 200;
  dropsNext = false;
  take = () => {};
  #server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    this.heard.push(body);
    if (this.dropsNext) {
      this.dropsNext = false;
      request.socket.destroy();
      return;
    }
    if (this.status === 200) this.take(request.url, body);
    response.writeHead(this.status, { 'content-length': 0 }).end();
  });

  async start() {
    this.#server.listen(0, host);
    await once(this.#server, 'listening');
    this.target = { host, port: this.#server.address().port };
  }

  stop() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

let servers;

beforeEach(async () => {
  servers = [new FakeServer(), new FakeServer()];
  for (const server of servers) await server.start();
});
afterEach(() => Promise.all(servers.map((server) => server.stop())));

describe('posts', () => {
  const posts = () => {
    const targets = servers.map(({ target }) => target);
    return new FailoverPosts(new Balancer(targets), (number) => encodeRequest(targets[0], 'POST', '/', `${number}`));
  };
  const heard = () => servers.map((server) => server.heard);
  const until = async (condition) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
  };

  test('what a server refuses goes to the other one', async () => {
    servers[0].status = 503;
    const sender = posts();
    sender.sendUpTo(2);
    await until(() => sender.sent === 2);
    assert.deepEqual(heard(), [['1'], ['1', '2']]);
    assert.equal(sender.unanswered.size, 0);
    await sender.close();
  });

  test('what a server does not answer is not sent again, and not counted', async () => {
    servers[0].dropsNext = true;
    const sender = posts();
    sender.sendUpTo(2);
    await until(() => sender.sent === 2);
    assert.deepEqual(heard(), [['1'], ['2']]);
    assert.deepEqual([...sender.unanswered], [1]);
    await sender.close();
  });

  test('a server that is not there is passed over', async () => {
    await servers[0].stop();
    const sender = posts();
    sender.sendUpTo(1);
    await until(() => sender.sent === 1);
    assert.deepEqual(servers[1].heard, ['1']);
    assert.equal(sender.unanswered.size, 0);
    await sender.close();
  });
});

describe('figures', () => {
  class FakeClient {
    isReady = true;

    constructor(sid) {
      this.sid = sid;
    }

    leave() {}
  }

  /** (client, publisher, number) → how often it is told. */
  async function figuresOf(times) {
    const clients = ['a', 'b'].map((sid) => new FakeClient(sid));
    const [{ target }] = servers;
    servers[0].take = (url, body) => {
      const [{ p, n }] = JSON.parse(body).args;
      for (const client of clients) {
        if (url !== '/room' && url !== `/${client.sid}`) continue;
        for (let i = times(client, Number(p), Number(n)); i > 0; i -= 1) client.onNews(Number(p), Number(n));
      }
    };
    const publish = (to, event = newsEvent) => ({ path: `/${to}`, body: JSON.stringify(event) });
    const load = new Deploy(clients, {
      api: new Balancer([target]),
      host: target,
      publishing: { publish, one: publish },
      room: 'room',
      perSecond: 100,
      singlesPerSecond: 0,
    });
    load.start();
    while (servers[0].heard.length < 5) await new Promise((resolve) => setTimeout(resolve, 2));
    clients[0].onLost();
    clients[0].onConnected(false);
    clients[0].onReady();
    const backMs = await load.calm(performance.now() - 1);
    await load.end(20);
    return { backMs, ...load.figures, published: servers[0].heard.length };
  }

  test('all is there', async () => {
    const { published, expected, lost, doubled, late, unrecovered, returns, backMs } = await figuresOf(() => 1);
    assert.deepEqual([expected, lost, doubled, late, unrecovered, returns], [2 * published, 0, 0, 0, 1, 1]);
    assert.ok(backMs >= 0);
  });

  test('what one client misses is lost, and what it is told twice doubled', async () => {
    const times = ({ sid }, _, number) => (sid === 'a' ? ([1, 1, 0, 2][number] ?? 1) : 1);
    const { lost, doubled, late } = await figuresOf(times);
    assert.deepEqual([lost, doubled, late], [1, 1, 0]);
  });
});
