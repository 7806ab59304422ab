/**
 * The sessions of two nodes in a real Redis that can be made unreachable for each of them, and clocks that the test turns: what holds
 * whether that is one server, the master of Sentinels, or a Cluster.
 *
 *   durableSessionsSuite('a Cluster', async () => ({ args: { cluster: […] }, stop }), skip);
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { EventPacket } from '../../src/protocol/packet.ts';
import type { Claimed } from '../../src/sessions/durable/adopter.ts';
import type { RedisCommand } from '../../src/sessions/durable/commands.ts';
import { DurableMetrics } from '../../src/sessions/durable/durable-metrics.ts';
import type { DurableSession, RecordSource } from '../../src/sessions/durable/durable-session.ts';
import { DurableSessions } from '../../src/sessions/durable/durable-sessions.ts';
import { pairsOf } from '../../src/sessions/durable/replies.ts';
import { Pids } from '../../src/sessions/pids.ts';
import { type Connectors, startConnectors } from './connectors.ts';
import { eventually } from './eventually.ts';

/** A Redis of one of the kinds that `connector.redis` knows. */
export interface RedisPlace {
  /** Of the connector: where it is. */
  readonly args: object;
  stop(): Promise<unknown>;
}

const leaseMs = 1000;
let connectors: Connectors;
let worlds = 0;

/** What the connector makes of commands is part of what is tested. */
function run(commands: readonly RedisCommand[]): Promise<unknown[]> {
  return connectors.pools.get<unknown, unknown[]>('db').request({ commands });
}

class Source implements RecordSource {
  readonly sid: string;
  note = 0;
  isFenced = false;
  session!: DurableSession;

  constructor(sid: string) {
    this.sid = sid;
  }

  kept(session: DurableSession): void {
    this.session = session;
  }

  record(): unknown {
    return { note: this.note };
  }

  fenced(): void {
    this.isFenced = true;
  }
}

class TestNode {
  readonly sessions: DurableSessions;
  readonly claimed: Claimed[] = [];
  readonly pids = new Pids();
  readonly name: string;
  readonly boot: string;
  /** Whether its Redis is away. */
  isCutOff = false;
  /** Redis does what one of these says, and the answer is lost: once. */
  losesAnswerTo: string | undefined;
  /** Commands with this text in them wait. */
  holds: { readonly text: string; readonly until: Promise<void> } | undefined;
  /** The answers to commands with this text in them come later, or not at all. */
  delays: { readonly text: string; readonly until: Promise<void>; readonly isLost: boolean } | undefined;

  constructor(world: World, name: string) {
    this.name = name;
    this.boot = `${name}@127.0.0.1#4`;
    this.sessions = new DurableSessions({
      run: (commands) => this.#run(commands),
      cluster: world.cluster,
      boot: this.boot,
      tag: name.padEnd(8, '_'),
      pids: this.pids,
      leaseMs,
      now: () => world.now,
      log: silent,
      metrics: new DurableMetrics(new Metrics()),
    });
    this.sessions.serve({
      adopt: (claimed) => {
        this.claimed.push(claimed);
        return new Source(claimed.sid);
      },
      start: async () => {},
      catchUp: async () => {},
      lives: async (boot) => boot !== this.boot && boot === world.answers?.boot,
    });
  }

  async #run(commands: readonly RedisCommand[]): Promise<unknown[]> {
    if (this.isCutOff) throw new Error('cut off');
    const says = (text: string) => commands.some((words) => words.some((word) => String(word).includes(text)));
    if (this.holds && says(this.holds.text)) await this.holds.until;
    const replies = await run(commands);
    const { delays } = this;
    if (delays && says(delays.text)) {
      this.delays = undefined;
      await delays.until;
      if (delays.isLost) throw new Error('no answer in time');
    }
    if (this.losesAnswerTo === undefined || !says(this.losesAnswerTo)) return replies;
    this.losesAnswerTo = undefined;
    throw new Error('the answer was lost');
  }

  async open(sid: string): Promise<Source> {
    const source = new Source(sid);
    await this.sessions.open(source);
    return source;
  }
}

class World {
  readonly cluster: string;
  now = 0;
  /** Who is connected to the others. */
  answers: TestNode | undefined;

  constructor() {
    worlds += 1;
    this.cluster = `world${worlds}`;
  }

