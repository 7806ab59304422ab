/**
 * One connection to Redis, for one life: it connects once, and when it is lost it is thrown away. ioredis would by itself
 * connect again, queue commands meanwhile and send those again that had no answer; all of that is switched off, because
 * a command must never be executed twice, and when to connect is the worker's business.
 */
import { Redis } from 'ioredis';
import { HiveError } from '../../observe/errors.ts';
import './redis-replies.ts';
import { reasonOf } from './tcp-probe.ts';
import { Unavailable } from './unavailable.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
  readonly connectTimeoutMs: number;
}

/** `[name, …arguments]`. */
export type RedisCommand = readonly [name: string, ...args: (string | number)[]];

export interface RedisConnectionListener {
  connectionUp(connection: RedisConnection): void;
  /** Called once, whether it ever was up or not; never after `close`. */
  connectionLost(connection: RedisConnection, reason: string): void;
}

/** How ioredis' refusal to write begins. */
const notWritable = "Stream isn't writeable";

export class RedisConnection {
  readonly #redis: Redis;
  readonly #listener: RedisConnectionListener;
  #problem: string | undefined;
  #closed = false;
  readonly #name: string;

  constructor(address: RedisAddress, listener: RedisConnectionListener) {
    this.#name = `Redis at ${address.host}:${address.port}`;
    this.#listener = listener;
    this.#redis = new Redis({
      host: address.host,
      port: address.port,
      db: address.database,
      username: address.username,
      password: address.password,
      tls: address.tls ? {} : undefined,
      connectTimeout: address.connectTimeoutMs,
      lazyConnect: true,
      retryStrategy: null,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      disableClientInfo: true,
      protocol: 2,
    });
    // Errors before `ready` (wrong password, no such database) mean that the connection is not the one that was asked for.
    this.#redis.on('error', (error) => this.#failed(reasonOf(error)));
    this.#redis.on('end', () => this.#lost());
    this.#redis.connect().then(
      () => this.#ready(),
      (error: unknown) => {
        this.#problem ??= reasonOf(error);
        this.#lost();
      },
    );
  }

  /**
   * Sends the commands together and resolves to their replies. Rejects with `redis_error` if Redis answers one of them with
   * an error (the others have been executed all the same), or if the connection is lost; `Unavailable` if it was lost
   * already, so that nothing was sent.
   */
  async run(commands: readonly RedisCommand[]): Promise<unknown[]> {
    if (this.#redis.status !== 'ready')
      throw new Unavailable('redis_error', `The connection to ${this.#name} is lost.`);
    const pipeline = this.#redis.pipeline();
    for (const [name, ...args] of commands) pipeline.call(name, ...args);
    const replies: unknown[] = [];
    for (const [error, reply] of (await pipeline.exec()) ?? []) {
      if (error) throw this.#failure(error);
      replies.push(reply);
    }
    return replies;
  }

  /** Only what Redis said itself is its opinion on the command; the rest is about the connection. */
  #failure(error: Error): HiveError {
    const reason = reasonOf(error);
    // The other side has hung up, which ioredis is about to learn: nothing was sent.
    if (reason.startsWith(notWritable)) {
      return new Unavailable('redis_error', `The connection to ${this.#name} is lost.`, { cause: error });
    }
    const text = error.name === 'ReplyError' ? reason : `${this.#name} did not answer: ${reason}`;
    return new HiveError('redis_error', text, { cause: error });
  }

  close(): void {
    this.#closed = true;
    this.#disconnect();
  }

  #ready(): void {
    if (!this.#closed && this.#problem === undefined) this.#listener.connectionUp(this);
  }

  #failed(problem: string): void {
    this.#problem ??= problem;
    this.#disconnect();
    this.#lost();
  }

  /** On a connection that has ended already ioredis would start a timer for nothing. */
  #disconnect(): void {
    if (this.#redis.status !== 'end') this.#redis.disconnect();
  }

  #lost(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#disconnect();
    this.#listener.connectionLost(this, this.#problem ?? 'the connection was closed');
  }
}
