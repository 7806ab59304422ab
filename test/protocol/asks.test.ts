/** Clients that are asked, and what becomes of their answers: real clients of every generation, a real node, a real back end. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { matrixClient, missingPython, type Way } from '../support/matrix-clients.ts';
import { type Asked, ask, type Failure, metric } from '../support/operator.ts';
import { RecoveryNode } from '../support/recovery-scene.ts';
import { ReturningClient } from '../support/returning-client.ts';

const clients: readonly (readonly [library: string, way: Way])[] = [
  ['4.8', 'websocket'],
  ['4.8', 'polling'],
  ['2.5', 'websocket'],
  ['1.7', 'polling'],
  ['0.9', 'websocket'],
  ['0.9', 'polling'],
  ['python', 'websocket'],
];
const bytes = { _binary: Buffer.from([0, 127, 128, 255]).toString('base64') };

describe('a client that is asked', () => {
  let scene: RecoveryNode;

  before(async () => {
    scene = await RecoveryNode.start((config) => {
      Object.assign(config.hive!, { allowed_origins: ['*', null] });
      const told = { hook: 'hp.post', args: { connector: 'web', endpoint: '/answered' } };
      Object.assign(config.clients!.hooks!, { answered: [told] });
    });
  });
  after(() => scene.stop());

  const question = (sid: string, name: string, args: unknown[], query = ''): Promise<Asked> =>
    ask(scene.node, 'api', 'POST', `/api/KEY/clients/ask/${sid}${query}`, { name, args });
  /** What hooks of `answered` told the back end of a session. */
  const answered = (sid: string): unknown[] =>
    scene.backEnd.asked
      .filter(({ path }) => path === '/answered')
      .map(({ body }) => JSON.parse(body))
      .filter((told) => told.sid === sid)
      .map(({ trigger, trigger_id }) => [trigger, trigger_id]);
  const counts = async () => {
    const of = async (name: string) => (await metric(scene.node, `clients.asks.${name}`)) ?? 0;
    return [await of('asked'), await of('answered'), await of('unanswered')];
  };
  const visit = async (t: { after(end: () => void): void }): Promise<ReturningClient> => {
    const client = new ReturningClient(scene.node.url);
    t.after(() => client.stop());
    await client.connected();
    return client;
  };

  for (const [library, way] of clients) {
    test(`answers with ${library} over ${way}`, { skip: library === 'python' && missingPython() }, async (t) => {
      const told = scene.backEnd.asked.length;
      const client = matrixClient(library, way, scene.node.url);
      t.after(() => client.disconnect());
      await client.connected(1);
      const connect = await eventually(
        () => scene.backEnd.asked.slice(told).find(({ path }) => path === '/on_connect'),
        'on_connect',
      );
      const { sid } = JSON.parse(connect.body) as { sid: string };
      const args = library === '0.9' ? ['grüße', { a: [1] }] : ['grüße', { a: [1] }, bytes];
      const given = await question(sid, 'ask', args);
      assert.deepEqual([given.status, given.json], [200, { args }]);
      const event = { name: 'ask', args, ack: 'answered' };
      await scene.call(`clients/action/${sid}`, { action: 'send', args: event, trigger_id: '7+' });
      await eventually(() => answered(sid).length === 1, 'the answer');
      assert.deepEqual(answered(sid), [[{ name: 'answered', args: [null, ...args] }, '']]);
    });
  }

  test('is named with an error when its time is over, to the caller and to hooks', async (t) => {
    const client = await visit(t);
    const [sid] = client.sids as [string];
    const [asked, ok, bad] = (await counts()) as [number, number, number];
    const { status, json } = await question(sid, 'silence', [], '?timeout=50');
    const description = 'The client did not answer within 50 ms.';
    assert.deepEqual([status, json], [504, { error: 'timeout', description }]);
    const event = { name: 'silence', args: [], ack: 'answered', timeout: 50 };
    await scene.call(`clients/action/${sid}`, { action: 'send', args: event });
    await eventually(() => answered(sid).length === 1, 'the end of the time');
    assert.deepEqual(answered(sid), [[{ name: 'answered', args: [{ error: 'timeout', description }] }, '']]);
    assert.deepEqual(await counts(), [asked + 2, ok, bad + 2]);
    // What comes late is nobody's.
    client.socket.on('late', (late: () => void) => setTimeout(late, 100));
    assert.equal((await question(sid, 'late', [], '?timeout=20')).status, 504);
    client.socket.on('soon', (soon: (answer: string) => void) => soon('now'));
    assert.deepEqual((await question(sid, 'soon', [])).json, { args: ['now'] });
  });

  test('can be asked by the back end that its hook waits for', async (t) => {
    const client = await visit(t);
    client.socket.on('really?', (answer: (yes: boolean) => void) => answer(true));
    const [sid] = client.sids as [string];
    let heard: unknown;
    scene.backEnd.answers.set('/ask', () => {
      void question(sid, 'really?', []).then(({ json }) => {
        heard = json;
      });
      return { body: [{ action: 'send', args: { name: 'done', args: [] } }], delayMs: 300 };
    });
    client.socket.emit('ask');
    await eventually(() => client.firsts('done').length === 1, 'the answer to the hook');
    assert.deepEqual(heard, { args: [true] });
    scene.backEnd.answers.delete('/ask');
  });

  test('has no connection: that is said at once, also to who waits already; what it had acknowledged counts', async (t) => {
    const visitor = await scene.visit();
    t.after(() => visitor.client.stop());
    const { sid } = visitor;
    const waiting = question(sid, 'silence', [], '?timeout=60000');
    await eventually(() => visitor.client.heard.some(([name]) => name === 'silence'), 'the question');
    await visitor.lose();
    const gone = { error: 'client_suspended', description: 'The client has lost its connection, and may come back.' };
    const first = await waiting;
    assert.deepEqual([first.status, first.json], [409, gone]);
    const second = await question(sid, 'silence', []);
    assert.deepEqual([second.status, second.json], [409, gone]);
    await visitor.comeBack();
    visitor.client.socket.on('again', (...args: unknown[]) => (args.pop() as (text: string) => void)('here'));
    // Nothing of it was kept for its return, and its position is that of events without an acknowledgement.
    await visitor.send(1);
    assert.deepEqual((await question(sid, 'again', ['x'])).json, { args: ['here'] });
    assert.equal(visitor.client.connects.at(-1), true);
    assert.deepEqual(await visitor.heard(1), [1]);
    assert.equal(visitor.client.heard.filter(([name]) => name === 'silence').length, 1);
    visitor.client.stop();
    await eventually(async () => (await question(sid, 'again', [])).status === 404, 'its end');
  });

  test('is asked by each of its channel on its own, and the answers come one after the other', async (t) => {
    const [one, other] = [await visit(t), await visit(t)];
    for (const [n, { socket, sids }] of [one, other].entries()) {
      socket.on('who', (...args: unknown[]) => (args.pop() as (n: number) => void)(n));
      await scene.call(`pubsub/subscribe/${sids[0]}`, ['room.asks']);
    }
    await scene.call('pubsub/action/room.asks', { action: 'send', args: { name: 'who', args: [], ack: 'answered' } });
    for (const [n, { sids }] of [one, other].entries()) {
      await eventually(() => answered(sids[0]!).length === 1, 'each answer');
      assert.deepEqual(answered(sids[0]!), [[{ name: 'answered', args: [null, n] }, '']]);
    }
  });

  test('is not asked what is no question', async (t) => {
    const client = await visit(t);
    const [sid] = client.sids as [string];
    const wrong = async (path: string, body: unknown): Promise<unknown[]> => {
      const { status, json } = await ask(scene.node, 'api', 'POST', `/api/KEY/${path}`, body);
      const { error, description } = json as Failure;
      return [status, error, description];
    };
    const event = { name: 'a', args: [] };
    const bound = 'timeout must be a whole number from 1 to 60000';
    assert.deepEqual(await wrong(`clients/ask/${sid}?timeout=0`, event), [400, 'bad_api_request', `${bound}, not 0.`]);
    assert.deepEqual(await wrong(`clients/ask/${sid}?timeout=x`, event), [400, 'bad_api_request', `${bound}, not x.`]);
    assert.deepEqual((await wrong(`clients/ask/${sid}`, [])).slice(0, 2), [400, 'bad_external_event']);
    const action = (args: object) => wrong(`clients/action/${sid}`, { action: 'send', args: { ...event, ...args } });
    assert.deepEqual(await action({ ack: 5 }), [400, 'bad_internal_event', 'ack is the name of an event.']);
    const limits = 'timeout is a number of milliseconds from 1 to 60000.';
    assert.deepEqual(await action({ ack: 'b', timeout: 60_001 }), [400, 'bad_internal_event', limits]);
  });
});
