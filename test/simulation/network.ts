/**
 * The network between the clients of a simulation and a node: connections whose messages take time and keep their order, and that break
 * in every way in which they do. The node's end is a socket library (src/web/sockets/types.ts), the client's a WebSocket as browsers have.
 *
 *   client ──up──▶ node          cut: what is under way is lost, but for a few; each end learns of it soon, or not at all
 *          ◀─down─               stalled: everything waits, and piles up at the node
 */
import type {
  Listening,
  RequestHandler,
  SocketApp,
  SocketBehavior,
  SocketLibrary,
  SocketRequest,
  UpgradeResponse,
  WebSocket,
} from '../../src/web/sockets/types.ts';
import type { Machine, VirtualClock } from './clock.ts';
import { Lane, maxDelayMs } from './lane.ts';

type Text = string | ArrayBuffer | ArrayBufferView;

/** Who learns soon that a connection is cut. The others have their heartbeats. */
export type Cut = 'both_know' | 'client_knows' | 'server_knows';

export class Pipe {
  readonly #clock: VirtualClock;
  readonly client: ClientEnd;
  server: ServerEnd | undefined;
  readonly down: Lane;
  readonly up: Lane;
  /** Since when what the node sends may not arrive. */
  lostAt: number | undefined;
  /** It is cut when so many messages have arrived at the client. */
  cutAfter: number | undefined;
  #isCut = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    this.client = new ClientEnd(this);
    this.down = new Lane(clock);
    this.up = new Lane(clock);
  }

  cut(kind: Cut): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.lose();
    const left = this.#clock.chance(0.5) ? 0 : this.#clock.between(0, 4);
    this.down.cut(left);
    this.up.cut(this.#clock.between(0, 2));
    if (kind !== 'server_knows') this.#clock.after(this.#clock.between(0, 40), () => this.client.lost());
    if (kind !== 'client_knows') this.#clock.after(this.#clock.between(0, 40), () => this.server?.lost());
  }

  lose(): void {
    this.lostAt ??= Math.min(this.down.oldest ?? this.#clock.now, this.#clock.now);
  }

  /** A message has arrived at the client. */
  arrived(): void {
    if (this.cutAfter === undefined) return;
    this.cutAfter -= 1;
    if (this.cutAfter <= 0) this.cut(this.#clock.pick<Cut>(['both_know', 'client_knows', 'server_knows']));
  }

  stall(stalled: boolean): void {
    this.down.stall(stalled);
    this.up.stall(stalled);
    if (!stalled) this.server?.drained();
  }
}

/** The WebSocket of a client, as far as its library uses it. */
export class ClientEnd {
  readonly #pipe: Pipe;
  #open = true;
  #wasOpened = false;
  binaryType = '';
  onopen: () => void = () => {};
  onmessage: (event: { data: unknown }) => void = () => {};
  onclose: (event: unknown) => void = () => {};
  onerror: (event: unknown) => void = () => {};

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  send(data: string): void {
    if (this.#open) this.#pipe.up.push(data.length, () => this.#pipe.server?.receive(data));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#pipe.lose();
    this.#pipe.up.push(0, () => this.#pipe.server?.lost());
  }

  opened(): void {
    if (!this.#open) return;
    this.#wasOpened = true;
    this.onopen();
  }

  /** The connection is gone. */
  lost(): void {
    if (!this.#wasOpened) return this.refused();
    if (!this.#open) return;
    this.#open = false;
    this.#pipe.lose();
    this.onclose({});
  }

  /** It never came about. */
  refused(): void {
    if (!this.#open) return;
    this.#open = false;
    this.onerror({});
  }

  receive(data: Text): void {
    if (!this.#open) return;
    this.onmessage({ data });
    this.#pipe.arrived();
  }
}

/** What the server says that a client is connected to: `40{"sid":…}`, `40/side,{"sid":…}`. */
const connectAnswer = /^40(?:\/[^,]*,)?\{"sid":"([^"]+)"/;

/** A socket, and the session that its client has. */
export interface Holder {
  readonly isOpen: boolean;
  readonly sid: string | undefined;
}

class ServerEnd implements WebSocket<unknown>, Holder {
  readonly #pipe: Pipe;
  readonly #app: SimApp;
  readonly #data: unknown;
  readonly #topics = new Set<string>();
  /** The session that it was told to have. */
  sid: string | undefined;
  #open = true;
  /** The answer to the client that is held back, by a mutation. */
  #late: string | undefined;

  constructor(app: SimApp, pipe: Pipe, data: unknown) {
    this.#app = app;
    this.#pipe = pipe;
    this.#data = data;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  send(message: Text): number {
    this.#check();
    this.put(message);
    return this.#pipe.down.stalled ? 0 : 1;
  }

  put(message: Text): void {
    const [, sid] = (typeof message === 'string' && connectAnswer.exec(message)) || [];
    if (sid !== undefined) {
      this.sid = sid;
      const { library } = this.#app;
      library.answered(this, sid);
      const isReturn = library.sids.has(sid);
      library.sids.add(sid);
      if (library.answersLast && isReturn) {
        this.#late = message as string;
        queueMicrotask(() => {
          const late = this.#late!;
          this.#late = undefined;
          this.#push(late);
        });
        return;
      }
    }
    if (message === '41') this.sid = undefined;
    this.#push(message);
  }

  #push(message: Text): void {
    const size = typeof message === 'string' ? message.length : message.byteLength;
    this.#pipe.down.push(size, () => this.#pipe.client.receive(message));
  }

  receive(data: string): void {
    if (!this.#open) return;
    this.#app.library.here(() => {
      if (!this.#open) return;
      if (data === '41') this.sid = undefined;
      this.#app.behavior.message(this, data, false);
    });
  }

  drained(): void {
    this.#app.library.here(() => {
      if (this.#open) this.#app.behavior.drain(this);
    });
  }

  /** The connection is gone. */
  lost(): void {
    this.#app.library.here(() => {
      if (!this.#open) return;
      this.#leave();
      this.#app.behavior.close(this, false);
    });
  }

  /** The node is gone: nobody is told at this end. */
  vanish(): void {
    this.#leave();
    this.#pipe.stall(false);
    this.#pipe.cut('client_knows');
  }

  ping(): void {}

  end(): void {
    this.#check();
    this.#leave();
    this.#pipe.down.push(0, () => this.#pipe.client.lost());
    this.#closed();
  }

  close(): void {
    this.#check();
    this.#leave();
    this.#pipe.down.cut(0);
    this.#app.clock.after(this.#app.clock.between(0, maxDelayMs), () => this.#pipe.client.lost());
    this.#closed();
  }

  /** Some libraries tell at once, some later. */
  #closed(): void {
    const { library, clock, behavior } = this.#app;
    if (library.tellsAtOnce) behavior.close(this, false);
    else clock.after(0, () => library.here(() => behavior.close(this, false)));
  }

  #leave(): void {
    this.#open = false;
    this.#pipe.lose();
    this.sid = undefined;
    for (const topic of this.#topics) this.#app.leave(topic, this);
    this.#app.sockets.delete(this);
  }

  getBufferedAmount(): number {
    return this.#pipe.down.stalled ? this.#pipe.down.bytes : 0;
  }

  getUserData(): never {
    return this.#data as never;
  }

  subscribe(topic: string): void {
    this.#check();
    this.#topics.add(topic);
    this.#app.join(topic, this);
  }

  unsubscribe(topic: string): void {
    this.#check();
    if (this.#topics.delete(topic)) this.#app.leave(topic, this);
  }

  isSubscribed(topic: string): boolean {
    return this.#topics.has(topic);
  }

  getTopics(): string[] {
    return [...this.#topics];
  }

  #check(): void {
    // What still runs of a node that is no more does not matter.
    if (!this.#open && !this.#app.library.isGone) throw new Error('a socket was used after its end');
  }
}

class SimApp implements SocketApp {
  readonly library: SimSockets;
  readonly clock: VirtualClock;
  readonly sockets = new Set<ServerEnd>();
  readonly #topics = new Map<string, Set<ServerEnd>>();
  behavior!: SocketBehavior<unknown>;

  constructor(library: SimSockets, clock: VirtualClock) {
    this.library = library;
    this.clock = clock;
  }

  post(_pattern: '/*', _handler: RequestHandler): void {}

  any(_pattern: '/*', _handler: RequestHandler): void {}

  ws<Data>(_pattern: '/*', behavior: SocketBehavior<Data>): void {
    this.behavior = behavior as unknown as SocketBehavior<unknown>;
  }

  async listen(): Promise<Listening> {
    return { port: 1, stop() {}, pause() {}, async resume() {} };
  }

  publish(topic: string, message: Text): void {
    for (const socket of this.#topics.get(topic) ?? []) socket.put(message);
  }

  numSubscribers(topic: string): number {
    return this.#topics.get(topic)?.size ?? 0;
  }

  get topics(): number {
    return this.#topics.size;
  }

  join(topic: string, socket: ServerEnd): void {
    const sockets = this.#topics.get(topic);
    if (sockets) sockets.add(socket);
    else this.#topics.set(topic, new Set([socket]));
  }

  leave(topic: string, socket: ServerEnd): void {
    const sockets = this.#topics.get(topic);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.#topics.delete(topic);
  }

  late(upgrade: () => void): void {
    upgrade();
  }

  close(): void {
    for (const socket of this.sockets) socket.lost();
  }

  /** A client dials. */
  accept(pipe: Pipe, uri: string): void {
    const { pathname, search } = new URL(uri);
    const query = search.slice(1);
    const request: Pick<SocketRequest, 'getUrl' | 'getMethod' | 'getHeader' | 'forEach' | 'getQuery'> = {
      getUrl: () => pathname,
      getQuery: () => query,
      getMethod: () => 'get',
      getHeader: () => '',
      forEach() {},
    };
    const response: Partial<UpgradeResponse> = {
      onAborted() {},
      cork: (callback) => callback(),
      writeStatus() {},
      writeHeader() {},
      end: () => this.clock.after(this.clock.between(0, maxDelayMs), () => pipe.client.refused()),
      getRemoteAddressAsText: () => new TextEncoder().encode('10.0.0.1').buffer as ArrayBuffer,
      upgrade: (data) => {
        const socket = new ServerEnd(this, pipe, data);
        pipe.server = socket;
        this.sockets.add(socket);
        pipe.down.push(0, () => pipe.client.opened());
        this.behavior.open(socket);
      },
    };
    this.library.here(() => {
      this.behavior.upgrade(response as UpgradeResponse, request as SocketRequest, undefined);
    });
  }
}

/** The socket library of one node. */
export class SimSockets implements SocketLibrary {
  readonly #clock: VirtualClock;
  readonly #machine: Machine | undefined;
  #app: SimApp | undefined;
  /** Whether a socket that the node closes says so within the call. */
  readonly tellsAtOnce: boolean;
  /** A mutation: the answer to a client that returns comes behind what it has missed. */
  answersLast = false;
  /** The sessions that clients were told. */
  readonly sids = new Set<string>();
  /** A client was told its session. */
  answered: (socket: Holder, sid: string) => void = () => {};

  /** Nothing comes in or goes out. */
  #frozen = false;
  readonly #pipes = new Set<Pipe>();

  constructor(clock: VirtualClock, machine: Machine | undefined) {
    this.#clock = clock;
    this.#machine = machine;
    this.tellsAtOnce = clock.chance(0.5);
  }

  get isGone(): boolean {
    return this.#machine?.isDead ?? false;
  }

  /** Runs what comes from outside where the node runs. */
  here(run: () => void): void {
    if (this.#machine) this.#machine.whenAwake(() => this.#clock.on(this.#machine, run));
    else run();
  }

  createApp(): SocketApp {
    this.#app = new SimApp(this, this.#clock);
    return this.#app;
  }

  /** Sockets that are open, and the session of each. */
  get open(): readonly { readonly sid: string | undefined }[] {
    return [...(this.#app?.sockets ?? [])];
  }

  get topics(): number {
    return this.#app?.topics ?? 0;
  }

  dial(uri: string, reachable: boolean): Pipe {
    const pipe = new Pipe(this.#clock);
    this.#pipes.add(pipe);
    const app = this.#app;
    const arrive = (): void => {
      if (this.#frozen) this.#clock.after(20, arrive);
      else if (reachable && app && app === this.#app) app.accept(pipe, uri);
      else pipe.client.refused();
    };
    this.#clock.after(this.#clock.between(1, maxDelayMs), arrive);
    return pipe;
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen;
    for (const pipe of this.#pipes) {
      if (pipe.client.isOpen || pipe.server?.isOpen) pipe.stall(frozen);
      else this.#pipes.delete(pipe);
    }
  }

  /** The node is gone, and so are its connections. */
  lose(): void {
    const app = this.#app;
    this.#app = undefined;
    this.#frozen = false;
    for (const socket of app?.sockets ?? []) socket.vanish();
  }
}
