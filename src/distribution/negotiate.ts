/** Runs a handshake over a socket, in either role, against the clock. */
import type { Socket } from 'node:net';
import { FrameReader } from './frames.ts';
import { Acceptor, HandshakeError, Initiator, type Peer, type Self, type Status, type Step } from './handshake.ts';

/** As in Erlang (`net_setuptime`): all of the handshake must happen within this. */
export const setupTimeoutMs = 7000;
/** No handshake packet is longer: the longest holds a name of 255 characters. */
const maxPacket = 2048;

/** A connection whose two sides know each other. The socket is paused; `reader` holds what was already read. */
export interface Negotiated {
  readonly socket: Socket;
  readonly reader: FrameReader;
  readonly peer: Peer;
}

export interface NegotiateOptions {
  readonly self: Self;
  readonly headerSize: 2 | 4;
  readonly maxFrame: number;
}

/** Greets a node that was dialled. Destroys the socket when it rejects. @throws HandshakeError */
export function initiate(
  socket: Socket,
  options: NegotiateOptions,
  expected: string,
  replacesOld: () => boolean,
  patienceMs = setupTimeoutMs,
): Promise<Negotiated> {
  const machine = new Initiator(options.self, expected, replacesOld);
  const running = new Negotiation(socket, options, (packet) => machine.receive(packet), patienceMs);
  const doubt = options.headerSize === 4 ? 'another cookie or authority' : 'another cookie';
  running.describe = () => `${expected} closed the connection during the handshake; has it ${doubt}?`;
  running.send([machine.start()]);
  return running.outcome;
}

/** Answers a node that dialled us. `decide` is asked once it has said its name. @throws HandshakeError */
export function answer(
  socket: Socket,
  options: NegotiateOptions,
  decide: (peer: Peer) => Status | Promise<Status>,
): Promise<Negotiated> {
  const machine = new Acceptor(options.self);
  const running = new Negotiation(socket, options, (packet) => machine.receive(packet));
  running.describe = () => `${machine.peer?.node ?? socket.remoteAddress} closed the connection during the handshake`;
  running.onDecide = async (peer) => {
    const status = await decide(peer);
    const packets = machine.decide(status);
    running.send(packets);
    if (status === 'nok') running.refuse('simultaneous', `we are connecting to ${peer.node} ourselves`);
    if (status === 'not_allowed') running.refuse('refused', `${peer.node} is not let in`);
  };
  return running.outcome;
}

class Negotiation {
  readonly outcome: Promise<Negotiated>;
  describe: () => string = () => 'the connection was closed during the handshake';
  onDecide: (peer: Peer) => Promise<void> = async () => {};
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #headerSize: 2 | 4;
  readonly #maxFrame: number;
  readonly #receive: (packet: Buffer) => Step;
  readonly #timer: NodeJS.Timeout;
  #resolve!: (result: Negotiated) => void;
  #reject!: (error: HandshakeError) => void;
  #deciding = false;
  #over = false;

  constructor(
    socket: Socket,
    options: NegotiateOptions,
    receive: (packet: Buffer) => Step,
    patienceMs = setupTimeoutMs,
  ) {
    this.#socket = socket;
    this.#headerSize = options.headerSize;
    this.#reader = new FrameReader(options.headerSize, maxPacket);
    this.#maxFrame = options.maxFrame;
    this.#receive = receive;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(
      () => this.#fail(new HandshakeError('protocol', `no handshake within ${patienceMs} ms`)),
      patienceMs,
    );
    socket.on('data', this.#data);
    socket.on('close', this.#closed);
    // An error is always followed by `close`.
    socket.on('error', ignoreError);
  }

  send(packets: readonly Buffer[]): void {
    for (const packet of packets) {
      const head = Buffer.alloc(this.#headerSize);
      if (this.#headerSize === 4) head.writeUInt32BE(packet.length);
      else head.writeUInt16BE(packet.length);
      this.#socket.write(Buffer.concat([head, packet]));
    }
  }

  /** Ends without a connection, after what was sent is out. */
  refuse(kind: 'simultaneous' | 'refused', message: string): void {
    if (this.#over) return;
    this.#release();
    this.#socket.end();
    this.#socket.resume();
    this.#reject(new HandshakeError(kind, message));
  }

  readonly #data = (chunk: Buffer): void => {
    this.#reader.push(chunk);
    this.#read();
  };

  #read(): void {
    try {
      while (!this.#over && !this.#deciding) {
        const packet = this.#reader.next();
        if (packet === undefined) return;
        this.#perform(this.#receive(packet));
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #perform(step: Step): void {
    switch (step.type) {
      case 'send':
        return this.send(step.packets);
      case 'decide':
        this.#deciding = true;
        this.#socket.pause();
        this.onDecide(step.peer).then(
          () => {
            this.#deciding = false;
            if (this.#over) return;
            this.#socket.resume();
            this.#read();
          },
          (error: unknown) => this.#fail(error),
        );
        return;
      case 'connected':
        this.send(step.packets);
        this.#release();
        this.#socket.pause();
        this.#reader.expect(4, this.#maxFrame);
        return this.#resolve({ socket: this.#socket, reader: this.#reader, peer: step.peer });
    }
  }

  readonly #closed = (): void => this.#fail(new HandshakeError('protocol', this.describe()));

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#release();
    this.#socket.destroy();
    const failure = error instanceof HandshakeError ? error : new HandshakeError('protocol', (error as Error).message);
    this.#reject(failure);
  }

  #release(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket.off('data', this.#data);
    this.#socket.off('close', this.#closed);
  }
}

function ignoreError(): void {}
