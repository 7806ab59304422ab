/** That what clients miss, hear twice or hear out of order while their connections are cut is found out, and how they come back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { Jitter } from '../lib/jitter.mjs';
import { newsEvent } from '../lib/messages.mjs';
import { Receipts } from '../lib/receipts.mjs';
import { RecoveringClient } from '../lib/recovering-client.mjs';

describe('receipts', () => {
  for (const [what, numbers, expected] of [
    ['what comes in order is exact', [1, 2, 3], { exact: 3, doubled: 0, different: 3 }],
    ['a gap is not made up for by what follows', [1, 3], { exact: 2, doubled: 0, different: 2 }],
    ['what comes late is not exact', [1, 3, 2], { exact: 2, doubled: 0, different: 3 }],
    ['what comes twice is not exact', [1, 2, 1, 2], { exact: 0, doubled: 2, different: 2 }],
    ['what comes three times is doubled once', [1, 1, 1], { exact: 0, doubled: 1, different: 1 }],
    ['what is late and comes twice is subtracted once', [2, 1, 1], { exact: 1, doubled: 1, different: 2 }],
  ]) {
    test(what, () => {
      const receipts = new Receipts();
      for (const number of numbers) receipts.take(number);
      const { exact, doubled, different } = receipts;
      assert.deepEqual({ exact, doubled, different }, expected);
    });
  }
});

/** One that is recovered whenever it comes back, as long as `isKnown`. */
class FakeClient {
  isReady = true;
  isKnown = true;
  missed = [];

  constructor(sid) {
    this.sid = sid;
  }

  hear(publisher, number) {
    if (this.isReady) this.onNews(publisher, number);
    else this.missed.push([publisher, number]);
  }

  cut() {
    this.isReady = false;
  }

  connect() {
    this.onConnecting();
    this.isReady = true;
    this.onConnected(this.isKnown);
    for (const each of this.missed.splice(0)) if (this.isKnown) this.onNews(...each);
  }
}

describe('jitter', () => {
  let clients;
  let server;
  /** (client, publisher, number) → how often the client is told. */
  let times;

  beforeEach(async () => {
    clients = [new FakeClient('a'), new FakeClient('b')];
    times = () => 1;
    server = createServer((request, response) => {
      request.setEncoding('utf8');
      let body = '';
      request.on('data', (text) => {
        body += text;
      });
      request.on('end', () => {
        const [{ p, n }] = JSON.parse(body).args;
        const to = clients.filter(({ sid }) => request.url === '/room' || request.url === `/${sid}`);
        for (const client of to)
          for (let i = times(client, Number(p), Number(n)); i > 0; i -= 1) client.hear(Number(p), Number(n));
        response.writeHead(200, { 'content-length': 0 }).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(() => server.close());

  /** Until every client has come back twice. */
  async function run() {
    const path = (to, event) => ({ path: `/${to}`, body: JSON.stringify(event) });
    const load = new Jitter(clients, {
      api: { host: '127.0.0.1', port: server.address().port },
      publishing: { publish: path, one: path },
      room: 'room',
      perSecond: 200,
      singlesPerSecond: 200,
      everyMs: 60,
      awayMs: 20,
      silently: false,
      quietMs: 100,
      fail: (error) => {
        throw error;
      },
    });
    const back = clients.map(
      (client) =>
        new Promise((resolve) => {
          const { onConnected } = client;
          let count = 0;
          client.onConnected = (recovered) => {
            onConnected(recovered);
            count += 1;
            if (count === 2) resolve();
          };
        }),
    );
    load.start();
    await Promise.all(back);
    await load.end();
    return load.figures;
  }

  test('all is well with a server that loses nothing, and every return is timed', async () => {
    const { delivered, doubled, unrecovered, replaysMs } = await run();
    assert.deepEqual({ delivered, doubled, unrecovered }, { delivered: 1, doubled: 0, unrecovered: 0 });
    assert.ok(replaysMs.length >= 4);
  });

  test('a message that is lost is missing', async () => {
    times = ({ sid }, publisher, number) => (sid === 'b' && publisher === 0 && number === 2 ? 0 : 1);
    const { delivered, doubled } = await run();
    assert.ok(delivered < 1 && doubled === 0);
  });

  test('so is one to a single client', async () => {
    times = (_client, publisher, number) => (publisher === 1 && number === 2 ? 0 : 1);
    assert.ok((await run()).delivered < 1);
  });

  test('a message that comes twice is no exact delivery', async () => {
    times = (_client, publisher, number) => (publisher === 0 && number === 1 ? 2 : 1);
    const { delivered, doubled } = await run();
    assert.ok(delivered < 1 && doubled > 0);
  });

  test('who comes back as a stranger is counted, and has no replay', async () => {
    for (const client of clients) client.isKnown = false;
    const { delivered, unrecovered, replaysMs } = await run();
    assert.ok(delivered < 1);
    assert.deepEqual([unrecovered, replaysMs], [1, []]);
  });
});

describe('a client that comes back', () => {
  const news = (number, position) => {
    const [{ text }] = newsEvent.args;
    return `42${JSON.stringify(['news', { p: '00', n: `${number}`.padStart(7, '0'), text }, ...position])}`;
  };
  let server;
  let client;
  let heard;
  /** What its connections have said in answer to the opening packet. */
  let connects;
  /** What each connection is told then. */
  let answers;

  beforeEach(async () => {
    heard = [];
    connects = [];
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => {
      socket.send('0{"sid":"engine"}');
      socket.on('message', (bytes) => {
        const text = bytes.toString();
        if (text.startsWith('40')) {
          connects.push(text);
          for (const each of answers.shift()) socket.send(each);
        } else {
          socket.send(`${text.slice(0, -1)},"joined"]`);
        }
      });
    });
    await once(server, 'listening');
    client = new RecoveringClient({ host: '127.0.0.1', port: server.address().port, protocol: 'socketio' }, 'room');
    client.onNews = (_publisher, number) => heard.push(number);
  });

  afterEach(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });

  const connect = () =>
    new Promise((resolve, reject) => {
      client.onFault = reject;
      client.onReady = resolve;
      client.connect();
    });
  const until = (count) =>
    new Promise((resolve) => {
      client.onNews = (_publisher, number) => {
        heard.push(number);
        if (heard.length === count) resolve();
      };
    });

  test('shows its secret and the last position, and takes the missed events before the answer or behind it', async () => {
    answers = [
      ['40{"sid":"s1","pid":"secret"}', news(1, ['p1'])],
      [news(2, ['p2']), '40{"sid":"s1","pid":"secret"}', news(3, ['p3'])],
    ];
    const first = until(1);
    await connect();
    await first;
    client.cut(false);
    const all = until(3);
    await connect();
    await all;
    assert.deepEqual(heard, [1, 2, 3]);
    assert.deepEqual(connects, ['40', '40{"pid":"secret","offset":"joined"}']);
  });

  test('joins its room again when it is not recovered', async () => {
    const connected = [];
    answers = [['40{"sid":"s1","pid":"secret"}'], ['40{"sid":"s2","pid":"other"}']];
    client.onConnected = (recovered) => connected.push(recovered);
    await connect();
    client.cut(true);
    assert.equal(client.isReady, false);
    await connect();
    assert.deepEqual([client.isReady, client.sid, connected], [true, 's2', [false, false]]);
  });

  test('sees an event without a position', async () => {
    answers = [['40{"sid":"s1","pid":"secret"}', news(1, [])]];
    await assert.rejects(
      () =>
        new Promise((_, reject) => {
          client.onFault = reject;
          client.connect();
        }),
      /an event without a position: 42/,
    );
  });
});
