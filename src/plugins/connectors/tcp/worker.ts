/**
 * A worker of a `connector.tcp` pool: one connection with a back end, as long as it lives.
 *
 *   put    sends a frame                                 over when the system has taken it
 *   post   sends a frame, then receives one              one limit for both: `max_connection_timeout`
 *   get    receives a frame, perhaps one that waits      the same limit
 *
 * Frames carry nothing that would tell which request they answer. So after a limit has passed, or an answer came from another
 * endpoint, the connection is closed: what still comes would be taken for the next answer.
 *
 * What comes is read as far as it is wanted, by a request or by the place that is left for waiting frames, and no further:
 *
 *   socket ──▶ data messages ──▶ unread bytes ──▶ waiting frames ──▶ gets
 *     paused while two of these lie there, or bytes are unread
 */
import type { Socket } from 'node:net';
import { Actor } from '../../../kernel/actor.ts';
import type { Timer } from '../../../kernel/timers.ts';
import { type From, Shutdown } from '../../../kernel/types.ts';
import { HiveError } from '../../../observe/errors.ts';
import type { Log } from '../../../observe/logger.ts';
import type { Counter } from '../../../observe/metrics.ts';
import { encodeFrame, type Frame, FrameReader } from '../../../protocol/backend/framing.ts';
import type { WorkerMessage } from '../../types.ts';
import type { BackEndReply, BackEndRequest } from '../back-end.ts';
import { reasonOf } from './probe.ts';

/** Largest packet, bytes: a back end that runs wild must not take the node's memory. */
const maxPacketBytes = 16 * 1024 * 1024;
/** Frames that may wait for a get, and characters in them; then the back end is not read from until they are fewer. */
const maxWaitingFrames = 64;
const maxWaitingChars = 1024 * 1024;
/** Pieces from the socket that may lie in the mailbox. */
const maxMessages = 2;

/** What the workers of one pool share. */
export interface TcpTerms {
  /** Limit of a request, ms. */
  readonly timeoutMs: number;
  /** Age at which a connection is closed, ms; 0: never. */
  readonly restartMs: number;
  /** How long a connection that is one too many may be idle, ms. */
  readonly overflowIdleMs: number;
  readonly counters: Readonly<Record<'send' | 'recv', Counter>>;
  readonly log: Log;
}

interface Job {
  readonly kind: 'get' | 'put' | 'post';
  readonly endpoint: string;
  readonly from: From;
  deadline?: Timer;
  /** Ends the wait for the asker's end. */
  listening?: Disposable;
}

type Internal =
  | { readonly type: 'data'; readonly chunk: Buffer }
  | { readonly type: 'sent'; readonly job: Job }
  | { readonly type: 'overdue'; readonly job: Job }
  | { readonly type: 'given_up'; readonly job: Job }
  | { readonly type: 'closed' }
  | { readonly type: 'idle' };

export class TcpWorker extends Actor<WorkerMessage | Internal> {
  readonly #socket: Socket;
  readonly #terms: TcpTerms;
  readonly #host: string;
  readonly #address: string;
  readonly #mayLeave: (() => boolean) | undefined;
  readonly #reader = new FrameReader(maxPacketBytes, (frame) => this.#take(frame));
  readonly #waiting: Frame[] = [];
  #waitingChars = 0;
  /** What has come and is not wanted yet. */
  #unread: Buffer[] = [];
  /** Where the first of them goes on. */
  #unreadAt = 0;
  #messages = 0;
  #problem = 'the back end has closed the connection';
  #job: Job | undefined;
  #idle: Timer | undefined;
  #draining = false;

  /** @param mayLeave whether an idle connection is one too many; true means that it goes, and is not counted any more */
  constructor(socket: Socket, terms: TcpTerms, mayLeave?: () => boolean) {
    super();
    this.#socket = socket;
    this.#terms = terms;
    this.#host = `${socket.remoteAddress}`;
    this.#address = `${this.#host}:${socket.remotePort}`;
    this.#mayLeave = mayLeave;
    socket.on('error', (error) => {
      this.#problem = reasonOf(error);
    });
  }

  override get trapsExits(): boolean {
    return true;
  }