  async node(name: string): Promise<TestNode> {
    const node = new TestNode(this, name);
    await node.sessions.renew();
    assert.equal(node.sessions.problem, undefined);
    return node;
  }

  /** Time passes in which these renew their leases. */
  async pass(...living: readonly TestNode[]): Promise<void> {
    for (let third = 0; third < 4; third += 1) {
      this.now += leaseMs / 3;
      for (const { sessions } of living) await sessions.renew();
    }
  }

  /** The lease of a node has ended in Redis. */
  async end(node: TestNode): Promise<void> {
    await run([['del', `hive:${this.cluster}:lease:${await this.ownerOf(node)}`]]);
  }

  async ownerOf(node: TestNode): Promise<string> {
    const [owners] = await run([['hgetall', `hive:${this.cluster}:owners`]]);
    const owned = pairsOf(owners).find(([, ownership]) => ownership.startsWith(`${node.name}@`));
    return owned?.[0] ?? assert.fail(`${node.name} owns nothing`);
  }

  async record(sid: string): Promise<string | null> {
    const [record] = await run([['hget', `hive:${this.cluster}:{${sid.slice(0, 8)}}:sessions`, sid]]);
    return record as string | null;
  }
}

async function start(...wanted: readonly string[]): Promise<[World, TestNode, TestNode]> {
  const world = new World();
  const nodes: TestNode[] = [];
  for (const name of wanted) {
    nodes.push(await world.node(name));
  }
  return [world, nodes[0]!, nodes[1]!];
}

function deferred(): [until: Promise<void>, release: () => void] {
  let release = (): void => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  return [until, release];
}

const sid = (node: string, at = 0) => `${node.padEnd(8, '_')}${String(at).padStart(22, '0')}`;

