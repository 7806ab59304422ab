/** A user of a simulation: Socket.IO's own client over a simulated connection, and what it has heard. */
import { Manager, type Socket, WebSocket } from 'socket.io-client';
import type { VirtualClock } from './clock.ts';
import { type Cut, Pipe, type SimSockets } from './network.ts';

export interface Heard {
  readonly number: number;
  readonly position: string;
  readonly at: number;
}

/** What a client has heard of one session, on all its connections. */
export class Stream {
  readonly sid: string;
  readonly heard: Heard[] = [];
  /** Since when it may have missed something: the client has no connection. */
  lostAt: number | undefined;
  /** The client has left it by itself. */
  left = false;
  /** Something that the client has sent on a former connection may arrive after it has a new one. */
  hasLateAttempt = false;

  constructor(sid: string) {
    this.sid = sid;
  }
}

export interface ClientEvents {
  /** A session has begun, after another one of the same client: which is not recovered. */
  began(stream: Stream, former: Stream | undefined): void;
  recovered(stream: Stream): void;
  broken(what: string): void;
}

/** What the library keeps for a return, and does not show. */
interface Returning {
  _pid?: string;
  _lastOffset?: string;
}

export class SimClient {
  readonly name: string;
  readonly socket: Socket;
  readonly streams: Stream[] = [];
  readonly #clock: VirtualClock;
  readonly #events: ClientEvents;
  readonly #pipes: Pipe[] = [];
  /** Where its next connection leads to. */
  readonly #node: () => SimSockets | undefined;
  readonly #isRecoverable: boolean;
  reachable = true;
  /** Share of its connections that are cut while it is being told what it has missed. */
  cutShare = 0;
  recoveries = 0;

  /** @param isRecoverable whether it can return to its sessions */
  constructor(
    name: string,
    isRecoverable: boolean,
    node: () => SimSockets | undefined,
    clock: VirtualClock,
    events: ClientEvents,
  ) {
    this.name = name;
    this.#isRecoverable = isRecoverable;
    this.#node = node;
    this.#clock = clock;
    this.#events = events;
    const dial = (uri: string) => this.dial(uri).client;
    class Transport extends WebSocket {
      override createSocket(uri: string): unknown {
        return dial(uri);
      }
    }
    const manager = new Manager('http://simulation', {
      transports: [Transport],
      reconnectionDelay: 30,
      reconnectionDelayMax: 300,
      timeout: 1000,
      autoConnect: false,
      forceNew: true,
    });
    this.socket = manager.socket('/');
    this.socket.on('connect', () => this.#connected());
    this.socket.on('disconnect', (reason) => this.#disconnected(reason));
    this.socket.onAny((name: string, ...args: unknown[]) => {
      if (name === 'e') this.#heard(args);
      else if (name === 'pong') return;
      else if (name !== 'hive_error' || !isStopped(args[0]))
        this.#events.broken(`${this.name} is sent ${name} ${JSON.stringify(args)}`);
    });
  }

  dial(uri: string): Pipe {
    if (this.stream && this.#pipes.some(({ up }) => up.oldest !== undefined)) this.stream.hasLateAttempt = true;
    const sockets = this.#node();
    const pipe = sockets ? sockets.dial(uri, this.reachable) : noPipe(this.#clock);
    if (this.#clock.chance(this.cutShare)) pipe.cutAfter = this.#clock.between(1, 6);
    this.#pipes.push(pipe);
    return pipe;
  }

  get stream(): Stream | undefined {
    return this.streams.at(-1);
  }

  /** Its newest connection. */
  get pipe(): Pipe | undefined {
    return this.#pipes.at(-1);
  }

  /** With what it would return now. */
  get claim(): { readonly pid: string | undefined; readonly offset: string | undefined } {
    const { _pid: pid, _lastOffset: offset } = this.socket as unknown as Returning;
    return { pid, offset };
  }

  cut(kind: Cut): void {
    this.pipe?.cut(kind);
  }

  /** Unless it is about to come back by itself. */
  connect(): void {
    if (!this.socket.active) this.socket.connect();
  }

  stop(): void {
    if (this.stream) this.stream.left = true;
    this.socket.disconnect();
  }

  #heard(args: unknown[]): void {
    const [number, position] = [args[0], this.#isRecoverable ? args.at(-1) : ''];
    if (typeof number !== 'number' || typeof position !== 'string') {
      this.#events.broken(`${this.name} is sent an event without a position: ${JSON.stringify(args)}`);
      return;
    }
    this.#current().heard.push({ number, position, at: this.#clock.now });
  }

  #connected(): void {
    if (!this.socket.recovered) {
      this.#current();
      return;
    }
    this.recoveries += 1;
    const { stream } = this;
    if (!stream || stream.sid !== this.socket.id) {
      this.#events.broken(`${this.name} is told that ${this.socket.id} is recovered, and had ${stream?.sid}`);
      return;
    }
    stream.lostAt = undefined;
    stream.left = false;
    this.#events.recovered(stream);
  }

  #disconnected(_reason: string): void {
    const { stream, pipe } = this;
    // The library says it once more for a connection without an answer.
    if (stream) stream.lostAt ??= pipe?.lostAt ?? this.#clock.now;
  }

  /** The library emits what it has kept back before it says that it is connected. */
  #current(): Stream {
    const sid = this.socket.id ?? '';
    const former = this.stream;
    if (former?.sid === sid) return former;
    const stream = new Stream(sid);
    this.streams.push(stream);
    this.#events.began(stream, former);
    return stream;
  }
}

function isStopped(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'error' in error && error.error === 'stopped';
}

/** There is nobody to connect to. */
function noPipe(clock: VirtualClock): Pipe {
  const pipe = new Pipe(clock);
  clock.after(1, () => pipe.client.refused());
  return pipe;
}