  override init(): void {
    // A worker that is killed has no `terminate`; its connection must close all the same.
    this.kernel.onExit(this.self, () => this.#socket.destroy());
    const closed = () => this.send(this.self, { type: 'closed' });
    this.#socket.on('end', closed);
    this.#socket.on('close', closed);
    this.#socket.on('data', (chunk: Buffer) => {
      this.#messages += 1;
      if (this.#messages >= maxMessages) this.#socket.pause();
      this.send(this.self, { type: 'data', chunk });
    });
    if (this.#socket.destroyed) return this.#gone();
    this.#socket.resume();
    if (this.#terms.restartMs > 0) this.after(this.#terms.restartMs, { type: 'drain' });
    this.#rest();
  }

  receive(message: WorkerMessage | Internal, from: From | undefined): void {
    switch (message.type) {
      case 'request':
        if (from) this.#begin(message.request as BackEndRequest, message.signal, from);
        break;
      case 'data':
        this.#messages -= 1;
        this.#unread.push(message.chunk);
        this.#read();
        break;
      case 'sent':
        this.#sent(message.job);
        break;
      case 'overdue':
        if (message.job === this.#job) this.#overdue(message.job);
        break;
      case 'given_up':
        if (message.job === this.#job) this.#fail(message.job, 'the asker is gone');
        break;
      case 'closed':
        this.#gone();
        break;
      case 'idle':
        if (!this.#job && this.#mayLeave?.()) this.stop('shutdown');
        break;
      case 'drain':
        this.#draining = true;
        if (!this.#job) this.stop('shutdown');
        break;
      default:
        this.unexpected(message, from);
    }
  }

  override terminate(): void {
    if (this.#job) this.#fail(this.#job, 'the pool is closing');
    if (this.#waiting.length > 0) this.#warn(`${this.#waiting.length} frames that no get asked for are dropped`);
  }

  override inspect(): Record<string, unknown> {
    const { bytesRead, bytesWritten } = this.#socket;
    return { backEnd: this.#address, running: this.#job?.kind, waiting: this.#waiting.length, bytesRead, bytesWritten };
  }

  // --- requests

  #begin({ method, endpoint, body = '', async }: BackEndRequest, signal: AbortSignal | undefined, from: From): void {
    this.#idle?.cancel();
    const job: Job = { kind: method === 'GET' ? 'get' : async ? 'put' : 'post', endpoint, from };
    this.#job = job;
    if (job.kind === 'get') {
      this.#terms.counters.recv.value += 1;
      const frame = this.#waiting.shift();
      if (frame) {
        this.#waitingChars -= frame.payload.length;
        this.#answer(job, frame);
        return this.#read();
      }
      this.#listen(job, signal);
    } else if (!this.#write(job, body)) return;
    // Frames that wait may have kept it from being read.
    this.#read();
    if (job !== this.#job) return;
    job.deadline = this.after(this.#terms.timeoutMs, { type: 'overdue', job });
  }

  /** A get has done nothing yet: it need not go on when its asker has ended. */
  #listen(job: Job, signal: AbortSignal | undefined): void {
    if (!signal) return;
    const giveUp = () => this.send(this.self, { type: 'given_up', job });
    signal.addEventListener('abort', giveUp);
    job.listening = { [Symbol.dispose]: () => signal.removeEventListener('abort', giveUp) };
  }

  /** False if the request cannot be sent. */
  #write(job: Job, body: string): boolean {
    let frame: Buffer;
    try {
      frame = encodeFrame(job.endpoint, body);
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      this.#fail(job, error.message);
      return false;
    }
    this.#terms.counters.send.value += 1;
    this.#socket.write(frame, (error) => {
      if (!error) this.send(this.self, { type: 'sent', job });
    });
    return true;
  }

  #sent(job: Job): void {
    if (job.kind === 'post') this.#terms.counters.recv.value += 1;
    else if (job === this.#job) this.#end(job)?.reply({ status: 200, body: '' } satisfies BackEndReply);
  }

  /** Reads as many frames as are wanted, and lets more come if that is all there is. */
  #read(): void {
    try {
      while (this.#unread.length > 0 && this.#wantsFrames) {
        const [chunk] = this.#unread;
        this.#unreadAt = this.#reader.next(chunk!, this.#unreadAt);
        if (this.#unreadAt < chunk!.length) continue;
        this.#unread.shift();
        this.#unreadAt = 0;
      }
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      return this.#break(error.message);
    }
    if (this.#unread.length > 0 || !this.#wantsFrames) this.#socket.pause();
    else if (this.#messages < maxMessages && this.#socket.isPaused()) this.#socket.resume();
  }

  get #wantsFrames(): boolean {
    const job = this.#job;
    if (job && job.kind !== 'put') return true;
    return this.#waiting.length < maxWaitingFrames && this.#waitingChars < maxWaitingChars;
  }

  #take(frame: Frame): void {
    const job = this.#job;
    if (job && job.kind !== 'put') return this.#answer(job, frame);
    this.#waiting.push(frame);
    this.#waitingChars += frame.payload.length;
  }

  #answer(job: Job, { endpoint, payload }: Frame): void {
    if (endpoint === job.endpoint) {
      this.#end(job)?.reply({ status: 200, body: payload } satisfies BackEndReply);
      return;
    }
    const problem = `a frame of the endpoint ${endpoint} came instead`;
    if (job.kind === 'get') this.#fail(job, problem);
    else this.#break(problem);
  }

  #overdue(job: Job): void {
    const { timeoutMs } = this.#terms;
    if (job.kind === 'put') this.#break(`the frame was not sent within ${timeoutMs} ms`);
    else this.#break(`no ${this.#reader.idle ? '' : 'complete '}frame came within ${timeoutMs} ms`);
  }

  // --- ends

  #fail(job: Job, reason: string): void {
    this.#end(job)?.fail(new HiveError('tcp_error', `${job.kind} ${job.endpoint} (${this.#address}): ${reason}`));
  }

  /** The request is over. */
  #end(job: Job): From | undefined {
    if (job !== this.#job) return undefined;
    this.#job = undefined;
    job.deadline?.cancel();
    job.listening?.[Symbol.dispose]();
    if (this.#draining) this.stop('shutdown');
    else this.#rest();
    return job.from;
  }

  #rest(): void {
    if (this.#mayLeave) this.#idle = this.after(this.#terms.overflowIdleMs, { type: 'idle' });
  }

  /** The connection can be used no more: it is closed. */
  #break(reason: string): void {
    this.#warn(`closed: ${reason}`);
    if (this.#job) this.#fail(this.#job, reason);
    this.stop(new Shutdown(reason));
  }

  #gone(): void {
    if (this.#job) this.#fail(this.#job, this.#problem);
    this.stop(new Shutdown(this.#problem));
  }

  #warn(what: string): void {
    const { log } = this.#terms;
    if (log.excess('Connections of back ends', this.#host)) return;
    log.warning(`Connection with ${this.#address}: ${what}`);
  }
}
