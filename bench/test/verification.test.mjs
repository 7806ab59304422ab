/** That a measurement fails when a server loses, doubles, alters or reorders what it is given. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { payloadStart } from '../lib/frames.mjs';
import { newsEvent } from '../lib/messages.mjs';
import { News } from '../lib/news.mjs';
import { RoundTrips } from '../lib/round-trips.mjs';
import { Window } from '../lib/window.mjs';

/** A client whose server is the test. */
class FakeClient {
  sent = [];

  send(frame) {
    this.sent.push(frame.toString('latin1', payloadStart(frame)));
  }

  receive(text) {
    const bytes = Buffer.from(`..${text}..`);
    this.onEvent(bytes, 2, bytes.length - 2);
  }
}

describe('round trips', () => {
  let client;
  let failure;
  let load;

  beforeEach(() => {
    client = new FakeClient();
    failure = undefined;
    const fail = (error) => {
      failure ??= error;
    };
    load = new RoundTrips([client], 'echo', fail).start();
  });

  test('count answers, and send the next event for each', () => {
    client.receive(client.sent[0]);
    client.receive(client.sent[1]);
    assert.deepEqual([load.count(), load.pending(), client.sent.length], [2, 1, 3]);
    assert.notEqual(client.sent[0], client.sent[1]);
    assert.equal(failure, undefined);
  });

  test('fail when an answer comes twice', () => {
    client.receive(client.sent[0]);
    client.receive(client.sent[0]);
    assert.match(failure.message, /wrong answer to event 2/);
  });

  test('fail when an answer comes twice after the end', () => {
    load.stop();
    client.receive(client.sent[0]);
    client.receive(client.sent[0]);
    assert.match(failure.message, /wrong answer/);
  });

  test('fail when an answer is altered in a single byte', () => {
    client.receive(client.sent[0].replace('x', 'y'));
    assert.match(failure.message, /wrong answer to event 1/);
  });
});

describe('news', () => {
  const clients = [new FakeClient(), new FakeClient()];
  let failure;
  let load;
  let server;

  /** The text that arrives for a publisher's message. */
  const text = (publisher, number) => {
    const args = [{ ...newsEvent.args[0], p: `${publisher}`.padStart(2, '0'), n: `${number}`.padStart(7, '0') }];
    return `42${JSON.stringify(['news', ...args])}`;
  };

  beforeEach(async () => {
    failure = undefined;
    server = createServer(() => {}); // never answers, so nothing is published but the first messages
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const options = {
      api: { host: '127.0.0.1', port: server.address().port },
      publishing: (_room, event) => ({ path: '/', body: JSON.stringify(event) }),
      room: 'r',
      publishers: 2,
      fail: (error) => {
        failure ??= error;
      },
    };
    load = new News(clients, options).start();
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  test('count deliveries of all publishers, in any order between them', () => {
    clients[0].receive(text(1, 1));
    clients[0].receive(text(0, 1));
    clients[1].receive(text(0, 1));
    assert.equal(load.count(), 3);
    assert.equal(failure, undefined);
  });

  for (const [what, arrivals] of [
    ['comes twice', [text(0, 1), text(0, 1)]],
    ['is skipped', [text(0, 2)]],
    ['is of a publisher that there is not', [text(7, 1)]],
    ['is longer than it was', [`${text(0, 1)} `]],
    ['is not the news', [text(0, 1).replaceAll('0', 'o')]],
  ]) {
    test(`fail when a message ${what}`, () => {
      for (const arrival of arrivals) clients[0].receive(arrival);
      assert.match(failure.message, /^after number/);
    });
  }
});

describe('a window', () => {
  const options = { seconds: 0.01, warmup: 0.01, pids: [process.pid], lossMs: 50 };
  const load = { count: () => performance.now(), stop: () => {}, pending: () => 0 };

  test('gives operations per second of processor time', async () => {
    const window = new Window(options);
    const { perCpuSecond, serverShare } = await window.measure(load);
    window.stop();
    assert.ok(perCpuSecond > 0 && serverShare > 0);
  });

  test('fails when something never arrives', async () => {
    const window = new Window(options);
    let counted = 0;
    const count = () => {
      counted = Math.min(counted + 1, 3);
      return counted;
    };
    await assert.rejects(window.measure({ ...load, count, pending: () => 2 }), /2 operations never completed/);
    window.stop();
  });

  test('fails when it is told to, whatever it waits for', async () => {
    const window = new Window({ ...options, seconds: 1000 });
    const measuring = window.measure(load);
    window.fail(new Error('out of order'));
    await assert.rejects(measuring, /out of order/);
  });
});
