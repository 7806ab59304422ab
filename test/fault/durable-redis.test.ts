/**
 * Redis fails under clients that may return: it is killed, stands still, fails over. The nodes serve on, nobody misses anything, nobody
 * departs, and when Redis is back a node may be killed as before. What is tested is told by numbers that are published all the time.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { startReplica, startSentinel } from '../support/redis-sets.ts';
import { type ClientOfCluster, ReturnCluster } from '../support/return-cluster.ts';

const skip = missing('redis-server');

/** Three nodes with clients in one channel, to which numbers are published through the second node, one after the other. */
class Stream {
  readonly scene: ReturnCluster;
  readonly clients: readonly ClientOfCluster[];
  #isOver = false;
  #sent = 0;
  #publishing: Promise<void> | undefined;

  private constructor(scene: ReturnCluster, clients: readonly ClientOfCluster[]) {
    this.scene = scene;
    this.clients = clients;
  }

  static async start(t: TestContext, redis: number | object): Promise<Stream> {
    const scene = await ReturnCluster.start({}, undefined, redis);
    t.after(() => scene.stop());
    const places = [0, 0, 1, 2];
    const clients = await Promise.all(places.map((at) => scene.client(t, scene.nodes[at]!.port)));
    for (const { sid } of clients) await clients[0]!.call(1, `pubsub/subscribe/${sid}`, ['room.all']);
    const stream = new Stream(scene, clients);
    await stream.#isDurable(true);
    stream.#publishing = stream.#publish();
    t.after(() => stream.#end());
    return stream;
  }

  async #publish(): Promise<void> {
    while (!this.#isOver) {
      this.#sent += 1;
      await this.clients[0]!.call(1, 'pubsub/publish/room.all', { name: 'all', args: [this.#sent] });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #end(): Promise<void> {
    this.#isOver = true;
    await this.#publishing;
  }

  /** Waits until all nodes that run say so. */
  async #isDurable(isDurable: boolean): Promise<void> {
    for (const { process, monitor } of this.scene.nodes) {
      const says = async () => /not durable/.test(await (await fetch(`${monitor}/health`)).text()) !== isDurable;
      if (process.running) await eventually(says, `sessions that are ${isDurable ? '' : 'not '}durable`, 30_000);
    }
  }

  /** Waits until everybody has heard some numbers more. */
  async goesOn(): Promise<void> {
    const from = this.#sent;
    const all = this.clients.filter(({ client }) => client.socket.connected);
    await eventually(
      () => all.every(({ client }) => Number(client.firsts('all').at(-1)) > from + 5),
      'numbers',
      20_000,
    );
  }

  /** Redis fails, and what it does comes back. */
  async outage(begin: () => unknown, end: () => unknown): Promise<void> {
    await begin();
    await this.#isDurable(false);
    await this.goesOn();
    // A client may return meanwhile: to its node, whose memory has what it has missed.
    await this.clients[2]!.away(undefined);
    await end();
    await this.#isDurable(true);
    await this.goesOn();
  }

  /** Another server takes the place of Redis: it may have lost what was confirmed last, so that everything is stored anew. */
  async movesOn(change: () => Promise<unknown>): Promise<void> {
    const lost = () => Promise.all(this.scene.nodes.map((node) => node.metric('clients.durable.leases_lost')));
    const before = await lost();
    await change();
    await eventually(async () => (await lost()).every((count, at) => count > before[at]!), 'other leases', 30_000);
    await this.#isDurable(true);
    await this.goesOn();
  }

  /** The first node is killed, and its clients go on at the third one. */
  async kill(): Promise<void> {
    const [lost, , next] = this.scene.nodes;
    await lost!.process.stop('SIGKILL');
    for (const { proxy, client } of this.clients.slice(0, 2)) {
      await eventually(() => !client.socket.connected, 'the client to notice');
      proxy.mend(next!.port);
    }
    await Promise.all(this.clients.slice(0, 2).map((one) => one.back()));
    await this.goesOn();
  }

  /** All have heard everything, once and in order, and nobody has departed. */
  async isWhole(): Promise<void> {
    await this.#end();
    const all = Array.from({ length: this.#sent }, (_, at) => at + 1);
    for (const { client, told } of this.clients) {
      await eventually(() => client.firsts('all').length >= all.length, 'all numbers');
      assert.deepEqual(client.firsts('all'), all);
      assert.ok(
        told.every((line) => !line.startsWith('on_disconnect')),
        told.join(),
      );
    }
  }
}

test('Redis is killed and starts anew with nothing; then it stands still for longer than all leases', {
  skip,
}, async (t) => {
  const redis = await RedisServer.start();
  t.after(() => redis.stop());
  const stream = await Stream.start(t, redis.port);
  await stream.outage(
    () => redis.stop('SIGKILL'),
    () => redis.start(),
  );
  await stream.outage(
    () => redis.pause(),
    () => redis.resume(),
  );
  await stream.kill();
  await stream.isWhole();
});

test('Sentinels put a replica in the place of a master that is killed, and of the next one that stands still', {
  skip,
}, async (t) => {
  const master = await RedisServer.start();
  const replicas = [await startReplica(master), await startReplica(master)];
  const sentinel = await startSentinel(master, 'sessions');
  t.after(() => Promise.all([master, ...replicas, sentinel].map((server) => server.stop())));
  const known = () =>
    sentinel.query((redis) => redis.call('sentinel', 'replicas', 'sessions'), { enableReadyCheck: false });
  await eventually(async () => ((await known()) as unknown[]).length === 2, 'the replicas to be known', 30_000);
  const stream = await Stream.start(t, { sentinels: [`127.0.0.1:${sentinel.port}`], master_name: 'sessions' });
  const masterNow = async () => {
    const address = sentinel.query((redis) => redis.call('sentinel', 'get-master-addr-by-name', 'sessions'), {
      enableReadyCheck: false,
    });
    return Number(((await address) as string[])[1]);
  };
  const failsOver = async (from: RedisServer, fail: () => unknown) => {
    await fail();
    await eventually(async () => (await masterNow()) !== from.port, 'the failover', 30_000);
  };
  await stream.movesOn(() => failsOver(master, () => master.stop('SIGKILL')));
  const second = replicas[(await masterNow()) === replicas[0]!.port ? 0 : 1]!;
  await stream.movesOn(() => failsOver(second, () => second.pause()));
  await stream.kill();
  await stream.isWhole();
});
