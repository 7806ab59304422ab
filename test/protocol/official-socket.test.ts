/**
 * The cases of the official suite of Socket.IO 5 that are about Socket.IO, in our own words, against nodes in processes of their own with
 * the back end that it asks for; those about Engine.IO are in official-engine.test.ts. At each of two nodes, with the fastest and the
 * slowest of the socket libraries, and through a proxy that gives every connection to the next node. Needs a build.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BackEnd } from '../support/back-end.ts';
import { RawSocket } from '../support/raw-client.ts';
import { RelayCluster } from '../support/relay-cluster.ts';
import { RoundRobin } from '../support/round-robin.ts';
import { loadable } from '../support/socket-libraries.ts';
import { startSuiteBackEnd, suiteSections, suiteSettings } from '../support/suite-back-end.ts';

const libraries = [loadable[0]!, loadable.at(-1)!];
/** Who is to be pinged is, soon; nobody has to answer. In ms. */
const times = { ping_interval: 300, ping_timeout: 20_000, connect_timeout: 3000 };

/** A client of Engine.IO that has its open packet. */
class Client {
  readonly #socket: RawSocket;
  #pinged = false;

  private constructor(socket: RawSocket) {
    this.#socket = socket;
  }

  static async open(url: string): Promise<Client> {
    const client = new Client(new RawSocket(`${url}/socket.io/?EIO=4&transport=websocket`));
    assert.match(await client.next(), /^0\{/);
    return client;
  }

  /** One that is connected to the default namespace. */
  static async connect(url: string): Promise<Client> {
    const client = await Client.open(url);
    await client.joins('', '40', {});
    return client;
  }

  send(...packets: (string | Uint8Array<ArrayBuffer>)[]): void {
    for (const packet of packets) this.#socket.send(packet);
  }

  /** The next packet that is no ping. */
  async next(): Promise<string> {
    const packet = await this.#socket.next();
    if (packet !== '2') return packet;
    this.#pinged = true;
    return this.next();
  }

  async gets(...packets: string[]): Promise<void> {
    for (const packet of packets) assert.equal(await this.next(), packet);
  }

  async isPinged(): Promise<void> {
    // Another one comes when the last was answered.
    if (this.#pinged) this.send('3');
    assert.equal(await this.#socket.next(), '2');
  }

  /** Asks for a namespace, and hears from its back end what that was told. */
  async joins(namespace: string, packet: string, auth: unknown): Promise<void> {
    this.send(packet);
    const answer = await this.next();
    assert.ok(answer.startsWith(`40${namespace}{`), answer);
    const { sid, ...rest } = JSON.parse(answer.slice(answer.indexOf('{'))) as Record<string, unknown>;
    assert.equal(typeof sid, 'string');
    assert.deepEqual(rest, {});
    await this.gets(`42${namespace}["auth",${JSON.stringify(auth)}]`);
  }

  async isClosed(): Promise<void> {
    await this.#socket.closed();
  }

  leave(): void {
    this.#socket.close();
  }
}

const attachments = [Uint8Array.from([1, 2, 3]), Uint8Array.from([4, 5, 6])];
const places = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';

type Case = (url: string) => Promise<void>;

/** @param packet what a connected client is sent away for */
const malformed =
  (packet: string): Case =>
  async (url) => {
    const client = await Client.connect(url);
    client.send(packet);
    await client.isClosed();
  };

const joining =
  (namespace: string, packet: string, auth: unknown): Case =>
  async (url) => {
    const client = await Client.open(url);
    await client.joins(namespace, packet, auth);
    client.leave();
  };

/** @param answers to the packets of a connected client */
const answered =
  (sent: (string | Uint8Array<ArrayBuffer>)[], answers: string[]): Case =>
  async (url) => {
    const client = await Client.connect(url);
    client.send(...sent);
    await client.gets(...answers);
    client.leave();
  };

const cases: Record<string, Case> = {
  'connect: the default namespace': joining('', '40', {}),
  'connect: the default namespace, with a payload': joining('', '40{"token":"123"}', { token: '123' }),
  'connect: another namespace': joining('/custom,', '40/custom,', {}),
  'connect: another namespace, with a payload': joining('/custom,', '40/custom,{"token":"abc"}', { token: 'abc' }),
  async 'connect: a namespace that is unknown is refused'(url) {
    const client = await Client.open(url);
    client.send('40/random');
    await client.gets('44/random,{"message":"Invalid namespace"}');
    client.leave();
  },
  async 'connect: who begins with something else is sent away'(url) {
    const client = await Client.open(url);
    client.send('4abc');
    await client.isClosed();
  },
  async 'connect: who never asks for a namespace is sent away'(url) {
    const client = await Client.open(url);
    await client.isClosed();
  },
  async 'disconnect: the connection outlives the default namespace'(url) {
    const client = await Client.connect(url);
    client.send('41');
    await client.isPinged();
    client.leave();
  },
  async 'disconnect: the default namespace outlives another'(url) {
    const client = await Client.connect(url);
    await client.joins('/custom,', '40/custom', {});
    client.send('41/custom', '42["message","message to main namespace"]');
    await client.gets('42["message-back","message to main namespace"]');
    client.leave();
  },
  'message: text': answered(['42["message",1,"2",{"3":[true]}]'], ['42["message-back",1,"2",{"3":[true]}]']),
  'message: bytes': answered(
    [`452-["message",${places}]`, ...attachments],
    [`452-["message-back",${places}]`, '0x010203', '0x040506'],
  ),
  'message: text that is acknowledged': answered(
    ['42456["message-with-ack",1,"2",{"3":[false]}]'],
    ['43456[1,"2",{"3":[false]}]'],
  ),
  'message: bytes that are acknowledged': answered(
    [`452-789["message-with-ack",${places}]`, ...attachments],
    [`462-789[${places}]`, '0x010203', '0x040506'],
  ),
  'message: a packet of no known type ends the connection': malformed('4abc'),
  'message: an event that is no array ends the connection': malformed('42{}'),
  'message: an id that is no number ends the connection': malformed('42abc["message-with-ack",1,"2",{"3":[false]}]'),
};

describe('Socket.IO 5', { concurrency: true }, () => {
  let backEnd: BackEnd;
  let cluster: RelayCluster;
  let proxy: RoundRobin;

  before(async () => {
    backEnd = await startSuiteBackEnd();
    const runners = libraries.map((sockets) => ({ node: process.execPath, sockets }));
    const settings = { ...suiteSettings, ...times };
    cluster = await RelayCluster.start(2, settings, {}, runners, suiteSections(backEnd));
    proxy = await RoundRobin.start(cluster.nodes.map(({ port }) => port));
  });

  after(async () => {
    await proxy?.stop();
    await cluster?.stop();
    await backEnd?.stop();
  });

  const urls: Record<string, () => string> = {
    [`at the first node, sockets ${libraries[0]}`]: () => cluster.nodes[0]!.url,
    [`at the second node, sockets ${libraries[1]}`]: () => cluster.nodes[1]!.url,
    'through a proxy': () => proxy.url,
  };
  for (const [place, url] of Object.entries(urls)) {
    describe(place, { concurrency: true }, () => {
      for (const [title, run] of Object.entries(cases)) test(title, () => run(url()));
    });
  }
});
