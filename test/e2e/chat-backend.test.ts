/** The distributed chat's back ends alone: their answers to hooks, and their calls to two APIs that this file plays. */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { type Action, ChatBackEnd, refusal, type State } from '../support/chat-back-end.ts';
import { missing } from '../support/programs.ts';

function actsAsBackEnd(kind: 'python' | 'node'): void {
  const backEnd = new ChatBackEnd(kind);
  const { alive, first, second } = backEnd;
  const hook = backEnd.hook.bind(backEnd);
  const post = backEnd.post.bind(backEnd);
  const enter = backEnd.enter.bind(backEnd);

  beforeEach(() => backEnd.startAll('--sweep', '1000'));
  afterEach(() => backEnd.stopAll());
  after(() => backEnd.kill());

  test('authorises: the nick is stored and the client told', async () => {
    assert.deepEqual(await hook('/authorize', 's1', [{ nick: '  Żaneta ' }]), [
      { action: 'store', args: { nick: 'Żaneta' } },
      { action: 'send_event', args: { name: 'authorized', args: [{ nick: 'Żaneta' }] } },
    ]);
  });

  test('refuses a nick that a living session has, in whatever case, and gives it out again once that has left', async () => {
    alive.add('s1');
    await hook('/authorize', 's1', [{ nick: 'Ann' }]);
    assert.equal(refusal(await hook('/authorize', 's2', [{ nick: 'aNN' }])), 'nick_taken');
    assert.deepEqual(await hook('/free_nick', 's2', null, { nick: 'Ann', rooms: [] }), []);
    assert.equal(refusal(await hook('/authorize', 's3', [{ nick: 'Ann' }])), 'nick_taken', 'only its owner frees it');
    await hook('/free_nick', 's1', null, { nick: 'Ann', rooms: [] });
    assert.equal(refusal(await hook('/authorize', 's3', [{ nick: 'Ann' }])), undefined);
  });

  test('gives one nick to one of many that ask at once', async () => {
    const sids = Array.from({ length: 20 }, (_, index) => `s${index}`);
    for (const sid of sids) alive.add(sid);
    const answers = await Promise.all(sids.map((sid) => hook('/authorize', sid, [{ nick: 'Ann' }])));
    assert.equal(answers.filter((actions) => refusal(actions) === undefined).length, 1);
  });

  test('takes a nick from a session that ended without notice', async () => {
    await enter('s1', 'Ann', 'lobby');
    alive.delete('s1');
    assert.equal(refusal(await hook('/authorize', 's2', [{ nick: 'Ann' }])), undefined);
    assert.deepEqual(
      first.published('lobby').map(([name]) => name),
      ['joined', 'left'],
    );
  });

  test('takes a nick from the living session that the user says was their own', async () => {
    await enter('s1', 'Ann', 'lobby');
    assert.equal(refusal(await hook('/authorize', 's2', [{ nick: 'Ann', former: 's3' }])), 'nick_taken');
    assert.equal(refusal(await hook('/authorize', 's1', [{ nick: 'Ann', former: 's1' }])), undefined);
    assert.equal(first.published('lobby').length, 1);
    assert.equal(refusal(await hook('/authorize', 's2', [{ nick: 'Ann', former: 's1' }])), undefined);
    const [name, { members }] = first.published('lobby').at(-1)!;
    assert.deepEqual([name, members], ['left', []]);
  });

  test('keeps a nick while no API can tell whether its owner lives', async () => {
    await enter('s1', 'Ann', 'lobby');
    alive.delete('s1');
    await Promise.all([first.stop(), second.stop()]);
    assert.equal(refusal(await hook('/authorize', 's2', [{ nick: 'Ann' }])), 'nick_taken');
  });

  test('sweeps out members whose node died', async () => {
    await backEnd.stop();
    await backEnd.start('--sweep', '0.05');
    await enter('s1', 'Ann', 'lobby');
    await enter('s2', 'Ben', 'lobby');
    alive.delete('s1');
    const notice = await first.call((call) => (call.body as { name?: string }).name === 'left');
    assert.deepEqual((notice.body as { args: [{ members: string[] }] }).args[0].members, ['Ben']);
  });

  test('tells the room of a member who joins before it answers, and the member who is there', async () => {
    await enter('s1', 'Ann', 'lobby');
    await hook('/message', 's1', [{ room: 'lobby', text: 'hello <b>' }], { nick: 'Ann', rooms: ['lobby'] });
    await hook('/authorize', 's2', [{ nick: 'Ben' }]);
    const [store, entered] = await hook('/join', 's2', [{ chat: ['lobby', 'garden'] }], { nick: 'Ben', rooms: [] });
    assert.deepEqual(store, { action: 'store', args: { rooms: ['lobby', 'garden'] } });
    const told = (entered!.args.args as [{ rooms: Record<string, unknown>[] }])[0].rooms;
    assert.deepEqual(told[0]?.members, ['Ann', 'Ben']);
    assert.deepEqual(told[1]?.members, ['Ben']);
    assert.equal((told[0]!.history as { text: string }[])[0]?.text, 'hello <b>');
    const [name, value] = first.published('lobby').at(-1)!;
    assert.equal(name, 'joined');
    assert.deepEqual([value.nick, value.members], ['Ben', ['Ann', 'Ben']]);
  });

  test('passes messages on to the room only for its members', async () => {
    const state = await enter('s1', 'Ann', 'lobby');
    assert.deepEqual(await hook('/message', 's1', [{ room: 'lobby', text: ' hi ' }], state), []);
    const [name, value] = first.published('lobby').at(-1)!;
    assert.deepEqual([name, value.nick, value.text, value.room], ['message', 'Ann', 'hi', 'lobby']);
    await hook('/message', 's1', [{ room: 'garden', text: 'hi' }], state);
    await hook('/message', 's1', [{ room: 'lobby', text: ' ' }], state);
    await hook('/message', 's1', [{ room: 'lobby', text: '\ud83d' }], state);
    const told = first.calls.filter((call) => call.path === 'clients/action/s1');
    assert.deepEqual(
      told.map((call) => refusal(call.body as Action[])),
      ['not_in_room', 'bad_message', 'bad_message'],
    );
    assert.deepEqual(first.published('garden'), []);
  });

  test('knows a message that is said again by its id, if the same user says it, and says which one it refuses', async () => {
    const ann = await enter('s1', 'Ann', 'lobby');
    const ben = await enter('s2', 'Ben', 'lobby');
    const say = async (sid: string, id: unknown, state: State) => {
      await hook('/message', sid, [{ room: 'lobby', text: 'hi', id }], state);
      return first.published('lobby').at(-1)![1];
    };
    const said = await say('s1', 'a-1', ann);
    assert.deepEqual([said.id, said.nick], ['a-1', 'Ann']);
    assert.deepEqual(await say('s1', 'a-1', ann), said);
    const other = await say('s2', 'a-1', ben);
    assert.deepEqual([other.id === 'a-1', other.nick], [false, 'Ben']);
    const [{ args }] = (await hook('/join', 's2', [{ chat: 'lobby' }], ben)).slice(1) as [Action];
    const { rooms } = (args.args as [{ rooms: [{ history: { id: string }[] }] }])[0];
    assert.deepEqual(
      rooms[0].history.map(({ id }) => id),
      ['a-1', other.id],
    );
    const before = first.calls.length;
    await hook('/message', 's1', [{ room: 'lobby', text: ' ', id: 'a-2' }], ann);
    await hook('/message', 's1', [{ room: 'lobby', text: 'hi', id: 'no id' }], ann);
    const told = first.calls
      .slice(before)
      .map(({ body }) => (body as Action[])[0]!.args.args as [{ code: string; id: string }]);
    assert.deepEqual(
      told.map(([{ code, id }]) => [code, id]),
      [
        ['bad_message', 'a-2'],
        ['bad_message', 'no id'],
      ],
    );
  });

  test('lets a member leave', async () => {
    const state = await enter('s1', 'Ann', 'lobby');
    assert.deepEqual(await hook('/leave', 's1', [{ chat: 'lobby' }], state), [
      { action: 'store', args: { rooms: [] } },
      { action: 'send_event', args: { name: 'exited', args: [{ rooms: ['lobby'] }] } },
    ]);
    assert.equal(first.published('lobby').at(-1)?.[0], 'left');
  });

  test('undoes the subscription of who may not join', async () => {
    assert.deepEqual((await hook('/join', 's1', [{ chat: 'lobby' }])).slice(1), [
      { action: 'leave', args: { chat: 'lobby' } },
      { action: 'store', args: { nick: null, rooms: [] } },
    ]);
    const state = await enter('s2', 'Ben', 'lobby');
    for (const expression of [
      'chat.lobby',
      { chat: 'a.b' },
      { chat: ['ok', 7] },
      { chat: [] },
      { chat: 'x', other: 'y' },
    ]) {
      const actions = await hook('/join', 's2', [expression], state);
      assert.equal(refusal(actions), 'bad_room');
      assert.deepEqual(actions.slice(1), [
        { action: 'leave', args: expression },
        { action: 'enter', args: { chat: ['lobby'] } },
      ]);
    }
  });

  test('forgets a session when both halves of its end arrive in the other order, and late calls do not revive it', async () => {
    const state = await enter('s1', 'Ann', 'lobby');
    await hook('/free_nick', 's1', null, state);
    await hook('/leave_rooms', 's1', null, state);
    await hook('/message', 's1', [{ room: 'lobby', text: 'too late' }], state);
    assert.deepEqual(
      first.published('lobby').map(([name]) => name),
      ['joined', 'left'],
    );
    assert.equal(refusal(await hook('/authorize', 's2', [{ nick: 'Ann' }])), undefined);
  });

  test('falls over to the other API when one is down or fails, and stays there', async () => {
    const state = await enter('s1', 'Ann', 'lobby');
    const say = (text: string) => hook('/message', 's1', [{ room: 'lobby', text }], state);
    await first.stop();
    await say('one');
    assert.equal(second.published('lobby').at(-1)?.[1].text, 'one');
    await first.start();
    await say('two');
    assert.equal(second.published('lobby').at(-1)?.[1].text, 'two');
    second.failing = 500;
    await say('three');
    assert.equal(first.published('lobby').at(-1)?.[1].text, 'three');
    second.failing = undefined;
    first.failing = 'silent';
    await say('four');
    assert.equal(second.published('lobby').at(-1)?.[1].text, 'four');
  });

  test('answers hooks even when no API does', async () => {
    await Promise.all([first.stop(), second.stop()]);
    await enter('s1', 'Ann', 'lobby');
  });

  test('learns after a restart from the state of its sessions who is where', async () => {
    const ann = await enter('s1', 'Ann', 'lobby');
    const ben = await enter('s2', 'Ben', 'lobby');
    await backEnd.stop();
    first.calls.length = 0;
    await backEnd.start('--sweep', '1000');
    const asked = await first.call((call) => call.path === 'pubsub/action/chat');
    assert.deepEqual((asked.body as Action).action, 'dispatch');
    assert.equal((asked.body as Action).args.name, 'check_in');
    assert.deepEqual(await hook('/check_in', 's1', ['start'], ann), []);
    await hook('/message', 's2', [{ room: 'lobby', text: 'still here' }], ben);
    const names = first.published('lobby').map(([name]) => name);
    assert.deepEqual(names, ['roster', 'roster', 'message']);
    assert.deepEqual(first.published('lobby')[1]?.[1].members, ['Ann', 'Ben']);
    assert.equal(refusal(await hook('/authorize', 's3', [{ nick: 'Ben' }])), 'nick_taken');
  });

  test('asks for another nick when somebody took it while the back end was down', async () => {
    const state: State = { nick: 'Ann', rooms: ['lobby'] };
    await hook('/authorize', 's2', [{ nick: 'Ann' }]);
    const actions = await hook('/check_in', 's1', [], state);
    assert.equal(refusal(actions), 'not_authorized');
    assert.deepEqual(actions.slice(1), [
      { action: 'leave', args: { chat: ['lobby'] } },
      { action: 'store', args: { nick: null, rooms: [] } },
    ]);
  });

  test('refuses bad nicks', async () => {
    for (const nick of ['', ' ', '\u0000', 'a\nb', 'x'.repeat(25), 7, null, { a: 1 }]) {
      assert.equal(refusal(await hook('/authorize', 's1', [{ nick }])), 'bad_nick', JSON.stringify(nick));
    }
    assert.equal(refusal(await hook('/authorize', 's1', [])), 'bad_nick');
  });

  test('answers malformed bodies with 400 and goes on', async () => {
    const session = { connected_at: 1_764_504_000_000, epoch: 0, event: 1 };
    const good = { sid: 's', trigger: { name: 'x', args: [] }, trigger_id: '', state: {}, session };
    const bad = [
      '',
      '{',
      '\ufffd',
      '[]',
      'null',
      '17',
      '{}',
      '['.repeat(100_000),
      JSON.stringify({ ...good, sid: 7 }),
      JSON.stringify({ ...good, sid: '' }),
      JSON.stringify({ ...good, sid: '\ud800' }),
      JSON.stringify({ ...good, trigger: 5 }),
      JSON.stringify({ ...good, trigger: { name: 'x', args: 'y' } }),
      JSON.stringify({ ...good, state: 'x' }),
      JSON.stringify({ ...good, state: { nick: 5 } }),
      JSON.stringify({ ...good, state: { rooms: [1] } }),
      JSON.stringify({ ...good, session: undefined }),
      JSON.stringify({ ...good, session: 7 }),
      JSON.stringify({ ...good, session: { ...session, event: '1' } }),
      JSON.stringify({ ...good, session: { ...session, epoch: true } }),
      JSON.stringify({ ...good, session: { ...session, connected_at: undefined } }),
    ];
    for (const body of bad) assert.equal((await post('/authorize', body)).status, 400, body);
    assert.equal((await post('/nothing', JSON.stringify(good))).status, 404);
    assert.equal((await fetch(new URL('/join', backEnd.url))).status, 405);
    assert.equal((await post('/join', 'x'.repeat(2_000_001))).status, 413);
    assert.equal((await post('/join', JSON.stringify(good))).status, 200);
  });

  test('takes no hook calls from web pages', async () => {
    const body = JSON.stringify({ sid: 's', trigger: null, trigger_id: '', state: {} });
    assert.equal((await post('/authorize', body, { Origin: 'http://evil.example' })).status, 403);
  });

  test('serves the page, the nodes it may choose from and the Socket.IO client, and nothing else', async () => {
    const page = await fetch(backEnd.url);
    assert.match(await page.text(), /<title>Distributed chat/);
    assert.match(
      page.headers.get('content-security-policy') ?? '',
      /connect-src 'self' http:\/\/127\.0\.0\.1:9 ws:\/\/127\.0\.0\.1:9;/,
    );
    assert.deepEqual(await (await fetch(new URL('nodes', backEnd.url))).json(), [
      { name: 'one', url: 'http://127.0.0.1:9' },
    ]);
    assert.match(await (await fetch(new URL('socket.io.min.js', backEnd.url))).text(), /Socket\.IO/);
    assert.equal((await fetch(`${backEnd.url}..%2fbackend%2fbackend.py`)).status, 404);
  });
}

describe('the chat back end', { skip: missing('python3') }, () => actsAsBackEnd('python'));

describe('the chat back end for Node alone', () => actsAsBackEnd('node'));