/** @param begin starts it; asked once, when the tests begin */
export function durableSessionsSuite(place: string, begin: () => Promise<RedisPlace>, skip: string | false): void {
  let redis: RedisPlace | undefined;

  before(async () => {
    if (skip !== false) return;
    redis = await begin();
    const args = { reconnect_timeout: 100, max_reconnect_timeout: 5000, ...redis.args };
    connectors = await startConnectors({ pools: { db: { connector: 'connector.redis', size: 2, overflow: 2, args } } });
  });

  after(async () => {
    await connectors?.close();
    await redis?.stop();
  });

  test(`${place}: sessions of a node whose lease has ended are claimed once, by who has held its own for long enough`, {
    skip,
  }, async () => {
    const [world, one, two] = await start('one', 'two');
    for (let at = 0; at < 250; at += 1) await one.open(sid('one', at));
    await world.end(one);
    await two.sessions.sweep();
    assert.equal(two.claimed.length, 0, 'its lease is too young');
    await world.pass(two);
    await two.sessions.sweep();
    assert.equal(two.claimed.length, 250);
    assert.deepEqual(new Set(two.claimed.map(({ sid: of }) => of)).size, 250);
    assert.deepEqual([two.claimed[0]!.epoch, two.claimed[0]!.contents], [1, { note: 0 }]);
    await two.sessions.sweep();
    assert.equal(two.claimed.length, 250);
  });

  test(`${place}: a node that has lost its lease keeps what nobody has claimed, and gives up the rest`, {
    skip,
  }, async () => {
    const [world, one, two] = await start('one', 'two');
    const first = await one.open(sid('one', 1));
    await world.pass(one, two);
    await world.end(one);
    await two.sessions.sweep();
    assert.equal(two.claimed.length, 1);
    const later = await one.open(sid('one', 2));
    await one.sessions.renew();
    assert.deepEqual([first.isFenced, later.isFenced], [true, false]);
    assert.match((await world.record(sid('one', 1)))!, /\|1\|{"note":0}$/);
    assert.equal((await world.record(sid('one', 2)))!.startsWith(await world.ownerOf(one)), true);
  });

  test(`${place}: a claim whose answer was lost is good, of own sessions and of others'`, { skip }, async () => {
    const [world, one, two] = await start('one', 'two');
    const own = await one.open(sid('one', 1));
    const other = await two.open(sid('two', 1));
    await world.pass(one, two);
    await world.end(one);
    one.losesAnswerTo = 'Makes somebody the owner';
    await one.sessions.renew();
    assert.match(one.sessions.problem!, /the answer was lost/);
    // Old fault: it took the session for somebody else's, and nobody had it.
    await one.sessions.renew();
    assert.deepEqual([one.sessions.problem, own.isFenced], [undefined, false]);
    assert.equal((await world.record(own.sid))!.startsWith(`${one.sessions.lease.owner}|1|`), true);

    await world.pass(one);
    await world.end(two);
    one.losesAnswerTo = 'Makes somebody the owner';
    await one.sessions.sweep();
    assert.equal(one.claimed.length, 0);
    // Old fault: it had a session of which it knew nothing.
    await one.sessions.sweep();
    assert.deepEqual(
      one.claimed.map(({ sid: of, epoch }) => [of, epoch]),
      [[other.sid, 1]],
    );
  });

  test(`${place}: a write that is under way while the lease is lost does not make the session a stranger's`, {
    skip,
  }, async () => {
    const [world, one] = await start('one');
    const [until, release] = deferred();
    one.holds = { text: 'Writes the record of a session', until };
    const opening = one.open(sid('one', 1));
    await world.end(one);
    const renewing = one.sessions.renew();
    // As long as a claim would take.
    for (let trips = 0; trips < 10; trips += 1) await run([['exists', 'nothing']]);
    one.holds = undefined;
    release();
    const session = await opening;
    await renewing;
    // Old fault: its own record, in the name of its former owner, came behind the claim.
    assert.equal(session.isFenced, false);
    assert.equal((await world.record(session.sid))!.startsWith(`${one.sessions.lease.owner}|`), true);
  });

  for (const isLost of [false, true]) {
    test(`${place}: a renewal from before a node stood still, which ${isLost ? 'fails' : 'is answered'} afterwards, is no news`, {
      skip,
    }, async () => {
      const [world, one, two] = await start('one', 'two');
      const [lost, kept] = [await one.open(sid('one', 1)), await one.open(sid('one', 2))];
      await world.pass(one, two);
      assert.deepEqual([one.sessions.certainty(), one.sessions.own.adoption], [undefined, undefined]);
      const [until, wake] = deferred();
      one.delays = { text: 'pexpire', until, isLost };
      const renewing = one.sessions.renew();
      await eventually(() => one.delays === undefined, 'the renewal');
      // It stands still until another node has claimed a session.
      await world.pass(two);
      await run([['hset', `hive:${world.cluster}:{one_____}:sessions`, lost.sid, 'another|1|{}']]);
      await world.end(one);
      const certain = one.sessions.certainty();
      wake();
      await certain;
      // Old fault: hooks ran for both, as if nothing had happened.
      assert.deepEqual([lost.isFenced, kept.isFenced], [true, false]);
      // Old fault: it acknowledged what it had got meanwhile, and others forgot that before the claimer had asked them for it.
      assert.ok(one.sessions.own.adoption);
      await renewing;
      assert.equal(one.sessions.certainty(), undefined);
    });
  }

  test(`${place}: the sessions of a node that has no Redis are its own while it answers the others, and it may have Redis again`, {
    skip,
  }, async () => {
    const [world, one, two] = await start('one', 'two');
    const session = await one.open(sid('one', 1));
    world.answers = one;
    one.isCutOff = true;
    await world.pass(two);
    await world.end(one);
    await two.sessions.sweep();
    assert.deepEqual([two.claimed.length, two.sessions.unclaimed], [0, 1]);
    one.isCutOff = false;
    await one.sessions.renew();
    await two.sessions.sweep();
    assert.deepEqual([two.claimed.length, session.isFenced], [0, false]);
    assert.match((await world.record(session.sid))!, /\|1\|{"note":0}$/);
    // What is left of its former lease is its own business.
    assert.equal(two.sessions.unclaimed, 1);
    await world.pass(one, two);
    await one.sessions.sweep();
    await two.sessions.sweep();
    assert.equal(two.sessions.unclaimed, 0);
    await world.pass(two);
    await world.end(one);
    world.answers = undefined;
    await two.sessions.sweep();
    assert.deepEqual([two.claimed.length, two.sessions.unclaimed], [1, 0]);
  });

  test(`${place}: a renewal that takes longer than the lease does not cost it`, { skip }, async () => {
    const [world, one] = await start('one');
    const { owner } = one.sessions.lease;
    const [until, release] = deferred();
    one.delays = { text: 'run_id', until, isLost: false };
    const renewing = one.sessions.renew();
    await eventually(() => one.delays === undefined, 'the renewal');
    for (let thirds = 0; thirds < 6; thirds += 1) {
      world.now += leaseMs / 3;
      void one.sessions.renew();
      // Old fault: there was none before the end of the first.
      await eventually(() => one.sessions.lease.leftMs > 0.9 * leaseMs, 'a renewal');
    }
    release();
    await renewing;
    assert.deepEqual([one.sessions.lease.owner, one.sessions.problem], [owner, undefined]);
  });

  test(`${place}: events that come when the lease is lost and its journal gone leave nothing behind`, {
    skip,
  }, async () => {
    const [world, one] = await start('one');
    const former = one.sessions.lease.owner!;
    const journal = one.sessions.journal(() => 1);
    const [until, release] = deferred();
    one.holds = { text: 'xadd', until };
    journal.append(1, 'c:news', new EventPacket('news', '[1]'));
    // As long as it would take.
    for (let trips = 0; trips < 10; trips += 1) await run([['exists', 'nothing']]);
    await world.end(one);
    await one.sessions.renew();
    assert.notEqual(one.sessions.lease.owner, former);
    one.holds = undefined;
    release();
    await new Promise<void>((resolve) => journal.release(resolve));
    // Old fault: they were there for ever.
    const keys = ['journal', 'last'].map(
      (name): RedisCommand => ['exists', `hive:${world.cluster}:{${former}}:${name}`],
    );
    assert.deepEqual(await run(keys), [0, 0]);
  });

  test(`${place}: while Redis is away nobody waits, before and after an attempt that was made since the node woke up`, {
    skip,
  }, async () => {
    const [world, one] = await start('one');
    await one.open(sid('one', 1));
    one.isCutOff = true;
    await world.pass(one);
    assert.match(one.sessions.problem!, /cut off/);
    assert.equal(one.sessions.certainty(), undefined);
    world.now += 10 * leaseMs;
    await one.sessions.certainty();
    assert.equal(one.sessions.certainty(), undefined);
  });

  test(`${place}: what was written or deleted while Redis was away is made up for, also if no lease was lost`, {
    skip,
  }, async () => {
    const [world, one, two] = await start('one', 'two');
    const [changed, ended] = [await one.open(sid('one', 1)), await one.open(sid('one', 2))];
    one.isCutOff = true;
    const born = await one.open(sid('one', 3));
    changed.note = 7;
    assert.equal(await changed.session.write(), true);
    await one.sessions.remove(ended.session);
    assert.match(one.sessions.problem!, /cut off/);
    one.isCutOff = false;
    await one.sessions.renew();
    assert.equal(one.sessions.problem, undefined);
    assert.match((await world.record(changed.sid))!, /{"note":7}$/);
    assert.match((await world.record(born.sid))!, /{"note":0}$/);
    assert.equal(await world.record(ended.sid), null);
    assert.equal(one.sessions.size, 2);
    await world.pass(two);
    await world.end(one);
    await two.sessions.sweep();
    assert.equal(two.claimed.length, 2);
  });

  test(`${place}: it is told where a session is: at its owner, nowhere, or with nobody until it is claimed`, {
    skip,
  }, async () => {
    const [world, one, two] = await start('one', 'two');
    await one.open(sid('one', 1));
    const sids = [sid('one', 1), sid('one', 2)];
    assert.deepEqual(await two.sessions.locate(sids), ['one'.padEnd(8, '_'), undefined]);
    await world.pass(two);
    await world.end(one);
    assert.deepEqual(await two.sessions.locate(sids), ['waiting', undefined]);
    await two.sessions.sweep();
    assert.deepEqual(await one.sessions.locate(sids), ['two'.padEnd(8, '_'), undefined]);
  });

  test(`${place}: all nodes of a cluster sign with the same secret, and others with another`, { skip }, async () => {
    const [, one, two] = await start('one', 'two');
    const [, stranger] = await start('one');
    const pid = one.pids.of(sid('one'), '/');
    assert.equal(two.pids.verify(pid, '/'), sid('one'));
    assert.equal(stranger.pids.verify(pid, '/'), undefined);
  });
}
