/**
 * Hooks that arrive late or twice at the chats' back ends. Old faults: `on_disconnect` is repeated until it is answered, and the
 * simple chat told a room that somebody had left who had come back meanwhile; a join that Hive no longer waited for put a member
 * into a room who had left it since, for ever where the session had ended; and a message came twice if its call did.
 */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { ChatBackEnd, refusal, type State } from '../support/chat-back-end.ts';
import { missing } from '../support/programs.ts';

type Kind = 'python' | 'node' | 'simple';

function toleratesLateCalls(kind: Kind): void {
  const backEnd = new ChatBackEnd(kind);
  const { alive, first } = backEnd;
  const hook = backEnd.hook.bind(backEnd);
  const enter = backEnd.enter.bind(backEnd);
  const nowhere: State = { nick: null, rooms: [] };

  beforeEach(() => backEnd.startAll());
  afterEach(() => backEnd.stopAll());
  after(() => backEnd.kill());

  /** What the room was told, as `name nick`, or `roster`. */
  const heard = (room = 'lobby') =>
    first.published(room).map(([name, { nick }]) => (name === 'roster' ? name : `${name} ${nick}`));
  const members = (room = 'lobby') => first.published(room).at(-1)?.[1].members;

  /** Both halves of `on_disconnect`, as they are called and repeated. */
  async function depart(sid: string, state: State): Promise<void> {
    for (const path of ['/leave_rooms', '/free_nick']) {
      assert.deepEqual(await hook(path, sid, null, state, { key: `${sid}/end` }), []);
    }
  }

  test('a departure that is repeated is told once, with its key or without', async () => {
    await enter('s2', 'Ben', 'lobby');
    const ann = await enter('s1', 'Ann', 'lobby');
    await depart('s1', ann);
    await depart('s1', ann);
    await hook('/leave_rooms', 's1', null, ann);
    await hook('/free_nick', 's1', null, ann);
    assert.deepEqual(heard(), ['joined Ben', 'joined Ann', 'left Ann']);
    assert.deepEqual(members(), ['Ben']);
  });

  test('a late departure takes nothing from the same user who is back', async () => {
    const ann = await enter('s1', 'Ann', 'lobby');
    alive.delete('s1');
    await enter('s2', 'Ann', 'lobby');
    const before = heard();
    assert.deepEqual(before, ['joined Ann', 'left Ann', 'joined Ann']);
    await depart('s1', ann);
    assert.deepEqual(heard(), before);
    assert.deepEqual(members(), ['Ann']);
    assert.equal(refusal(await hook('/authorize', 's3', [{ nick: 'Ann' }])), 'nick_taken');
  });

  test('nor does it where the back end was restarted between', async () => {
    const ann = await enter('s1', 'Ann', 'lobby');
    await backEnd.stop();
    await backEnd.start();
    first.calls.length = 0;
    await enter('s2', 'Ann', 'lobby');
    await depart('s1', ann);
    assert.deepEqual(heard(), ['joined Ann']);
    assert.equal(refusal(await hook('/authorize', 's3', [{ nick: 'Ann' }])), 'nick_taken');
  });

  test('a restarted back end tells the room, once, who has left meanwhile', async () => {
    const ann = await enter('s1', 'Ann', 'lobby');
    await enter('s2', 'Ben', 'lobby');
    await backEnd.stop();
    await backEnd.start();
    first.calls.length = 0;
    await depart('s1', ann);
    assert.deepEqual(heard(), ['left Ann']);
    if (kind !== 'simple') await hook('/check_in', 's2', ['started'], { nick: 'Ben', rooms: ['lobby'] });
    await depart('s1', ann);
    assert.deepEqual(heard(), kind === 'simple' ? ['left Ann'] : ['left Ann', 'roster']);
  });

  test('a join that is overtaken by a leave, or by the end, brings nobody back', async () => {
    await enter('s2', 'Ben', 'lobby');
    const ann = await enter('s1', 'Ann', 'lobby');
    await hook('/leave', 's1', [{ chat: 'lobby' }], ann, { event: 4 });
    assert.equal(refusal(await hook('/join', 's1', [{ chat: 'lobby' }], ann, { event: 3 })), 'late');
    assert.deepEqual(members(), ['Ben']);
    await depart('s1', { nick: 'Ann', rooms: [] });
    const told = heard();
    assert.notEqual(refusal(await hook('/join', 's1', [{ chat: 'lobby' }], ann, { event: 5 })), undefined);
    assert.deepEqual(heard(), told);
    assert.deepEqual(members(), ['Ben']);
    assert.equal(refusal(await hook('/authorize', 's3', [{ nick: 'Ann' }])), undefined, 'the nick is free');
  });

  test('a leave that is overtaken by a join takes nobody out, and a higher epoch is later than any event', async () => {
    const ann = await enter('s1', 'Ann', 'lobby');
    await hook('/join', 's1', [{ chat: 'garden' }], ann, { epoch: 1, event: 1 });
    const both: State = { nick: 'Ann', rooms: ['lobby', 'garden'] };
    assert.equal(refusal(await hook('/leave', 's1', [{ chat: 'garden' }], both, { epoch: 0, event: 9 })), 'late');
    assert.deepEqual(members('garden'), ['Ann']);
    assert.equal(refusal(await hook('/leave', 's1', [{ chat: 'garden' }], both, { epoch: 1, event: 2 })), undefined);
    assert.deepEqual(members('garden'), []);
  });

  test('what was said before a leave is heard after it, what was said later is not', async () => {
    await enter('s2', 'Ben', 'lobby');
    const ann = await enter('s1', 'Ann', 'lobby');
    await hook('/leave', 's1', [{ chat: 'lobby' }], ann, { event: 4 });
    await hook('/message', 's1', [{ room: 'lobby', text: 'bye' }], ann, { event: 3 });
    assert.equal(heard().at(-1), 'message Ann');
    await hook('/message', 's1', [{ room: 'lobby', text: 'again' }], { nick: 'Ann', rooms: [] }, { event: 5 });
    const told = first.calls.filter(({ path }) => path === 'clients/action/s1').map(({ body }) => refusal(body as []));
    assert.deepEqual(told, ['not_in_room']);
  });

  test('a call that is repeated with its key has no second effect, and gets the same answer', async () => {
    const ann = await enter('s1', 'Ann', 'lobby');
    const say = (key: string) => hook('/message', 's1', [{ room: 'lobby', text: 'hi' }], ann, { key });
    await say('s1/0.3');
    await say('s1/0.3');
    assert.deepEqual(heard(), ['joined Ann', 'message Ann']);
    await say('s1/0.4');
    await Promise.all(Array.from({ length: 10 }, () => say('s1/0.5')));
    assert.equal(heard().filter((told) => told === 'message Ann').length, 3);
    const join = () => hook('/join', 's1', [{ chat: 'garden' }], ann, { event: 6, key: 's1/0.6' });
    const answer = await join();
    assert.deepEqual(answer.at(-1)?.args.name, 'entered');
    await hook('/message', 's1', [{ room: 'garden', text: 'hi' }], { nick: 'Ann', rooms: ['lobby', 'garden'] });
    assert.deepEqual(await join(), answer);
    assert.deepEqual(heard('garden'), ['joined Ann', 'message Ann']);
  });

  test('one key at two addresses is two calls', async () => {
    const ann = await enter('s1', 'Ann', 'lobby');
    const told = { key: 's1/0.3', event: 3 };
    await hook('/message', 's1', [{ room: 'lobby', text: 'bye' }], ann, told);
    await hook('/leave', 's1', [{ chat: 'lobby' }], ann, told);
    assert.deepEqual(heard(), ['joined Ann', 'message Ann', 'left Ann']);
  });

  if (kind === 'simple') return;

  test('who is back is not away because the loss of the connection is told late', async () => {
    await enter('s2', 'Ben', 'lobby');
    const ann = await enter('s1', 'Ann', 'lobby');
    const away = () => first.published('lobby').at(-1)?.[1].away;
    await hook('/away', 's1', null, ann, { event: 3 });
    assert.deepEqual([members(), away()], [['Ann', 'Ben'], ['Ann']]);
    await hook('/back', 's1', null, ann, { event: 4 });
    assert.deepEqual(away(), []);
    await hook('/back', 's1', null, ann, { event: 6 });
    await hook('/away', 's1', null, ann, { event: 5 });
    assert.deepEqual(away(), []);
    await hook('/away', 's1', null, ann, { event: 7 });
    await depart('s1', ann);
    await hook('/away', 's1', null, ann, { event: 8 });
    assert.deepEqual([members(), away()], [['Ben'], []]);
    assert.equal(heard().at(-1), 'left Ann');
  });

  test('a session that was missed by mistake goes on; its end is not told twice', async () => {
    const ann = await enter('s1', 'Ann', 'lobby');
    alive.delete('s1');
    const namesake = await enter('s2', 'Ann', 'garden');
    await depart('s2', namesake);
    await hook('/message', 's1', [{ room: 'lobby', text: 'still here' }], ann);
    assert.deepEqual(heard(), ['joined Ann', 'left Ann', 'roster', 'message Ann']);
    await hook('/authorize', 's3', [{ nick: 'Ann' }]);
    await depart('s3', nowhere);
    await depart('s1', ann);
    assert.deepEqual(heard().slice(4), ['left Ann']);
  });

  for (const order of [
    ['s1', 's2'],
    ['s2', 's1'],
  ]) {
    test(`of two sessions whose states have one nick, the later one keeps it; here ${order[0]} is heard of first`, async () => {
      const state: State = { nick: 'Ann', rooms: ['lobby'] };
      const connected: Record<string, number> = { s1: 1000, s2: 2000 };
      const refusals: Record<string, unknown> = {};
      for (const sid of [...order, ...order]) {
        refusals[sid] = refusal(await hook('/check_in', sid, ['started'], state, { connected_at: connected[sid]! }));
      }
      assert.deepEqual(refusals, { s1: 'not_authorized', s2: undefined });
      assert.deepEqual(members(), ['Ann']);
      await depart('s1', state);
      assert.ok(heard().every((told) => told === 'roster'));
      assert.deepEqual(members(), ['Ann']);
    });
  }

  test('forgets the oldest keys when the answers take too much memory', async () => {
    const ann = await enter('s1', 'Ann', 'lobby');
    const say = (text: string, key: string) => hook('/message', 's1', [{ room: 'lobby', text }], ann, { key });
    await say('first', 'a');
    await say('first', 'a');
    const firsts = () => first.published('lobby').filter(([, { text }]) => text === 'first').length;
    assert.equal(firsts(), 1);
    for (let index = 0; index < 50; index += 1) await say('😀'.repeat(2000), `long ${index}`);
    // Each of these answers has the 50 long messages, of 4000 characters or 24,000 bytes.
    for (let index = 0; index < 85; index += 1) {
      await hook('/join', 's1', [{ chat: 'lobby' }], ann, { key: `join ${index}` });
    }
    await say('first', 'a');
    assert.equal(firsts(), 2);
  });
}

for (const kind of ['python', 'node', 'simple'] as const) {
  const skip = kind === 'node' ? false : missing('python3');
  describe(`the ${kind === 'simple' ? 'simple' : `distributed (${kind})`} chat's back end`, { skip }, () =>
    toleratesLateCalls(kind),
  );
}
