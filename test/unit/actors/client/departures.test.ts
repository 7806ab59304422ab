import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Departures } from '../../../../src/actors/client/departures.ts';
import { HiveError } from '../../../../src/observe/errors.ts';
import { type Clients, type ClientsOptions, startClients } from '../../../support/clients.ts';
import { eventually } from '../../../support/eventually.ts';

let clients: Clients;

async function start(options: ClientsOptions): Promise<Clients> {
  clients = await startClients(options);
  return clients;
}

afterEach(() => clients.close());

const post = (endpoint: string) => ({ hook: 'hp.post', args: { connector: 'backend', endpoint } });
const put = (endpoint: string) => ({ hook: 'hp.put', args: { connector: 'backend', endpoint } });
const refused = () => Promise.reject(new HiveError('http_error', 'connection refused'));
const asked = () => clients.services.asked.map(({ request }) => request.endpoint);
const counts = () =>
  ['waiting', 'told', 'given_up'].map((name) => clients.metric(`clients.departures.${name}`)).join(' ');
const settled = (expected: string) => eventually(() => counts() === expected, `${expected}, not ${counts()}`);

/** Answers from a list; from then on with 200. */
function answers(...list: (number | 'refused')[]): () => unknown {
  return () => {
    const next = list.shift() ?? 200;
    return next === 'refused' ? refused() : { status: next, body: '' };
  };
}

/** Of a back end that is away until `isBack` is set. */
function away(): { isBack: boolean; answer: () => unknown } {
  const backEnd = { isBack: false, answer: () => (backEnd.isBack ? { status: 200, body: '' } : refused()) };
  return backEnd;
}

test('what gets no answer is repeated under the same key, number and reason until there is one', async () => {
  const backEnd = away();
  await start({ clients: { hooks: { on_disconnect: [post('/gone')] } }, answer: backEnd.answer });
  const { session } = await clients.connect();
  session.close('ping_timeout');
  await eventually(() => clients.metric('clients.departures.repeated') > 0, 'a repeat');
  assert.equal(counts(), '1 0 0');
  assert.equal(clients.metric('clients.total'), 0);
  assert.equal(clients.metric('clients.state_mgr.cleanup'), 0);
  backEnd.isBack = true;
  await settled('0 1 0');
  assert.equal(clients.metric('clients.state_mgr.cleanup'), 1);
  const requests = clients.services.asked.map(({ request: { body, idempotencyKey } }) => `${idempotencyKey} ${body}`);
  assert.equal(requests.length, 1 + clients.metric('clients.departures.repeated'));
  assert.equal(new Set(requests).size, 1);
  assert.match(requests[0]!, new RegExp(`^${session.sid}/end .*"trigger":"ping_timeout".*"event":1`));
});

test('an answer of 4xx or 3xx, or one that is no actions, is an answer; so is one whose actions fail', async () => {
  const body = (text: string) => ({ status: 200, body: text });
  const list = [
    { status: 404, body: '' },
    { status: 302, body: '' },
    body('no actions'),
    body('{"action":"nothing","args":1}'),
    body('{"action":"error","args":"no"}'),
    body('{"action":"dispatch","args":{"name":"more","args":[]}}'),
  ];
  for (const hook of [post, put]) {
    for (const answer of list) {
      await start({
        clients: { hooks: { on_disconnect: [hook('/gone')], more: [post('/more')] } },
        answer: ({ request }) => (request.endpoint === '/more' ? refused() : answer),
      });
      const { session } = await clients.connect();
      session.close('client_disconnect');
      await settled('0 1 0');
      assert.equal(asked()[0], '/gone');
      clients.close();
    }
  }
});

test('the hooks before the one that failed are not run again, those behind it wait', async () => {
  for (const hook of [post, put]) {
    await start({
      clients: { hooks: { on_disconnect: [hook('/first'), hook('/second'), hook('/third')] } },
      answer: answers(200, 'refused', 500, 200),
    });
    const { session } = await clients.connect();
    session.close('client_disconnect');
    await settled('0 1 0');
    assert.deepEqual(asked(), ['/first', '/second', '/second', '/second', '/third']);
    clients.close();
  }
});

