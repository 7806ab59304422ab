/**
 * What nodes connect to. Back ends that answer what they are told to: the bytes are in the question. And a proxy before Redis, which spoils the reply
 * to a command with `mangle-N` in it, in the way that N determines. And what nodes of the cluster
 * dial for ever, which answers their greeting with anything.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FrameReader } from '../../src/protocol/backend/framing.ts';
import { mutateBytes } from './mutate.ts';
import { namePacket, packet } from './node-peer.ts';
import { Random } from './random.ts';

const wanted = /"answer":"([A-Za-z0-9+/=]*)"/;
const nothing = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]');

/** Replies of RESP 2 and 3, complete ones, that answer nothing. */
const replies = [
  ...[
    '$-1',
    '*-1',
    '_',
    '+OK',
    ':1',
    '-ERR odd',
    '-READONLY',
    '-MOVED 1 x:1',
    '*0',
    '$0\r\n',
    '#t',
    ',1.5',
    '(123',
    '~1\r\n:1',
  ],
  ...[
    '>1\r\n_',
    '>2\r\n+subscribe\r\n_',
    '>3\r\n+message\r\n_\r\n_',
    '>1\r\n+unsubscribe',
    '%1\r\n+a\r\n:1',
    '*2\r\n_\r\n_',
    '=5\r\ntxt:x',
  ],
].map((reply) => Buffer.from(`${reply}\r\n`));

function spoil(chunk: Buffer, random: Random): Buffer {
  if (random.chance(0.5)) return mutateBytes(chunk, random);
  const odd = random.pick(replies);
  return Buffer.concat(random.pick([[odd, chunk], [chunk, odd], [odd], [odd, odd, chunk]]));
}

/** The status and the challenge, or what is left of them. */
function answerToGreeting(random: Random): Buffer {
  const status = packet(
    Buffer.from(random.pick(['sok', 'sok_simultaneous', 'salive', 'snok', 'snot_allowed', 's', 'x'])),
  );
  const name = namePacket({ name: `none${random.int(8)}@127.0.0.1`, asHive: random.chance(0.5) });
  const challenge = packet(Buffer.concat([name.subarray(0, 9), random.bytes(4), name.subarray(9)]));
  const whole = Buffer.concat(
    random.pick([[status, challenge], [status], [challenge], [status, challenge, random.bytes(30)]]),
  );
  return random.chance(0.5) ? whole : mutateBytes(whole, random);
}

export class GarbageBackEnds {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #hasBegun = false;
  /** What determines how the first reply on the next connection to Redis is spoilt. */
  #greeting: string | undefined;
  /** Answers that were spoilt, and replies of Redis. */
  readonly counts = { http: 0, tcp: 0, redis: 0, dialled: 0 };

  /** Resolves to the port of a back end over HTTP. */
  http(): Promise<number> {
    return this.#listen((socket) => {
      let request = '';
      socket.on('data', (chunk: Buffer) => {
        request += chunk.toString('latin1');
        const end = request.indexOf('\r\n\r\n') + 4;
        const length = Number(/content-length: (\d+)/i.exec(request)?.[1] ?? 0);
        if (end < 4 || request.length < end + length) return;
        const answer = wanted.exec(request)?.[1];
        request = request.slice(end + length);
        if (answer !== undefined) this.counts.http += 1;
        socket.write(answer === undefined ? nothing : Buffer.from(answer, 'base64'));
      });
    });
  }

  /** Resolves to the port of a back end over TCP. */
  tcp(): Promise<number> {
    return this.#listen((socket) => {
      const reader = new FrameReader(1_000_000, ({ payload }) => {
        const answer = wanted.exec(payload)?.[1];
        if (answer === undefined) return;
        this.counts.tcp += 1;
        socket.write(Buffer.from(answer, 'base64'));
      });
      socket.on('data', (chunk: Buffer) => reader.read(chunk));
    });
  }

  /** Resolves to the port of a proxy before that Redis. */
  redis(port: number): Promise<number> {
    return this.#listen((socket) => {
      const server = this.#keep(connect(port, '127.0.0.1'));
      let mangle = this.#greeting;
      this.#greeting = undefined;
      socket.on('data', (chunk: Buffer) => {
        mangle = /mangle-\d+/.exec(chunk.toString('latin1'))?.[0] ?? mangle;
        server.write(chunk);
      });
      server.on('data', (chunk: Buffer) => {
        if (mangle !== undefined) this.counts.redis += 1;
        socket.write(mangle === undefined ? chunk : spoil(chunk, new Random(mangle)));
        // The next connection gets odd answers from the first one on.
        this.#greeting = mangle?.endsWith('7') ? `greeting ${mangle}` : this.#greeting;
        mangle = undefined;
      });
      socket.on('close', () => server.destroy());
      server.on('close', () => socket.destroy());
    });
  }

  /**
   * Resolves to the port of something that is no node. Who comes before `begin` is turned away: a node that is told at its start
   * that there is one of its name ends, as it should.
   */
  noNode(): Promise<number> {
    return this.#listen((socket) => {
      if (!this.#hasBegun) return void socket.destroy();
      this.counts.dialled += 1;
      const random = new Random(`dialled ${this.counts.dialled}`);
      socket.on('data', () => socket.write(answerToGreeting(random)));
    });
  }

  begin(): void {
    this.#hasBegun = true;
  }

  stop(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #listen(serve: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => serve(this.#keep(socket)));
    this.#servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    // An error is always followed by `close`.
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
