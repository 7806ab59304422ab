/** What a session was sent by nodes that are gone, one after the other, as a real Redis has it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Metrics } from '../../../src/observe/metrics.ts';
import { EventPacket } from '../../../src/protocol/packet.ts';
import type { RedisCommand } from '../../../src/sessions/durable/commands.ts';
import { DeadJournal, type LogRecord } from '../../../src/sessions/durable/dead-journal.ts';
import { DeadJournals } from '../../../src/sessions/durable/dead-journals.ts';
import { DurableMetrics } from '../../../src/sessions/durable/durable-metrics.ts';
import { Keys } from '../../../src/sessions/durable/keys.ts';
import { type Here, livesOf } from '../../../src/sessions/durable/past-life.ts';
import { RedisJournal } from '../../../src/sessions/durable/redis-journal.ts';
import { Positions } from '../../../src/sessions/positions.ts';
import { Prefix } from '../../../src/sessions/prefix.ts';
import { missing } from '../../support/programs.ts';
import { RedisServer } from '../../support/redis.ts';

const skip = missing('redis-server');
const keys = new Keys('lives');
let server: RedisServer;

before(async () => {
  if (!skip) server = await RedisServer.start();
});
after(() => server?.stop());

async function run(commands: readonly RedisCommand[]): Promise<unknown[]> {
  return server.query(async (redis) => {
    const replies: unknown[] = [];
    for (const [name, ...args] of commands) replies.push(await redis.call(name, ...args));
    return replies;
  });
}

const event = (value: number) => new EventPacket('news', `[${value}`);
const tagOf = (node: string) => node.padEnd(8, '_');
const at = (node: string, number: number) => JSON.parse(new Positions(tagOf(node)).tail(number).slice(1, -1)) as string;

/** The journal of a node: `[number, scope, value, id?]`. */
async function journalOf(node: string, ...entries: [number, `c:${string}` | `s:${string}`, number, string?][]) {
  const journal = new RedisJournal({
    tag: tagOf(node),
    boot: `${node}@127.0.0.1#4`,
    run,
    keys: () => ownerKeys,
    certainty: () => undefined,
    failed: (error) => {
      throw error;
    },
    oldest: () => 1,
    metrics: new DurableMetrics(new Metrics()).journal,
  });
  const ownerKeys = keys.ofOwner(node);
  journal.begin();
  for (const [number, scope, value, id] of entries) journal.append(number, scope, event(value), id);
  await new Promise<void>((resolve) => journal.release(resolve));
  return DeadJournal.read(run, ownerKeys);
}

function values(lives: Prefix, position: unknown): number[] | undefined {
  return lives.missed(position)?.map(({ packet }) => Number((packet as EventPacket).argsJson.slice(1)));
}

const journals = () => new DeadJournals(run, keys, 60_000, () => 0);
const inNews = (began: number, owner: string): LogRecord & { owner: string } => ({
  began,
  spans: [['news', began, null]],
  owner,
});
const nothingHere: Here = { likeness: undefined, wasSent: () => false };

