/**
 * The cases of the official suites of Engine.IO 4 and 3, and of the part of that of Socket.IO 5 that is about Engine.IO, in our own words:
 * at the node that owns the sessions, with the fastest and the slowest of the socket libraries, and through a proxy that gives every
 * request to the other node. What those suites do within times is done in order here. official-suites.test.ts runs the originals.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { announced, type Carried, socketUrl, startPlaces, Target } from '../support/official-engine.ts';
import { RawSocket, request } from '../support/raw-client.ts';

type Case = (target: Target) => Promise<void>;

const terms = (body: string): Record<string, unknown> => JSON.parse(body.slice(body.indexOf('{'))) as never;

async function refused(url: string, init?: RequestInit): Promise<void> {
  assert.equal((await request(url, init)).status, 400);
}

async function closed(url: string): Promise<void> {
  assert.equal(await new RawSocket(url).closed(), 1006);
}

/** Of all suites. */
const everywhere: Record<string, Case> = {
  async 'handshake, polling: opens a session and tells the terms'(target) {
    const { status, body } = await request(target.at(`EIO=${target.version}&transport=polling`));
    const { sid, ...rest } = terms(body);
    assert.equal(status, 200);
    assert.equal(body, target.payload(body.slice(body.indexOf('0{'))));
    assert.equal(typeof sid, 'string');
    assert.deepEqual(rest, { upgrades: ['websocket'], ...announced });
  },
  async 'handshake, polling: refuses other transports'(target) {
    await refused(target.at(`EIO=${target.version}`));
    await refused(target.at(`EIO=${target.version}&transport=abc`));
  },
  async 'handshake, polling: refuses other methods'(target) {
    const url = target.at(`EIO=${target.version}&transport=polling`);
    for (const method of ['POST', 'PUT']) await refused(url, { method });
  },
  async 'handshake, WebSocket: opens a session and tells the terms'(target) {
    const socket = new RawSocket(target.at(`EIO=${target.version}&transport=websocket`));
    const packet = await socket.next();
    assert.equal(packet.slice(0, 2), '0{');
    const { sid, ...rest } = terms(packet);
    assert.equal(typeof sid, 'string');
    assert.deepEqual(rest, { upgrades: [], ...announced });
    socket.close();
  },
  async 'handshake, WebSocket: refuses other versions'(target) {
    await closed(target.at('transport=websocket'));
    await closed(target.at('EIO=abc&transport=websocket'));
  },
  async 'handshake, WebSocket: refuses other transports'(target) {
    await closed(target.at(`EIO=${target.version}`));
    await closed(target.at(`EIO=${target.version}&transport=abc`));
  },
  async 'heartbeat, polling: pings and pongs'(target) {
    const url = await target.open('pinged');
    for (let n = 0; n < 3; n += 1) {
      if (target.version === 4) await target.polls(url, '2');
      assert.equal((await target.post(url, target.version === 4 ? '3' : '2')).status, 200);
      if (target.version === 3) await target.polls(url, '3');
    }
  },
  async 'heartbeat, polling: ends a session that says nothing'(target) {
    const url = await target.open('hasty');
    const answers: string[] = [];
    for (let answer = await request(url); answer.status === 200; answer = await request(url)) answers.push(answer.body);
    // What a poll is told that waits for the ping, or for the end.
    const told = (target.version === 4 ? ['2', '1'] : ['1']).map((packet) => target.payload(packet));
    assert.ok(
      answers.every((answer) => told.includes(answer)),
      JSON.stringify(answers),
    );
    assert.equal((await target.post(url, target.version === 4 ? '3' : '2')).status, 400);
  },
  async 'heartbeat, WebSocket: pings and pongs'(target) {
    const socket = await target.socket('pinged');
    for (let n = 0; n < 3; n += 1) {
      if (target.version === 3) socket.send('2');
      assert.equal(await socket.next(), target.version === 4 ? '2' : '3');
      if (target.version === 4) socket.send('3');
    }
    socket.close();
  },
  async 'heartbeat, WebSocket: ends a session that says nothing'(target) {
    const socket = await target.socket('hasty');
    await socket.closed();
  },
  async 'close, polling: ends the session and the poll'(target) {
    const url = await target.open();
    const [poll, post] = await Promise.all([request(url), target.post(url, '1')]);
    assert.deepEqual([poll.status, poll.body, post.status], [200, target.payload('6'), 200]);
    await refused(url);
  },
  async 'close, WebSocket: ends the session'(target) {
    const socket = await target.socket();
    socket.send('1');
    await socket.closed();
  },
  async 'upgrade: moves a session from polling to a WebSocket'(target) {
    const { url, socket } = await target.probed();
    await target.polls(url, '6');
    socket.send('5');
    await target.lives(socket);
    socket.close();
  },
  async 'upgrade: polls are refused afterwards'(target) {
    const { url, socket } = await target.probed();
    socket.send('5');
    await target.lives(socket);
    await refused(url);
    await target.lives(socket, true);
    socket.close();
  },
  async 'upgrade: another WebSocket is closed afterwards'(target) {
    const { url, socket } = await target.probed();
    socket.send('5');
    await target.lives(socket);
    await new RawSocket(socketUrl(url)).closed();
    await target.lives(socket, true);
    socket.close();
  },
};

