/**
 * A worker of a `connector.redis` pool: the owner of one connection to Redis.
 *
 *              ┌──────────── reconnect_timeout ───────────┐
 *              ▼                                          │
 *   init ─▶ connecting ──up──▶ connected ──lost──▶ disconnected ──max_reconnect_timeout──▶ ends `shutdown`
 *              └───────────────── failed ─────────────────┘
 *
 * It starts whether Redis is there or not. Commands wait for the connection until the outage is `max_reconnect_timeout`
 * old; then they fail, and the worker gives up. It and a worker that is `restart_timeout` old end as planned, between
 * commands; the pool starts another. No restart is charged to a supervisor, so no outage can wear one out.
 *
 * A command that was sent and not answered fails: it may have been executed, so nobody may try it again. One that was refused
 * because the server is the wrong one (a replica after a failover, say) waits: the connection is dropped, and the command is
 * tried on the next one. Until a master answers that counts as an outage like others.
 */
import { Actor } from '../../../kernel/actor.ts';
import type { Timer } from '../../../kernel/timers.ts';
import { type From, Shutdown } from '../../../kernel/types.ts';
import { HiveError } from '../../../observe/errors.ts';
import type { Log } from '../../../observe/logger.ts';
import type { Counter } from '../../../observe/metrics.ts';
import type { WorkerMessage } from '../../types.ts';
import { reasonOf } from '../tcp/probe.ts';
import { Unavailable } from '../unavailable.ts';
import { nameOf, type RedisAddress } from './address.ts';
import { RedisConnection, type RedisConnectionListener } from './connection.ts';
import type { RedisOutage } from './outage.ts';
import { type RedisCommand, WrongServer } from './refusal.ts';

/** What the workers of a `connector.redis` pool do: run the commands as one pipeline. The reply is the array of theirs. */
export interface RedisRequest {
  readonly commands: readonly RedisCommand[];
}

/** What the workers of one pool share. */
export interface RedisServer {
  readonly address: RedisAddress;
  /** Pause between attempts to connect, ms. */
  readonly reconnectMs: number;
  /** How long commands wait for a connection, ms. */
  readonly maxReconnectMs: number;
  /** How long Redis may take to answer, ms. */
  readonly replyMs: number;
  /** Age at which a worker is replaced, ms; 0: never. */
  readonly restartMs: number;
  readonly outage: RedisOutage;
  /** The workers that have a connection now. */
  readonly connected: Set<RedisWorker>;
  readonly queries: Counter;
  readonly log: Log;
  /** Attempts to connect so far. */
  attempts: number;
}

/** A worker that finds no connection lives at least so long: replacing it is no way to connect more often. */
const minLifeMs = 1000;

interface Job {
  readonly commands: readonly RedisCommand[];
  readonly from: From;
  readonly signal: AbortSignal | undefined;
  deadline?: Timer;
  /** When it was first refused by a wrong server; ms of the monotonic clock. */
  refusedAt?: number;
}

type Internal =
  | { readonly type: 'up'; readonly connection: RedisConnection }
  | { readonly type: 'lost'; readonly connection: RedisConnection; readonly reason: string }
  | { readonly type: 'connect' }
  | { readonly type: 'connect_overdue'; readonly connection: RedisConnection }
  | { readonly type: 'reply_overdue'; readonly job: Job }
  | { readonly type: 'role'; readonly connection: RedisConnection; readonly isMaster: boolean }
  | { readonly type: 'look_again'; readonly connection: RedisConnection }
  | { readonly type: 'give_up' };

export class RedisWorker extends Actor<WorkerMessage | Internal> implements RedisConnectionListener {
  readonly #server: RedisServer;
  readonly #running = new Set<Job>();
  #waiting: Job[] = [];
  #connection: RedisConnection | undefined;
  #connectedAt: number | undefined;
  /** Why the last attempt to connect failed; undefined before the first result. */
  #problem: string | undefined;
  #giveUp: Timer | undefined;
  #connectDeadline: Timer | undefined;
  #draining = false;

  constructor(server: RedisServer) {
    super();
    this.#server = server;
  }