test('two lives, and what others had kept for both: from each position exactly what is behind it', {
  skip,
}, async () => {
  const one = await journalOf('one', [3, 'c:news', 1, 'x#1/1'], [4, 's:sid', 2], [5, 'c:other', 99]);
  // The second had heard of the fourth publication before it joined the channel for this session, and of the fifth behind it.
  const two = await journalOf('two', [6, 'c:news', 4, 'x#1/4'], [8, 'c:news', 5, 'x#1/5'], [9, 's:sid', 6]);
  const kept = (n: number) => ({ channel: 'news', id: `x#1/${n}`, packets: [event(n)] });
  await journals().keep('one', one!, [kept(1), kept(3), kept(4), kept(5)]);
  await journals().keep('two', two!, [kept(5), kept(7)]);
  const past = [inNews(2, 'one'), inNews(7, 'two')];
  const read = new Map([
    ['one', one],
    ['two', two],
  ]);
  const lives = () => new Prefix(livesOf('sid', past, read, nothingHere)!);
  assert.deepEqual(values(lives(), undefined), [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(values(lives(), at('stranger', 5)), [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(values(lives(), at('one', 3)), [2, 3, 4, 5, 6, 7]);
  assert.deepEqual(values(lives(), at('one', 5)), [3, 4, 5, 6, 7]);
  assert.deepEqual(values(lives(), at('two', 8)), [6, 7]);
  assert.equal(values(lives(), at('two', 10)), undefined, 'shown, and not stored');
  const missed = lives().missed(undefined)!;
  const positions = missed.map(({ tail }) => JSON.parse(tail.slice(1, -1)) as string);
  for (const [i, position] of positions.entries()) {
    assert.deepEqual(values(lives(), position), [1, 2, 3, 4, 5, 6, 7].slice(i + 1), position);
  }
});

test('who goes on later finds the same numbers, also without the journal, if its client has seen the end', {
  skip,
}, async () => {
  const first = await journalOf('three', [3, 'c:news', 1, 'x#1/1']);
  const kept = [{ channel: 'news', id: 'x#1/2', packets: [event(2), event(3)] }];
  await journals().keep('three', first!, kept);
  const [life] = livesOf('sid', [inNews(2, 'three')], new Map([['three', first]]), nothingHere)!;
  const last = JSON.parse(new Prefix([life!]).missed(undefined)!.at(-1)!.tail.slice(1, -1)) as string;
  // Somebody else adds what came later, which is not for this session: it is elsewhere already.
  const again = (await DeadJournal.read(run, keys.ofOwner('three')))!;
  await journals().keep('three', again, [...kept, { channel: 'news', id: 'x#1/3', packets: [event(9)] }]);
  const record = life!.record;
  for (const journal of [again, undefined]) {
    const lives = () => new Prefix(livesOf('sid', [record], new Map([['three', journal]]), nothingHere)!);
    assert.deepEqual(values(lives(), last), []);
    assert.deepEqual(values(lives(), at('three', 3)), journal ? [2, 3] : undefined);
    // What comes to it here by way of its actor is left out only if it has it from there.
    assert.equal(lives().take('news', 'x#1/2'), !journal);
    assert.ok(lives().take('news', 'x#1/3'));
  }
});

test('a life without an entry has nothing; one whose journal is lost cannot be told', { skip }, async () => {
  const quiet = await journalOf('quiet', [3, 'c:other', 1]);
  const read = new Map([['quiet', quiet]]);
  const lives = livesOf('sid', [inNews(2, 'quiet')], read, nothingHere)!;
  assert.deepEqual(values(new Prefix(lives), undefined), []);
  assert.equal(livesOf('sid', [inNews(2, 'lost')], new Map(), nothingHere), undefined);
});

test('a journal that has begun anew does not say that there was nothing before', { skip }, async () => {
  await journalOf('late', [7, 'c:other', 1]);
  await run([['hset', keys.ofOwner('late').last, '#first', 7]]);
  const late = await DeadJournal.read(run, keys.ofOwner('late'));
  assert.equal(late!.lastOf('sid', inNews(2, 'late')), 6);
  const lives = new Prefix(livesOf('sid', [inNews(2, 'late')], new Map([['late', late]]), nothingHere)!);
  assert.equal(values(lives, at('late', 4)), undefined);
});

test('what others had kept is looked through once for all sessions that were sent the same', { skip }, async () => {
  // Old fault: for each of 10,000 sessions each of 1,000 publications was looked for among all that had been published since.
  const crowd = await journalOf('crowd', [3, 'c:news', 1, 'x#1/1']);
  const kept = (n: number) => ({ channel: 'news', id: `x#1/${n}`, packets: [event(n)] });
  await journals().keep('crowd', crowd!, [kept(2), kept(3), kept(4)]);
  const read = new Map([['crowd', crowd]]);
  const shared = new Map();
  let asked = 0;
  const here = (likeness: string | undefined, ...sent: string[]): Here => ({
    likeness,
    wasSent(_channel, id) {
      asked += 1;
      return sent.includes(id);
    },
  });
  const missed = (where: Here, past = inNews(2, 'crowd')) =>
    values(new Prefix(livesOf('sid', [past], read, where, shared)!), undefined);
  assert.deepEqual([missed(here('early', 'x#1/4')), asked], [[1, 2, 3], 3]);
  assert.deepEqual([missed(here('early', 'x#1/4')), asked], [[1, 2, 3], 3]);
  assert.deepEqual([missed(here('late')), asked], [[1, 2, 3, 4], 6]);
  // Those that differ in anything are looked at by themselves.
  assert.deepEqual([missed(here(undefined, 'x#1/3', 'x#1/4')), asked], [[1, 2], 9]);
  assert.deepEqual([missed(here('late'), { ...inNews(2, 'crowd'), spans: [] }), asked], [[], 9]);
  assert.deepEqual([missed(here('late'), { ...inNews(2, 'crowd'), spans: [['news', 2, 3]] }), asked], [[1], 9]);
});

// An old fault: it was sent everything of the lives before once more.
test('who has seen something of a life that is not stored cannot go on, though that life has nothing for it', {
  skip,
}, async () => {
  const three = await journalOf('three', [3, 'c:news', 1]);
  const four = await journalOf('four', [6, 'c:other', 99]);
  const past = [inNews(2, 'three'), inNews(6, 'four')];
  const found = new Map([
    ['three', three],
    ['four', four],
  ]);
  const lives = () => new Prefix(livesOf('sid', past, found, nothingHere)!);
  assert.deepEqual(values(lives(), undefined), [1]);
  assert.deepEqual(values(lives(), at('three', 3)), []);
  // That of a former session of the same client.
  assert.deepEqual(values(lives(), at('four', 6)), [1]);
  assert.equal(values(lives(), at('four', 7)), undefined);
});

test('what somebody could not keep is known of its channels, or of all', { skip }, async () => {
  const journal = (await journalOf('partly', [3, 'c:news', 1, 'x#1/1']))!;
  const publications = ['x#1/1', 'x#1/2'].map((id) => ({ channel: 'news', id }));
  await journals().miss('partly', publications.slice(0, 1));
  await journals().keep('partly', journal, [{ channel: 'other', id: 'x#1/3', packets: [event(3)] }]);
  assert.deepEqual([...journal.lacking], [], 'the journal has it');
  await journals().miss('partly', publications);
  const read = async () => (await DeadJournal.read(run, keys.ofOwner('partly')))!;
  const later = await read();
  assert.deepEqual([[...later.lacking], later.isIncomplete], [['news'], false]);
  assert.equal(later.keptNumber('news', 'x#1/2'), undefined);
  assert.equal(later.keptCount, 1);
  await journals().miss('partly', undefined);
  assert.ok((await read()).isIncomplete);
});

// An old fault: what was sent again after a loss came behind what had been published after it.
test('who was sent here what was published before something that others had kept cannot go on', { skip }, async () => {
  const five = await journalOf('five', [3, 'c:other', 1]);
  const kept = (n: number, origin = 'x#1') => ({ channel: 'news', id: `${origin}/${n}`, packets: [event(n)] });
  await journals().keep('five', five!, [kept(1), kept(2), kept(3), kept(9, 'y#1')]);
  const found = new Map([['five', five]]);
  const missed = (...sent: string[]) => {
    const lives = livesOf('sid', [inNews(3, 'five')], found, {
      likeness: undefined,
      wasSent: (_channel, id) => sent.includes(id),
    });
    return lives && values(new Prefix(lives), undefined);
  };
  assert.deepEqual(missed('x#1/3'), [1, 2, 9]);
  assert.deepEqual(missed('x#1/2', 'x#1/3'), [1, 9]);
  assert.equal(missed('x#1/1'), undefined);
  assert.equal(missed('x#1/2'), undefined);
});
