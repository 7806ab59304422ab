/** Something that speaks Redis' protocol on a real socket, as well or as badly as a test wants. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** The answer to a command, as bytes on the wire; undefined: none. */
type Answer = (command: readonly string[], socket: Socket) => string | undefined;

const info = 'redis_version:7.0.0\r\nloading:0\r\nrole:master\r\n';

/** What a healthy server says to everything. */
export const sane: Answer = ([name]) => (name === 'info' ? bulk(info) : '+OK\r\n');

export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

export class FakeRedis {
  /** Those that are open. */
  readonly sockets = new Set<Socket>();
  /** Connections so far on which something was said. */
  connections = 0;
  readonly commands: string[][] = [];
  answer: Answer = sane;
  /** What is said to everybody who comes. */
  greeting = '';
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(): Promise<FakeRedis> {
    const server = new FakeRedis();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Says something to everybody who is connected. */
  say(text: string): void {
    for (const socket of this.sockets) socket.write(text);
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    socket.once('data', () => {
      this.connections += 1;
    });
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    if (this.greeting !== '') socket.write(this.greeting);
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let read = readCommand(text); read; read = readCommand(text)) {
        text = text.slice(read.length);
        const [name = '', ...args] = read.command;
        const command = [name.toLowerCase(), ...args];
        this.commands.push(command);
        const answer = this.answer(command, socket);
        if (answer !== undefined) socket.write(answer, 'latin1');
      }
    });
  }
}

/** The array of bulk strings at the beginning of a text without line ends in its strings, if it is there whole. */
function readCommand(text: string): { command: string[]; length: number } | undefined {
  const lines = text.split('\r\n');
  const count = Number(lines[0]?.slice(1));
  if (!text.startsWith('*') || lines.length < 2 + 2 * count) return undefined;
  const used = lines.slice(0, 1 + 2 * count);
  return { command: used.filter((_, at) => at > 0 && at % 2 === 0), length: used.join('\r\n').length + 2 };
}
