/** Engine.IO v4 below the client library: what the protocol demands, and what clients do wrong. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HiveError } from '../../src/observe/errors.ts';
import { eventPacket } from '../../src/protocol/packet.ts';
import { startTestServer, type TestServer } from '../support/client-server.ts';
import { eventually } from '../support/eventually.ts';
import { RawSocket, rawUpgrade, request, textFrame } from '../support/raw-client.ts';

let server: TestServer;
let base: string;

before(async () => {
  server = await startTestServer({ socketio: { ping_interval: 300, ping_timeout: 600, connect_timeout: 800 } });
  base = `${server.url}/socket.io/?EIO=4`;
});

after(async () => {
  await server.close();
  assert.deepEqual(server.crashes, []);
});

const handshake = async (): Promise<string> => {
  const { status, body } = await request(`${base}&transport=polling`);
  assert.equal(status, 200);
  assert.equal(body[0], '0');
  return `${base}&transport=polling&sid=${JSON.parse(body.slice(1)).sid}`;
};

/** A polling client whose namespace is connected. */
const connected = async (auth = '') => {
  const url = await handshake();
  await request(url, { method: 'POST', body: `40${auth}` });
  assert.match((await request(url)).body, /^40\{"sid":/);
  return { url, session: server.host.sessions.at(-1)! };
};

const socket = async () => {
  const raw = new RawSocket(`${base}&transport=websocket`);
  assert.match(await raw.next(), /^0\{/);
  raw.send('40');
  assert.match(await raw.next(), /^40\{"sid":/);
  return { raw, session: server.host.sessions.at(-1)! };
};

test('the open packet tells the terms', async () => {
  const { body } = await request(`${base}&transport=polling`);
  const { sid, ...terms } = JSON.parse(body.slice(1));
  assert.match(sid, /^[0-9a-f]{32}$/);
  assert.deepEqual(terms, { upgrades: ['websocket'], pingInterval: 300, pingTimeout: 600, maxPayload: 100_000 });
  const raw = new RawSocket(`${base}&transport=websocket`);
  assert.deepEqual(JSON.parse((await raw.next()).slice(1)).upgrades, []);
  raw.close();
});

test('mistakes in a request get the codes of Engine.IO', async () => {
  const codes: [string, RequestInit, number][] = [
    [`${server.url}/socket.io/?transport=polling`, {}, 5],
    [`${server.url}/socket.io/?EIO=2&transport=polling`, {}, 5],
    [base, {}, 0],
    [`${base}&transport=pigeon`, {}, 0],
    [`${base}&transport=websocket`, {}, 3],
    [`${base}&transport=polling&sid=nobody`, {}, 1],
    [`${base}&transport=polling&sid=nobody`, { method: 'POST', body: '40' }, 1],
    [`${base}&transport=polling`, { method: 'POST', body: '40' }, 2],
    [await handshake(), { method: 'DELETE' }, 2],
  ];
  for (const [url, init, code] of codes) {
    const { status, body } = await request(url, init);
    assert.deepEqual([status, JSON.parse(body).code], [400, code], `${init.method ?? 'GET'} ${url}`);
  }
});

test('other URLs are not found', async () => {
  for (const path of [
    '/',
    '/socket.io',
    '/socket.iox/',
    '/socket.io/x',
    '/socket.io/static/flashsocket/WebSocketMain.swf',
  ]) {
    const { status } = await request(server.url + path);
    assert.equal(status, path === '/socket.io' ? 400 : 404, path);
  }
});

test('several packets of one post are handled in order, answers come in one payload', async () => {
  const { url, session } = await connected();
  const { status, body } = await request(url, { method: 'POST', body: '42["echo",1]\x1e42["echo",2]\x1e421["x"]' });
  assert.deepEqual([status, body], [200, 'ok']);
  assert.equal((await request(url)).body, '42["echo",1]\x1e42["echo",2]\x1e431[]');
  assert.equal(session.received.length, 3);
});

test('a waiting poll is answered as soon as there is something', async () => {
  const { url, session } = await connected();
  const poll = request(url);
  await eventually(() => server.metrics.counter('clients.transports.http.requests').value > 0, 'the poll');
  session.sink.join('room');
  server.topics.publish('room', eventPacket('news', ['a']));
  server.topics.publish('room', eventPacket('news', ['b']));
  assert.equal((await poll).body, '42["news","a"]\x1e42["news","b"]');
});

// All others had their packets cut into sixteens, too, and needed a poll for each.
test('a payload holds all that waits, but for clients in Python no more than they take', async () => {
  // One that sends no pings between the events.
  const quiet = await startTestServer();
  const polling = `${quiet.url}/socket.io/?EIO=4&transport=polling`;
  const most = async (agent: string, query = '') => {
    const headers = { 'user-agent': agent };
    const { body } = await request(`${polling}${query}`, { headers });
    const url = `${polling}&sid=${JSON.parse(body.slice(1)).sid}`;
    await request(url, { method: 'POST', body: '40' });
    await request(url);
    await request(url, { method: 'POST', body: Array(20).fill('42["echo"]').join('\x1e') });
    const polled = [(await request(url)).body.split('\x1e').length];
    if (polled[0]! < 20) polled.push((await request(url)).body.split('\x1e').length);
    return polled;
  };
  assert.deepEqual(await most('Mozilla/5.0 (X11; Linux x86_64)', '&t=PnQ1abc.0'), [20]);
  assert.deepEqual(await most('python-requests/2.31.0'), [16, 4]);
  assert.deepEqual(await most('Python/3.12 aiohttp/3.9.1'), [16, 4]);
  assert.deepEqual(await most('shop', '&t=1700000000.5'), [16, 4]);
  assert.deepEqual(await most(''), [16, 4]);
  await quiet.close();
});

test('JSONP polling is refused by its name', async () => {
  for (const EIO of [3, 4]) {
    for (const method of ['GET', 'POST']) {
      const url = `${server.url}/socket.io/?EIO=${EIO}&transport=polling&j=0`;
      const { status, body } = await request(url, { method, ...(method === 'POST' ? { body: 'd=1:2' } : {}) });
      assert.equal(status, 400);
      assert.match(JSON.parse(body).message, /JSONP polling is not served/);
    }
  }
});

test('a poll that waits when the server stops ends with an error, and the client comes back', async () => {
  const stopping = await startTestServer();
  const url = `${stopping.url}/socket.io/?EIO=4&transport=polling`;
  const { sid } = JSON.parse((await request(url)).body.slice(1));
  const poll = request(`${url}&sid=${sid}`);
  await eventually(() => stopping.metrics.counter('clients.transports.http.requests').value === 2, 'the poll');
  await stopping.close();
  assert.equal((await poll).status, 503);
});

test('a second poll at a time ends the session', async () => {
  const { url, session } = await connected();
  const polls = await Promise.all([request(url), request(url)]);
  assert.deepEqual(polls.map(({ status }) => status).sort(), [200, 400]);
  assert.equal(polls.find(({ status }) => status === 200)?.body, '1');
  assert.deepEqual(session.closed, ['transport_error']);
  assert.equal((await request(url)).status, 400);
});

test('a cancelled poll ends the session', async () => {
  const { url, session } = await connected();
  const controller = new AbortController();
  const before = server.metrics.counter('clients.transports.http.requests').value;
  const poll = fetch(url, { signal: controller.signal });
  await eventually(() => server.metrics.counter('clients.transports.http.requests').value > before, 'the poll');
  controller.abort();
  await assert.rejects(poll);
  await eventually(() => session.closed.length > 0, 'the end of the session');
  assert.deepEqual(session.closed, ['transport_closed']);
});

// The poll was answered with a close packet of our own.
test('a close packet ends the session, and the waiting poll with a no-op', async () => {
  const { url, session } = await connected();
  const before = server.metrics.counter('clients.transports.http.requests').value;
  const poll = request(url);
  await eventually(() => server.metrics.counter('clients.transports.http.requests').value > before, 'the poll');
  assert.equal((await request(url, { method: 'POST', body: '1' })).body, 'ok');
  assert.equal((await poll).body, '6');
  assert.deepEqual(session.closed, ['client_disconnect']);
  assert.equal((await request(url)).status, 400);
});

// Over another node, or another connection, the close packet may overtake the poll. That was answered with 400.
test('a poll that comes after its client has posted the close packet gets a no-op, too, and no other', async () => {
  const { url, session } = await connected();
  session.sink.send(eventPacket('late', []));
  assert.equal((await request(url, { method: 'POST', body: '1' })).body, 'ok');
  assert.deepEqual(session.closed, ['client_disconnect']);
  assert.equal((await request(url)).body, '6');
  assert.equal((await request(url)).status, 400);
});

// It was left without an answer.
test('a poll that waits when the session times out is told so', async () => {
  const { url, session } = await connected();
  const answers: string[] = [];
  while (answers.at(-1) !== '1') {
    const { status, body } = await request(url);
    assert.equal(status, 200);
    answers.push(body);
  }
  assert.deepEqual(answers, ['2', '1']);
  assert.deepEqual(session.closed, ['ping_timeout']);
  assert.equal((await request(url)).status, 400);
});

// It was released as if its client waited for it before the upgrade.
test('a poll that crosses the upgrade is refused like one that comes after it', async () => {
  const quiet = await startTestServer();
  const url = `${quiet.url}/socket.io/?EIO=4`;
  const crossing = async () => {
    const { body } = await request(`${url}&transport=polling`);
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    const seen = quiet.metrics.counter('clients.transports.http.requests').value;
    const poll = request(`${url}&transport=polling&sid=${sid}`);
    await eventually(() => quiet.metrics.counter('clients.transports.http.requests').value > seen, 'the poll');
    const raw = await new RawSocket(`${url}&transport=websocket&sid=${sid}`).opened();
    raw.send('2probe');
    raw.send('5');
    assert.equal(await raw.next(), '3probe');
    const { status, body: answer } = await poll;
    raw.close();
    return status === 400 ? answer : undefined;
  };
  // A poll may be released before, if the client takes its time.
  assert.equal(JSON.parse(await eventually(crossing, 'a poll that crosses')).code, 3);
  await quiet.close();
  assert.deepEqual(quiet.crashes, []);
});

test('malformed packets end their session and no other', async () => {
  const bystander = await socket();
  const bad = [
    '',
    '9',
    'x',
    '4',
    '42',
    '42{}',
    '42["x"',
    '42[5]',
    '0',
    '5',
    '2',
    '43["x"]',
    '45-["x"]',
    '42/other,["x"]',
    '40',
  ];
  for (const body of bad) {
    if (bystander.raw.messages.shift() === '2') bystander.raw.send('3');
    const { url, session } = await connected();
    const answer = await request(url, { method: 'POST', body });
    assert.equal(answer.status, 400, body);
    assert.deepEqual(session.closed, ['bad_packet'], body);
    if (body === '') continue;
    const { raw, session: other } = await socket();
    raw.send(body);
    assert.equal(await raw.closed(), 1007, body);
    assert.deepEqual(other.closed, ['bad_packet'], body);
  }
  const { url, session } = await connected();
  assert.equal((await request(url, { method: 'POST', body: new Uint8Array([0x34, 0x32, 0xff]) })).status, 400);
  assert.deepEqual(session.closed, ['bad_packet']);
  bystander.raw.messages.length = 0;
  bystander.raw.send('3');
  bystander.raw.send('42["echo","alive"]');
  await eventually(() => bystander.raw.messages.includes('42["echo","alive"]'), 'the echo');
  assert.deepEqual(bystander.session.closed, []);
  bystander.raw.close();
});

test('what comes before the namespace is connected is refused', async () => {
  const url = await handshake();
  assert.equal((await request(url, { method: 'POST', body: '42["x"]' })).status, 400);
});

test('a client that connects when the doors have just closed is sent away, not refused', async () => {
  const raw = new RawSocket(`${base}&transport=websocket`);
  assert.match(await raw.next(), /^0\{/);
  const closed = new HiveError('router_error');
  server.host.refusing = closed;
  server.host.onOpen = () => {
    throw closed;
  };
  raw.send('40');
  assert.equal(await raw.closed(), 1001);
  assert.deepEqual(raw.messages, []);
  server.host.refusing = undefined;
  server.host.onOpen = () => {};
});

test('too much data is refused with the right code', async () => {
  const { url, session } = await connected();
  const answer = await request(url, { method: 'POST', body: `42["x","${'a'.repeat(100_000)}"]` });
  assert.deepEqual([answer.status, JSON.parse(answer.body).error], [413, 'payload_too_large']);
  assert.deepEqual(session.closed, ['payload_too_large']);
  const { raw, session: other } = await socket();
  raw.send(`42["x","${'a'.repeat(100_000)}"]`);
  assert.equal(await raw.closed(), 1009);
  assert.deepEqual(other.closed, ['payload_too_large']);
  const { raw: huge, session: third } = await socket();
  huge.send(`42["x","${'a'.repeat(1_000_000)}"]`);
  await huge.closed();
  assert.deepEqual(third.closed, ['payload_too_large']);
});

test('attachments follow their packet, in frames or as base64, and nothing else comes between', async () => {
  const { raw, session } = await socket();
  raw.send('451-["echo",{"_placeholder":true,"num":0}]');
  raw.send('3');
  raw.send(new Uint8Array([1, 2]));
  await eventually(() => session.received.length > 0, 'the event');
  assert.deepEqual(session.received[0]?.type === 'event' && session.received[0].args, [{ _binary: 'AQI=' }]);
  raw.send('451-["echo",{"_placeholder":true,"num":0}]');
  raw.send('42["echo"]');
  assert.equal(await raw.closed(), 1007);
  const { url, session: polling } = await connected();
  await request(url, { method: 'POST', body: '451-["echo",{"_placeholder":true,"num":0}]\x1ebAQI=' });
  assert.equal((await request(url)).body, '451-["echo",{"_placeholder":true,"num":0}]\x1ebAQI=');
  assert.equal((await request(url, { method: 'POST', body: 'bAQI=' })).status, 400);
  assert.deepEqual(polling.closed, ['unsupported_data']);
});

test('attachments count towards the size of their packet', async () => {
  const { raw, session } = await socket();
  raw.send('452-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
  for (let n = 0; n < 2; n += 1) raw.send(new Uint8Array(60_000));
  assert.equal(await raw.closed(), 1009);
  assert.deepEqual(session.closed, ['payload_too_large']);
});

test('binary frames that no packet has announced are refused', async () => {
  const { raw, session } = await socket();
  raw.send(new Uint8Array([4, 1, 2]));
  assert.equal(await raw.closed(), 1003);
  assert.deepEqual(session.closed, ['unsupported_data']);
});

test('a client that answers pings stays, one that does not goes', async () => {
  const { raw, session } = await socket();
  for (let pings = 0; pings < 3; pings += 1) {
    assert.equal(await raw.next(), '2');
    raw.send('3');
  }
  assert.equal(await raw.next(), '2');
  await raw.closed();
  assert.deepEqual(session.closed, ['ping_timeout']);
  const { url, session: polling } = await connected();
  assert.equal((await request(url)).body, '2');
  await eventually(() => polling.closed.length > 0, 'the time-out');
  assert.deepEqual(polling.closed, ['ping_timeout']);
  assert.equal((await request(url)).status, 400);
});

test('a connection without a namespace ends after connect_timeout', async () => {
  const raw = new RawSocket(`${base}&transport=websocket`);
  assert.equal(await raw.closed(), 1008);
});

test('an upgrade loses nothing: polled packets first, then those over the socket', async () => {
  const { url, session } = await connected();
  const raw = new RawSocket(url.replace('transport=polling', 'transport=websocket'));
  const poll = request(url);
  await eventually(() => {
    raw.messages.length === 0 && trySend(raw, '2probe');
    return raw.messages.includes('3probe');
  }, 'the probe');
  assert.equal((await poll).body, '6');
  raw.messages.length = 0;
  session.sink.join('room');
  session.sink.send(eventPacket('n', [1]));
  server.topics.publish('room', eventPacket('n', [2]));
  raw.send('5');
  await eventually(() => session.transports.includes('websocket'), 'the upgrade');
  session.sink.send(eventPacket('n', [3]));
  server.topics.publish('room', eventPacket('n', [4]));
  await eventually(() => raw.messages.length >= 4, 'the packets');
  assert.deepEqual(raw.messages.slice(0, 4), ['42["n",1]', '42["n",2]', '42["n",3]', '42["n",4]']);
  assert.equal((await request(url)).status, 400);
  raw.close();
});

// It was refused with 400, which clients take for an error of the server.
test('another WebSocket for a session that has one is opened and closed at once; the session lives on', async () => {
  const { url, session } = await connected();
  const address = url.replace('transport=polling', 'transport=websocket');
  const first = await new RawSocket(address).opened();
  // While the first one is probing, and after the upgrade.
  for (const step of ['2probe', '5']) {
    first.send(step);
    if (step === '5') await eventually(() => session.transports.includes('websocket'), 'the upgrade');
    const other = new RawSocket(address);
    assert.equal(await other.closed(), 1008);
    assert.deepEqual(other.messages, []);
  }
  first.send('42["echo"]');
  await eventually(() => first.messages.includes('42["echo"]'), 'the echo');
  assert.deepEqual(session.closed, []);
  first.close();
});

function trySend(raw: RawSocket, text: string): void {
  try {
    raw.send(text);
  } catch {
    // not open yet
  }
}

test('a wrong probe costs the socket, not the session', async () => {
  const { url, session } = await connected();
  const raw = new RawSocket(url.replace('transport=polling', 'transport=websocket'));
  await eventually(() => {
    trySend(raw, '42["x"]');
    return raw.code !== undefined;
  }, 'the end of the socket');
  assert.equal((await request(url, { method: 'POST', body: '42["echo"]' })).body, 'ok');
  assert.deepEqual(session.closed, []);
});

test('a client whose application crashes the server’s loses only its own connection', async () => {
  const { raw, session } = await socket();
  raw.send('42["crash"]');
  assert.equal(await raw.closed(), 1011);
  assert.deepEqual(session.closed, ['internal_error']);
  assert.equal(server.crashes.length, 1);
  server.crashes.length = 0;
});

test('a failure to open a client is told, details are not', async () => {
  server.host.onOpen = () => {
    throw new Error('redis://user:secret@host');
  };
  const raw = new RawSocket(`${base}&transport=websocket`);
  await raw.next();
  raw.send('40');
  assert.equal(
    await raw.next(),
    '44{"message":"Something went wrong.","data":{"error":"internal_error","description":"Something went wrong."}}',
  );
  server.host.onOpen = () => {
    throw new HiveError('redis_error', 'The state store is down.');
  };
  raw.send('40');
  assert.match(await raw.next(), /^44\{"message":"The state store is down."/);
  server.host.onOpen = () => {};
  raw.send('40');
  assert.match(await raw.next(), /^40\{/);
  raw.close();
  assert.equal(server.crashes.length, 1);
  server.crashes.length = 0;
});

test('a client that goes away while it is opened leaves no session behind', async () => {
  let release = () => {};
  server.host.onOpen = () =>
    new Promise<void>((resolve) => {
      release = resolve;
    });
  const count = server.host.sessions.length;
  const tcp = await rawUpgrade(server.port, '/socket.io/?EIO=4&transport=websocket');
  tcp.write(textFrame('40'));
  const hangUps = server.metrics.counter('clients.transports.websocket.hang_up');
  const { value } = hangUps;
  await eventually(() => server.metrics.counter('clients.transports.websocket.frames').value > 0, 'the frame');
  tcp.destroy();
  await eventually(() => hangUps.value > value, 'the end of the socket');
  server.host.onOpen = () => {};
  release();
  await eventually(() => server.host.sessions.length > count, 'the late session');
  await eventually(() => server.host.sessions.at(-1)!.closed.length === 1, 'its end');
  assert.deepEqual(server.host.sessions.at(-1)!.transports, []);
});

test('a client that could return to another server is a new one here, and its pid is shown to nobody', async () => {
  const pid = `${'s'.repeat(30)}.${'m'.repeat(22)}`;
  const { session } = await connected(JSON.stringify({ token: 't', pid, offset: 'kD3fG7-_1' }));
  assert.deepEqual(session.request.handshake.auth, { token: 't' });
  assert.equal(session.request.isRecoverable, false);
});