  override get trapsExits(): boolean {
    return true;
  }

  override init(): void {
    // A worker that is killed has no `terminate`; its connection must close all the same.
    this.kernel.onExit(this.self, () => {
      this.#server.connected.delete(this);
      this.#connection?.close();
    });
    if (this.#server.restartMs > 0) this.after(this.#server.restartMs, { type: 'drain' });
    this.#connect();
    this.#giveUpLater();
  }

  receive(message: WorkerMessage | Internal, from: From | undefined): void {
    switch (message.type) {
      case 'request':
        if (from) this.#accept(message.request as RedisRequest, message.signal, from);
        break;
      case 'up':
        if (message.connection === this.#connection) this.#up();
        break;
      case 'lost':
        if (message.connection === this.#connection) this.#lost(message.reason);
        break;
      case 'connect':
        this.#connect();
        break;
      case 'connect_overdue':
        if (message.connection === this.#connection && this.#connectedAt === undefined) {
          this.#lost(`no connection within ${this.#server.address.connectTimeoutMs} ms`);
        }
        break;
      case 'reply_overdue':
        if (this.#running.has(message.job)) this.#lost(`no answer within ${this.#server.replyMs} ms`);
        break;
      case 'role':
        if (message.connection === this.#connection) this.#roleKnown(message.isMaster);
        break;
      case 'look_again':
        if (message.connection === this.#connection) this.#lookAgain(message.connection);
        break;
      case 'give_up':
        this.#failWaiting();
        this.stop(new Shutdown(this.#unreachable()));
        break;
      case 'drain':
        this.#draining = true;
        this.#endIfDrained();
        break;
      default:
        this.unexpected(message, from);
    }
  }

  override terminate(): void {
    this.#failWaiting();
    this.#failRunning('the pool is closing');
  }

  override inspect(): Record<string, unknown> {
    const { address, outage } = this.#server;
    return {
      redis: nameOf(address.place),
      database: address.database,
      connected: this.#connectedAt !== undefined,
      running: this.#running.size,
      waiting: this.#waiting.length,
      outageMs: Math.round(outage.ageMs),
    };
  }

  // --- commands

  #accept(request: RedisRequest, signal: AbortSignal | undefined, from: From): void {
    this.#server.queries.value += request.commands.length;
    const job: Job = { commands: request.commands, from, signal };
    if (this.#connection && this.#connectedAt !== undefined) this.#run(job, this.#connection);
    else if (this.#problem !== undefined && this.#outageIsOld) this.#refuse(job);
    else this.#waiting.push(job);
  }

  #run(job: Job, connection: RedisConnection): void {
    if (job.signal?.aborted) return job.from.fail(new HiveError('redis_error', 'The asker is gone.'));
    this.#running.add(job);
    job.deadline = this.after(this.#server.replyMs, { type: 'reply_overdue', job });
    connection.run(job.commands).then(
      (replies) => {
        if (this.#close(job)) job.from.reply(replies);
        this.#endIfDrained();
      },
      (error: HiveError) => {
        if (this.#close(job)) {
          if (error instanceof WrongServer) this.#refused(job, error);
          // It was lost a moment ago, and the worker is about to hear of it.
          else if (error instanceof Unavailable) this.#waiting.push(job);
          else job.from.fail(error);
        }
        this.#endIfDrained();
      },
    );
  }

  /** The connection leads to a server that was not meant: another one is made. */
  #refused(job: Job, error: WrongServer): void {
    const { outage, maxReconnectMs } = this.#server;
    const now = performance.now();
    job.refusedAt ??= now;
    if (!error.mayRepeat || now - job.refusedAt >= maxReconnectMs) job.from.fail(error);
    else this.#waiting.push(job);
    outage.meetWrongServer();
    this.#lost(error.message);
  }

  #close(job: Job): boolean {
    job.deadline?.cancel();
    return this.#running.delete(job);
  }

  #failRunning(reason: string): void {
    for (const job of [...this.#running]) {
      if (this.#close(job)) job.from.fail(new HiveError('redis_error', `${this.#name} did not answer: ${reason}`));
    }
  }

  #failWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const job of waiting) this.#refuse(job);
  }

  #refuse(job: Job): void {
    job.from.fail(new Unavailable('redis_error', this.#unreachable()));
  }

  #endIfDrained(): void {
    if (this.#draining && this.#running.size === 0 && this.#waiting.length === 0) this.stop('shutdown');
  }

  // --- the connection

  connectionUp(connection: RedisConnection): void {
    this.self.tell({ type: 'up', connection });
  }

  connectionLost(connection: RedisConnection, reason: string): void {
    this.self.tell({ type: 'lost', connection, reason });
  }

  #connect(): void {
    const connection = new RedisConnection(this.#server.address, this.#server.attempts, this);
    this.#server.attempts += 1;
    this.#connection = connection;
    this.#connectDeadline = this.after(this.#server.address.connectTimeoutMs, { type: 'connect_overdue', connection });
  }

  #up(): void {
    this.#connectedAt = performance.now();
    this.#server.connected.add(this);
    this.#connectDeadline?.cancel();
    this.#giveUp?.cancel();
    this.#problem = undefined;
    if (this.#server.outage.isWrongServer) this.#askRole(this.#connection!);
    else this.#endOutage();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const job of waiting) this.#run(job, this.#connection!);
    this.#endIfDrained();
  }

  #endOutage(): void {
    const outageMs = this.#server.outage.end();
    if (outageMs !== undefined) this.#server.log.notice(`${this.#name} is back after ${Math.round(outageMs)} ms`);
  }

  #askRole(connection: RedisConnection): void {
    // A server that does not tell its role is believed until it refuses again.
    connection.isMaster().then(
      (isMaster) => this.self.tell({ type: 'role', connection, isMaster: isMaster !== false }),
      (error: HiveError) => this.self.tell({ type: 'lost', connection, reason: reasonOf(error) }),
    );
  }

  #roleKnown(isMaster: boolean): void {
    const connection = this.#connection!;
    if (isMaster) this.#endOutage();
    else this.after(Math.max(this.#server.reconnectMs, minLifeMs), { type: 'look_again', connection });
  }

  /** A replica serves reads as long as they come, but the address may lead to a master by now. */
  #lookAgain(connection: RedisConnection): void {
    if (!this.#server.outage.isWrongServer) return;
    if (this.#running.size === 0) this.#lost(this.#server.outage.reason ?? 'it is a replica');
    else this.after(this.#server.reconnectMs, { type: 'look_again', connection });
  }

  #lost(reason: string): void {
    const { outage, log, reconnectMs } = this.#server;
    const livedMs = this.#connectedAt === undefined ? 0 : performance.now() - this.#connectedAt;
    const wasConnected = this.#connectedAt !== undefined;
    this.#connection?.close();
    this.#connection = undefined;
    this.#connectedAt = undefined;
    this.#server.connected.delete(this);
    this.#connectDeadline?.cancel();
    this.#problem = reason;
    if (outage.begin(reason)) log.warning(this.#unreachable());
    this.#failRunning(reason);
    if (this.#outageIsOld) this.#failWaiting();
    this.#endIfDrained();
    if (wasConnected) this.#giveUpLater();
    // What ran well for a while was cut by chance, so one attempt at once is worth it.
    if (livedMs > reconnectMs) this.#connect();
    else this.after(reconnectMs, { type: 'connect' });
  }

  #giveUpLater(): void {
    const { maxReconnectMs, outage } = this.#server;
    const leftMs = maxReconnectMs - outage.ageMs;
    this.#giveUp = this.after(leftMs > 0 ? leftMs : Math.max(maxReconnectMs, minLifeMs), { type: 'give_up' });
  }

  get #outageIsOld(): boolean {
    return this.#server.outage.ageMs >= this.#server.maxReconnectMs;
  }

  get #name(): string {
    return nameOf(this.#server.address.place);
  }

  #unreachable(): string {
    return `${this.#name} is unreachable: ${this.#problem ?? 'no connection yet'}`;
  }
}