/** Of those where messages are echoed. */
const echoed: Record<string, Case> = {
  async 'message, polling: one text'(target) {
    const url = await target.open();
    assert.equal((await target.post(url, '4hello')).body, 'ok');
    await target.polls(url, '4hello');
  },
  async 'message, polling: several texts'(target) {
    const url = await target.open();
    assert.equal((await target.post(url, '4test1', '4test2', '4test3')).body, 'ok');
    await target.polls(url, '4test1', '4test2', '4test3');
  },
  async 'message, polling: text and bytes in base64'(target) {
    const url = await target.open();
    const bytes = target.version === 4 ? 'bAQIDBA==' : 'b4AQIDBA==';
    assert.equal((await target.post(url, '4hello', bytes)).body, 'ok');
    await target.polls(url, '4hello', bytes);
  },
  async 'message, polling: what is no packet ends the session'(target) {
    const url = await target.open();
    await refused(url, { method: 'POST', body: 'abc' });
    await refused(url);
  },
  async 'message, polling: two polls at a time end the session'(target) {
    const url = await target.open();
    const answers = await Promise.all([request(url), request(url)]);
    const told = answers.find(({ status }) => status === 200);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400]);
    assert.equal(told?.body, target.payload('1'));
    await refused(url);
  },
  async 'message, WebSocket: text'(target) {
    const socket = await target.socket();
    await target.lives(socket);
    socket.close();
  },
  async 'message, WebSocket: bytes'(target) {
    const socket = await target.socket();
    const bytes = target.version === 4 ? [1, 2, 3, 4] : [4, 1, 2, 3, 4];
    socket.send(Uint8Array.from(bytes));
    assert.equal(await socket.next(), `0x${Buffer.from(bytes).toString('hex')}`);
    socket.close();
  },
  async 'message, WebSocket: what is no packet ends the session'(target) {
    const socket = await target.socket();
    socket.send('abc');
    await socket.closed();
  },
};

const only3: Record<string, Case> = {
  async 'message, polling: text and bytes in bytes'(target) {
    const url = await target.open('quiet', true);
    assert.equal((await target.post(url, '4hello', 'b4AQIDBA==')).body, 'ok');
    const response = await fetch(url);
    const text = [0, 6, 255, ...Buffer.from('4hello')];
    assert.deepEqual([...new Uint8Array(await response.arrayBuffer())], [...text, 1, 5, 255, 4, 1, 2, 3, 4]);
  },
};

const only4: Record<string, Case> = {
  async 'handshake, polling: refuses other versions'(target) {
    await refused(target.at('transport=polling'));
    await refused(target.at('EIO=abc&transport=polling'));
  },
};

async function runAll(t: TestContext, version: 3 | 4, carried: Carried, cases: Record<string, Case>): Promise<void> {
  for (const [place, urls] of await startPlaces(t, carried)) {
    const target = new Target(version, carried, urls);
    for (const [title, run] of Object.entries(cases)) await t.test(`${place}: ${title}`, () => run(target));
  }
}

test('Engine.IO 4', (t) => runAll(t, 4, 'echo', { ...only4, ...everywhere, ...echoed }));
test('Engine.IO 3', (t) => runAll(t, 3, 'echo', { ...only3, ...everywhere, ...echoed }));
test('Engine.IO under Socket.IO 5', (t) => runAll(t, 4, 'Socket.IO', { ...only4, ...everywhere }));
