/** Where the cases of the official suites run: nodes in pairs, at each of them and through a proxy that spreads requests over both. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { chooseSockets } from '../../src/web/sockets/choice.ts';
import { newEcho } from './engine-echo.ts';
import { RawSocket, request } from './raw-client.ts';
import { startRelayPair } from './relay-pair.ts';
import { RoundRobin } from './round-robin.ts';
import { loadable } from './socket-libraries.ts';

/** What the messages of a connection meet: an echo, or Socket.IO. */
export type Carried = 'echo' | 'Socket.IO';

/** Sessions that outlast every case, that are pinged often, and that time out at once; in ms. */
const tempos = {
  quiet: { ping_interval: 20_000, ping_timeout: 20_000 },
  pinged: { ping_interval: 50, ping_timeout: 20_000 },
  hasty: { ping_interval: 50, ping_timeout: 50 },
} as const;

export type Tempo = keyof typeof tempos;
export const announced = { pingInterval: 20_000, pingTimeout: 20_000, maxPayload: 1_000_000 };

/** How a version writes a polling payload of texts. */
const payloads = {
  3: (packets: string[]) => packets.map((packet) => `${packet.length}:${packet}`).join(''),
  4: (packets: string[]) => packets.join('\x1e'),
};

/** One way to the nodes, for one version of Engine.IO. */
export class Target {
  readonly version: 3 | 4;
  readonly carried: Carried;
  /** By what the nodes behind them do. */
  readonly #urls: Readonly<Record<Tempo, string>>;

  constructor(version: 3 | 4, carried: Carried, urls: Readonly<Record<Tempo, string>>) {
    this.version = version;
    this.carried = carried;
    this.#urls = urls;
  }

  at(query: string, tempo: Tempo = 'quiet'): string {
    return `${this.#urls[tempo]}/engine.io/?${query}`;
  }

  payload(...packets: string[]): string {
    return payloads[this.version](packets);
  }

  /** Opens a session over polling, and gives the URL of its requests. Version 3: in texts only, unless `bytes`. */
  async open(tempo: Tempo = 'quiet', bytes = false): Promise<string> {
    const url = this.at(`EIO=${this.version}&transport=polling`, tempo);
    const { body } = await request(this.version === 3 && !bytes ? `${url}&b64=1` : url);
    return `${url}&sid=${/"sid":"([^"]+)"/.exec(body)![1]}`;
  }

  post(url: string, ...packets: string[]) {
    return request(url, { method: 'POST', body: this.payload(...packets) });
  }

  /** A poll, which must be answered with these. */
  async polls(url: string, ...packets: string[]): Promise<void> {
    const { status, body } = await request(url);
    assert.deepEqual([status, body], [200, this.payload(...packets)]);
  }

  /** A WebSocket that has got its open packet. */
  async socket(tempo: Tempo = 'quiet'): Promise<RawSocket> {
    const socket = new RawSocket(this.at(`EIO=${this.version}&transport=websocket`, tempo));
    assert.match(await socket.next(), /^0\{/);
    return socket;
  }

  /** A session over polling, and a WebSocket whose probe was answered. */
  async probed(): Promise<{ url: string; socket: RawSocket }> {
    const url = await this.open();
    const socket = await new RawSocket(socketUrl(url)).opened();
    socket.send('2probe');
    assert.equal(await socket.next(), '3probe');
    return { url, socket };
  }

  /** The session lives, and that is its transport. `again`: it has been shown before. */
  async lives(socket: RawSocket, again = false): Promise<void> {
    if (this.carried === 'echo') {
      socket.send('4hello');
      assert.equal(await socket.next(), '4hello');
    } else if (again) {
      socket.send('42["echo","hello"]');
      assert.equal(await socket.next(), '42["echo","hello"]');
    } else {
      socket.send('40');
      assert.match(await socket.next(), /^40\{"sid":/);
    }
  }
}

export function socketUrl(url: string): string {
  return url.replace('transport=polling', 'transport=websocket');
}

/** Starts two nodes for each tempo, and gives the ways to them: one node, the other, and both in turn. */
export async function startPlaces(t: TestContext, carried: Carried) {
  const libraries = [loadable[0]!, loadable.at(-1)!] as const;
  const parts = libraries.map((forced) => ({
    sockets: chooseSockets({ forced }).library,
    ...(carried === 'echo' && { newMessageLayer: newEcho }),
  }));
  const first: Partial<Record<Tempo, string>> = {};
  const second: Partial<Record<Tempo, string>> = {};
  const spread: Partial<Record<Tempo, string>> = {};
  for (const [tempo, times] of Object.entries(tempos) as [Tempo, (typeof tempos)[Tempo]][]) {
    const socketio = { ...times, path: '/engine.io', max_payload: announced.maxPayload };
    const { owner, entry } = await startRelayPair(t, { socketio }, [parts[0], parts[1]]);
    const proxy = await RoundRobin.start([owner.server.port, entry.server.port]);
    t.after(() => proxy.stop());
    first[tempo] = owner.url;
    second[tempo] = entry.url;
    spread[tempo] = proxy.url;
  }
  const places = {
    [`at the owner, sockets ${libraries[0]}`]: first,
    [`at the owner, sockets ${libraries[1]}`]: second,
    'through a proxy': spread,
  };
  return Object.entries(places) as [place: string, urls: Record<Tempo, string>][];
}
