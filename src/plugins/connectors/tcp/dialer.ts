/**
 * The connecting mode of `connector.tcp`: Hive connects to a back end. `size` connections are always there, up to `overflow`
 * more while requests wait. When the back end cannot be reached, or drops connections at once, the pauses between attempts
 * grow.
 */
import { connect, type Socket } from 'node:net';
import { lookup } from '../../../kernel/lookups.ts';
import type { ConnectionSink, ConnectionSource } from '../../types.ts';
import { keepAliveMs } from './listener.ts';
import { reasonOf } from './probe.ts';
import { type TcpTerms, TcpWorker } from './worker.ts';

const firstPauseMs = 100;
const maxPauseMs = 5000;
/** A connection that lived so long was all right: its end is no failure. */
const soundLifeMs = 1000;

export interface TcpPeer {
  readonly host: string;
  readonly port: number;
  /** Connections at rest, and how many there may be. */
  readonly size: number;
  readonly max: number;
}

export class TcpDialer implements ConnectionSource {
  readonly code = 'tcp_error';
  readonly #peer: TcpPeer;
  readonly #terms: TcpTerms;
  readonly #live = new Set<Socket>();
  readonly #dialing = new Set<Socket>();
  #entrance: ConnectionSink | undefined;
  #problem: string | undefined;
  #failures = 0;
  #pause: NodeJS.Timeout | undefined;

  constructor(peer: TcpPeer, terms: TcpTerms) {
    this.#peer = peer;
    this.#terms = terms;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  open(sink: ConnectionSink): void {
    this.#entrance = sink;
    this.#dial();
  }

  wanted(): void {
    this.#dial();
  }

  close(): void {
    this.#entrance = undefined;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    for (const socket of this.#dialing) socket.destroy();
  }

  #dial(): void {
    if (!this.#entrance || this.#pause) return;
    const { size, max } = this.#peer;
    const wanted = Math.min(max, Math.max(size, this.#live.size + this.#entrance.waiting));
    while (this.#live.size + this.#dialing.size < wanted) this.#connect();
  }

  #connect(): void {
    const { host, port } = this.#peer;
    const socket = connect({
      host,
      port,
      lookup,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    });
    this.#dialing.add(socket);
    let problem: string | undefined;
    let since: number | undefined;
    socket.on('error', (error) => {
      problem = reasonOf(error);
    });
    socket.on('end', () => {
      problem ??= 'the back end closed the connection at once';
    });
    socket.setTimeout(this.#terms.timeoutMs, () => {
      problem = `no connection within ${this.#terms.timeoutMs} ms`;
      socket.destroy();
    });
    socket.once('connect', () => {
      socket.setTimeout(0);
      since = performance.now();
      this.#dialing.delete(socket);
      void this.#connected(socket);
    });
    socket.once('close', () => {
      this.#dialing.delete(socket);
      this.#live.delete(socket);
      const isSound = since !== undefined && performance.now() - since >= soundLifeMs;
      if (isSound) this.#failures = 0;
      if (problem !== undefined && !isSound) this.#failed(problem);
      this.#dial();
    });
  }

  async #connected(socket: Socket): Promise<void> {
    if (!this.#entrance) return void socket.destroy();
    this.#live.add(socket);
    if (this.#problem !== undefined) {
      this.#problem = undefined;
      const { log } = this.#terms;
      if (!log.excess('back ends that can be reached again', this.#place, 'notice'))
        log.notice(`${this.#place} can be reached again`);
    }
    const worker = new TcpWorker(
      socket,
      this.#terms,
      () => this.#live.size > this.#peer.size && this.#live.delete(socket),
    );
    if (await this.#entrance.admit(worker)) return;
    this.#failed('its connection could not be used');
    socket.destroy();
  }

  /** Pauses before the next attempt; failures of one round count once. */
  #failed(problem: string): void {
    if (!this.#entrance || this.#pause) return;
    const { log } = this.#terms;
    if (this.#problem === undefined && !log.excess('back ends that cannot be reached', this.#place)) {
      log.warning(`${this.#place} cannot be reached: ${problem}`);
    }
    this.#problem = `${this.#place}: ${problem}`;
    const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#dial();
    }, pauseMs).unref();
  }

  get #place(): string {
    return `${this.#peer.host}:${this.#peer.port}`;
  }
}
