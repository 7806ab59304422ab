/**
 * The move of an Engine.IO connection from polling to a WebSocket: the client probes the socket, stops polling, and says
 * that it has done so. Until then the socket carries nothing else, and polling goes on.
 *
 *     client                       server
 *       2probe  ──────────────────►
 *               ◄──────────────────  3probe, and polls are soon answered
 *       (last poll has returned)
 *       5       ──────────────────►  the socket is the transport
 */
import { type Expiring, Timer } from '../../../kernel/timers.ts';
import { packetTypes } from '../../../protocol/engine.ts';
import { closeReasons } from '../client-handle.ts';
import { type ClientSocket, exceeds, type FrameData, type FrameHandler, textOf } from '../client-socket.ts';
import type { ConnectionContext } from '../connection-context.ts';
import type { PollQueue } from './poll-queue.ts';

/** How often a poll that would delay the client is released, and how often at most (10 s), as in the reference server. */
const releaseMs = 100;
const maxReleases = 100;

const probe = 'probe';

/** The connection that moves. */
interface Moving extends FrameHandler {
  readonly isClosed: boolean;
  readonly socket: ClientSocket | undefined;
  readonly polls: PollQueue | undefined;
  upgrade: EngineUpgrade | undefined;
  /** The socket has passed its probe. */
  upgraded(socket: ClientSocket): void;
}

export class EngineUpgrade implements FrameHandler, Expiring {
  readonly #context: ConnectionContext;
  readonly #connection: Moving;
  readonly #timer = new Timer(this);
  #socket: ClientSocket | undefined;
  #releases = 0;

  constructor(context: ConnectionContext, connection: Moving) {
    this.#context = context;
    this.#connection = connection;
  }

  opened(socket: ClientSocket): void {
    this.#socket = socket;
    // The connection may have ended while the socket was on its way.
    if (this.#connection.isClosed || this.#connection.socket) this.abandon();
    else this.#context.wheel.start(this.#timer, releaseMs);
  }

  message(socket: ClientSocket, data: FrameData, isBinary: boolean): void {
    this.#context.counters.websocket.frames.value += 1;
    const text = isBinary || exceeds(data, probe.length + 1) ? '' : textOf(data);
    if (text === packetTypes.ping + probe) {
      socket.send(packetTypes.pong + probe);
      // On the next tick: a client that sends the rest of the upgrade right behind its probe waits for no poll.
      this.#context.wheel.start(this.#timer, 0);
    } else if (text === packetTypes.upgrade) {
      this.#timer.cancel();
      this.#socket = undefined;
      socket.getUserData().handler = this.#connection;
      this.#connection.upgraded(socket);
    } else {
      this.#context.counters.websocket.errors.value += 1;
      this.abandon();
    }
  }

  pong(): void {}

  closed(): void {
    this.#timer.cancel();
    this.#socket = undefined;
    if (this.#connection.upgrade === this) this.#connection.upgrade = undefined;
  }

  expire(): void {
    this.#releases += 1;
    if (this.#releases > maxReleases) {
      this.abandon();
      return;
    }
    this.#connection.polls?.release();
    this.#context.wheel.start(this.#timer, releaseMs);
  }

  /** Gives the socket up; polling is not affected. */
  abandon(): void {
    this.#socket?.end(1000);
  }
}

/** Ends a WebSocket for a session that has one, or is about to. The session is not affected. */
class Unwanted implements FrameHandler {
  opened(socket: ClientSocket): void {
    socket.end(closeReasons.transport_error.code);
  }
  message(): void {}
  pong(): void {}
  closed(): void {}
}

export const unwanted = new Unwanted();
