/**
 * A conversation: what is said to a port, step by step, as data, so that it can be repeated and made shorter. `$SID` in what
 * is sent stands for the id of the last connection of Engine.IO or session of 0.9, `$CLIENT` for the sid of the last client.
 *
 *   open       another TCP connection, on which everything goes on; those before stay open until the end
 *   handshake  as a node that knows the cookie
 *   send       these bytes
 *   answer     waits until something has come, or the connection has ended, or `patienceMs` are over
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Greeting, joinAsNode } from './node-peer.ts';

/** How long an answer is waited for: there may be none, and it is not known which. */
const patienceMs = 150;
/** The same where it is known, unless the conversation was spoilt before. */
const longPatienceMs = 1000;
/** How long a connection or a handshake may take. */
const openMs = 5000;

export type PortName = 'client' | 'api' | 'monitor' | 'health' | 'epmd' | 'distribution' | 'tcpPool';

export type Step =
  | { readonly do: 'open'; readonly port: PortName; readonly node: 0 | 1 }
  | { readonly do: 'handshake'; readonly as: Greeting }
  | { readonly do: 'send'; readonly bytes: Buffer }
  | { readonly do: 'answer'; readonly until?: RegExp };

export const answer: Step = { do: 'answer' };

/** Waits longer for an answer that does come, unless something before has spoilt it. */
export function answerWith(until: RegExp): Step {
  return { do: 'answer', until };
}

export function open(port: PortName, node: number): Step {
  return { do: 'open', port, node: node === 0 ? 0 : 1 };
}

export function send(data: string | Buffer): Step {
  return { do: 'send', bytes: Buffer.from(data as string) };
}

export interface Case {
  /** `target:number`; with the seed it determines the steps. */
  readonly id: string;
  readonly steps: readonly Step[];
}

/** What a port's cases have come to. */
export class Tally {
  cases = 0;
  connections = 0;
  messages = 0;
  bytes = 0;
  /** Connections that the server has ended. */
  ended = 0;
  /** Answers by HTTP status, close frames by code. */
  readonly answers = new Map<string, number>();
  /** Answers that say of themselves that the server has a fault. */
  readonly faults: string[] = [];

  count(answer: string, received: string): void {
    if (answer === '500' || answer === 'close 1011') this.faults.push(received);
    this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
  }
}

export interface Surroundings {
  port(name: PortName, node: 0 | 1): number;
  readonly cookie: string;
}

/** Has a conversation, and closes everything. */
export async function converse({ steps }: Case, place: Surroundings, tally: Tally): Promise<void> {
  const lines: Line[] = [];
  const ids: Ids = { connection: 'none', client: 'none' };
  tally.cases += 1;
  try {
    for (const step of steps) {
      const line = lines[lines.length - 1];
      if (step.do === 'open') {
        tally.connections += 1;
        lines.push(await Line.open(place.port(step.port, step.node)));
      } else if (!line) throw new Error('a conversation begins with a connection');
      else if (step.do === 'handshake') await line.join(step.as, place.cookie);
      else if (step.do === 'answer') {
        await line.answered(step.until);
        line.note(ids);
      } else {
        tally.messages += 1;
        tally.bytes += step.bytes.length;
        line.send(step.bytes, ids);
      }
    }
  } finally {
    for (const line of lines) line.finish(tally);
  }
}

interface Ids {
  connection: string;
  client: string;
}

/** One connection. Everything that the other side does is fine. */
class Line {
  readonly #socket: Socket;
  #received = '';
  #seen = 0;
  #ended = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (this.#received.length < 200_000) this.#received += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
    socket.on('error', () => this.#end());
  }

  static async open(port: number): Promise<Line> {
    const socket = connect(port, '127.0.0.1');
    const line = new Line(socket);
    // A refusal is an answer as well.
    await once(socket, 'connect', { signal: AbortSignal.timeout(openMs) }).catch(() => line.#end());
    return line;
  }

  note(ids: Ids): void {
    const found = /"sid":"([^"]+)"|\r\n\r\n([\w.-]{8,}):\d*:\d*:/.exec(this.#received);
    ids.connection = found?.[1] ?? found?.[2] ?? ids.connection;
    ids.client = /40\{"sid":"([^"]+)"/.exec(this.#received)?.[1] ?? ids.client;
  }

  send(bytes: Buffer, { connection, client }: Ids): void {
    if (this.#ended) return;
    const text = bytes.toString('latin1');
    const meant = text.replaceAll('$SID', connection).replaceAll('$CLIENT', client);
    this.#socket.write(meant === text ? bytes : Buffer.from(meant, 'latin1'));
  }

  async join(as: Greeting, cookie: string): Promise<void> {
    await joinAsNode(this.#socket, as, cookie, AbortSignal.timeout(openMs)).catch(() => this.#end());
  }

  async answered(until?: RegExp): Promise<void> {
    const isThere = () =>
      this.#ended || (until ? until.test(this.#received.slice(this.#seen)) : this.#received.length > this.#seen);
    if (!isThere()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, until ? longPatienceMs : patienceMs);
        this.#wake = () => {
          if (!isThere()) return;
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#seen = this.#received.length;
  }

  finish(tally: Tally): void {
    if (this.#ended) tally.ended += 1;
    for (const [, status] of this.#received.matchAll(/HTTP\/1\.1 (\d{3}) /g)) tally.count(status!, this.#received);
    const code = closeCodeIn(this.#received);
    if (code !== undefined) tally.count(`close ${code}`, this.#received);
    this.#socket.destroy();
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }
}

/** The code in the close frame behind the head of an accepted WebSocket. */
function closeCodeIn(received: string): number | undefined {
  if (!received.startsWith('HTTP/1.1 101 ')) return undefined;
  const bytes = Buffer.from(received.slice(received.indexOf('\r\n\r\n') + 4), 'latin1');
  for (let at = 0; at + 4 <= bytes.length; ) {
    const short = bytes[at + 1]! & 0x7f;
    if (bytes[at] === 0x88) return short >= 2 ? bytes.readUInt16BE(at + 2) : undefined;
    // None of the frames that are sent here is longer than 65,535 bytes.
    at += short === 126 ? 4 + bytes.readUInt16BE(at + 2) : 2 + short;
  }
  return undefined;
}