test('actions of a late answer change the state that the hooks behind it send', async () => {
  const store = '[{"action":"store","args":{"nick":"ann"}}]';
  let first = true;
  await start({
    clients: { hooks: { on_disconnect: [post('/first'), post('/second')] } },
    answer: () => {
      if (!first) return { status: 200, body: store };
      first = false;
      return refused();
    },
  });
  const { session } = await clients.connect();
  session.close('client_disconnect');
  await settled('0 1 0');
  assert.match(clients.services.asked.at(-1)?.request.body ?? '', /"nick":"ann"/);
});

test('without repeats hooks fail as they do elsewhere: a put does not keep the next one from being sent', async () => {
  await start({
    clients: { departure_retry: 0, hooks: { on_disconnect: [put('/first'), put('/second')] } },
    answer: refused,
  });
  const { session } = await clients.connect();
  session.close('client_disconnect');
  await settled('0 0 1');
  assert.deepEqual(asked(), ['/first', '/second']);
  assert.equal(clients.metric('clients.state_mgr.cleanup'), 1);
});

test('given up at the attempt that begins after the time, at which a put does not hold up the next one', async () => {
  await start({
    clients: { departure_retry: 400, hooks: { on_disconnect: [put('/first'), put('/second')] } },
    answer: refused,
  });
  const { session } = await clients.connect();
  session.close('client_disconnect');
  await settled('0 0 1');
  assert.deepEqual(asked(), ['/first', '/first', '/second']);
});

test('a client that has gone takes no slot, neither while it is told for the first time nor while that waits', async () => {
  let answer = (_: unknown): void => {};
  const hung = new Promise((resolve) => {
    answer = resolve;
  });
  await start({
    hive: { max_client_slots: 1 },
    clients: { hooks: { on_disconnect: [post('/gone')] } },
    answer: () => hung,
  });
  const { session } = await clients.connect();
  assert.equal(clients.router.refusal()?.code, 'no_slots');
  session.close('client_disconnect');
  await eventually(() => asked().length === 1, 'the first attempt');
  assert.equal(clients.router.refusal(), undefined);
  const second = await clients.connect();
  assert.equal(clients.router.refusal()?.code, 'no_slots');
  answer({ status: 500, body: '' });
  await settled('1 0 0');
  assert.equal(clients.router.refusal()?.code, 'no_slots');
  second.session.close('client_disconnect');
  await settled('2 0 0');
  assert.equal(clients.router.refusal(), undefined);
});

test('whatever ends the one that repeats, its successor goes on', async () => {
  const backEnd = away();
  await start({ clients: { hooks: { on_disconnect: [post('/gone')] } }, answer: backEnd.answer });
  for (let client = 0; client < 5; client += 1) {
    const { session } = await clients.connect();
    session.close('client_disconnect');
  }
  await settled('5 0 0');
  const { kernel } = clients;
  const teller = kernel.whereis('hive_departures')!;
  kernel.exit(teller, teller, 'kill');
  await eventually(() => !kernel.whereis('hive_departures'), 'its end');
  assert.equal(counts(), '5 0 0');
  const before = asked().length;
  backEnd.isBack = true;
  await kernel.run(new Departures(clients.departures), { name: 'hive_departures' });
  await settled('0 5 0');
  assert.equal(asked().length, before + 5);
});

test('a node that stops waits for answers until its time is over, and counts what is lost', async () => {
  for (const [graceMs, lost] of [
    [10_000, 0],
    [100, 1],
  ] as const) {
    const backEnd = away();
    await start({
      hive: { graceful_termination_timeout: graceMs },
      clients: { hooks: { on_disconnect: [post('/gone')] } },
      answer: backEnd.answer,
    });
    const { session } = await clients.connect();
    session.close('client_disconnect');
    await settled('1 0 0');
    const closed = clients.router.close('shutdown');
    assert.equal(clients.router.closing.departures, 1);
    backEnd.isBack = lost === 0;
    await closed;
    assert.equal(counts(), `0 ${1 - lost} ${lost}`);
    clients.close();
  }
});

test('a client that no back end can know of, because the connection was refused, owes no departure', async () => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  await start({
    clients: { hooks: { on_connect: [post('/come')], on_disconnect: [post('/gone')] } },
    answer: () => Promise.reject(new HiveError('http_error', 'refused', { cause })),
  });
  await assert.rejects(clients.connect(), { code: 'http_error' });
  await eventually(() => clients.metric('clients.total') === 0, 'its end');
  assert.deepEqual([asked(), counts()], [['/come'], '0 0 0']);
});
