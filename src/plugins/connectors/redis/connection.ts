/** One connection to Redis (or, with a Cluster, to its nodes), for one life: it connects once, and when it is lost it is thrown away. */
import { Cluster, type Redis } from 'ioredis';
import { HiveError } from '../../../observe/errors.ts';
import { reasonOf } from '../tcp/probe.ts';
import { Unavailable } from '../unavailable.ts';
import { clientFor, nameOf, type RedisAddress, withAddresses } from './address.ts';
import { sendBySlot, sendTogether } from './pipelines.ts';
import { type Outcome, type RedisCommand, WrongServer } from './refusal.ts';

export interface RedisConnectionListener {
  connectionUp(connection: RedisConnection): void;
  /** Called once, whether it ever was up or not; never after `close`. */
  connectionLost(connection: RedisConnection, reason: string): void;
}

/** How ioredis' refusal to write begins. */
const notWritable = "Stream isn't writeable";

export class RedisConnection {
  /** Undefined until the names are known that must be looked up. */
  #redis: Redis | Cluster | undefined;
  readonly #listener: RedisConnectionListener;
  #problem: string | undefined;
  /** The last that a node of a Cluster has had. */
  #nodeProblem: string | undefined;
  #closed = false;
  readonly #name: string;

  /** @param attempt how many attempts to connect there were before */
  constructor(address: RedisAddress, attempt: number, listener: RedisConnectionListener) {
    this.#name = nameOf(address.place);
    this.#listener = listener;
    withAddresses(address).then(
      (found) => this.#connect(clientFor(found, attempt)),
      (error: unknown) => this.#failed(reasonOf(error)),
    );
  }

  #connect(redis: Redis | Cluster): void {
    if (this.#closed) return;
    this.#redis = redis;
    // Errors before `ready` (wrong password, no such database) mean that the connection is not the one that was asked for.
    redis.on('error', (error: Error) => this.#failed(reasonOf(error)));
    redis.on('node error', (error: Error) => {
      this.#nodeProblem = reasonOf(error);
    });
    redis.on('end', () => this.#lost());
    redis.connect().then(
      () => this.#ready(),
      (error: unknown) => {
        this.#problem ??= reasonOf(error);
        this.#lost();
      },
    );
  }

  /**
   * Sends the commands together and resolves to their replies. Rejects with `redis_error` if Redis answers one of them with
   * an error (the others have been executed all the same), or if the connection is lost: with `Unavailable` if it was lost
   * already, so that nothing was sent; with `WrongServer` if Redis is not the server that was meant.
   */
  async run(commands: readonly RedisCommand[]): Promise<unknown[]> {
    const redis = this.#redis;
    if (redis?.status !== 'ready') throw new Unavailable('redis_error', `The connection to ${this.#name} is lost.`);
    const outcomes = await this.#send(redis, commands);
    const replies: unknown[] = [];
    for (const [error, reply] of outcomes) {
      if (error) throw this.#failure(error, commands, outcomes);
      replies.push(reply);
    }
    return replies;
  }

  async #send(redis: Redis | Cluster, commands: readonly RedisCommand[]): Promise<readonly Outcome[]> {
    try {
      return redis instanceof Cluster ? await sendBySlot(redis, commands) : await sendTogether(redis, commands);
    } catch (error) {
      // A Cluster refuses a transaction with keys of several slots before it sends it.
      throw new HiveError('redis_error', reasonOf(error), { cause: error });
    }
  }

  /** Only what Redis said itself is its opinion on the command; the rest is about the connection. */
  #failure(error: Error, commands: readonly RedisCommand[], outcomes: readonly Outcome[]): HiveError {
    const reason = reasonOf(error);
    // The other side has hung up, which ioredis is about to learn: nothing was sent.
    if (reason.startsWith(notWritable)) {
      return new Unavailable('redis_error', `The connection to ${this.#name} is lost.`, { cause: error });
    }
    if (WrongServer.is(error)) return new WrongServer(error, commands, outcomes);
    if (error.name === 'ReplyError') return new HiveError('redis_error', reason, { cause: error });
    // A node of a Cluster is gone, and perhaps another one has taken its place: that is looked up anew.
    if (this.#redis instanceof Cluster) this.#failed(this.#nodeProblem ?? reason);
    return new HiveError('redis_error', `${this.#name} did not answer: ${reason}`, { cause: error });
  }

  /** Whether the server takes writes; undefined if it does not say. A Cluster that is ready knows its masters. */
  async isMaster(): Promise<boolean | undefined> {
    const redis = this.#redis;
    if (!redis || redis instanceof Cluster) return true;
    const role = /^role:(\w+)/m.exec(await redis.info('replication'))?.[1];
    return role === undefined ? undefined : role === 'master';
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
    if (this.#redis && this.#redis.status !== 'end') this.#redis.disconnect();
  }

  #lost(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#disconnect();
    this.#listener.connectionLost(this, this.#problem ?? this.#nodeProblem ?? 'the connection was closed');
  }
}
