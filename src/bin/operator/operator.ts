/** Asks the API or the monitor of a running node, and says in words why it got no answer. */

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { buildConnector, Pool } from 'undici';
import { catalogue } from '../../observe/errors.ts';
import { cut } from './cut.ts';
import { Failure } from './failure.ts';
import { isText, type Shape } from './shapes.ts';
import type { Where } from './where.ts';

export interface Asking {
  readonly method?: 'GET' | 'POST';
  readonly accept?: string;
  /** Statuses besides 200 that are answers, too. */
  readonly also?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Enough for a node with much to do; a request about the cluster waits up to 5 s for its nodes. */
const connectMs = 5000;
const answerMs = 15_000;

/** No tree or cluster is as large as that; what never ends is. */
const maxAnswerBytes = 100_000_000;

/** Of what an error says. */
const maxReason = 500;

/** Two questions at once, and one whose answer is not waited for any more. */
const connections = 3;

const code = { monitor: 'bad_monitor_request', api: 'bad_api_request' };
const label = { monitor: 'the monitor of a Hive', api: 'the API of a Hive' };

export class Operator {
  readonly where: Where;
  readonly #pool: Pool;

  constructor(where: Where) {
    this.where = where;
    this.#pool = new Pool(where.origin, {
      connections,
      connect: connector(where),
    });
  }

  /** Only what is of that form is believed. @throws Failure (rejection) */
  async json<Value>(path: string, is: Shape<Value>, asking: Asking = {}): Promise<Value> {
    const { text } = await this.ask(path, asking);
    const value = parsed(text);
    if (is(value)) return value;
    throw this.stranger();
  }

  /** @param path what follows `/monitor/` or `/api/`, without the key. @throws Failure (rejection) */
  async ask(path: string, { method = 'GET', accept, also = [], signal }: Asking = {}): Promise<Answer> {
    const { kind, key } = this.where;
    let answer: Answer;
    // Of the whole answer: one that comes drop by drop would never be late.
    const limit = AbortSignal.timeout(answerMs);
    try {
      const { statusCode, body } = await this.#pool.request({
        path: `/${kind}${path === '' ? '' : `/${path}`}`,
        method,
        headers: { authorization: `Bearer ${key}`, ...(accept === undefined ? {} : { accept }) },
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      answer = { status: statusCode, text: await this.#whole(body) };
    } catch (error) {
      if (error instanceof Failure) throw error;
      if (limit.aborted) throw new Unanswered(`${this.#place} does not answer within ${answerMs / 1000} s.`);
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') throw new NobodyListens(this.#unanswered(error));
      throw new Unanswered(this.#unanswered(error), { cause: error });
    }
    if (answer.status === 200 || also.includes(answer.status)) return answer;
    throw this.#refused(answer);
  }

  /** Never waits: what is under way is of no interest any more. */
  close(): void {
    void this.#pool.destroy();
  }

  /** What answers is something else. */
  stranger(): Failure {
    return new Failure(`${this.#place} answers, but is not ${label[this.where.kind]}.`);
  }

  async #whole(body: AsyncIterable<Buffer>): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > maxAnswerBytes) {
        throw new Failure(`${this.#place} answers with more than ${maxAnswerBytes / 1_000_000} MB.`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }

  get #place(): string {
    const { origin, source } = this.where;
    return `${origin} (${source})`;
  }

  #refused({ text }: Answer): Failure {
    const { kind } = this.where;
    const { error, description } = asRefusal(text);
    if (error === undefined) return this.stranger();
    if (description?.startsWith('The key is')) return new Failure(`${this.#place} refuses the key.`);
    const other = kind === 'api' ? 'monitor' : 'api';
    if (error === code[other]) return new Failure(`${this.#place} is ${label[other]}; ${label[kind]} is needed.`);
    const reason = cut(`${error}: ${description}`.replace(/\s+/g, ' '), maxReason);
    return new Failure(`${this.#place} refuses: ${reason}`);
  }

  #unanswered(error: unknown): string {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const { origin } = this.where;
    const silent = `Nothing answers at ${this.#place}`;
    switch (code) {
      case 'ECONNREFUSED':
        return `${silent}: connection refused. Is the node running?`;
      case 'ENOTFOUND':
      case 'EAI_AGAIN':
        return `${silent}: there is no such host.`;
      case 'UND_ERR_CONNECT_TIMEOUT':
        if (origin.startsWith('http:')) return `${silent}: no connection within ${connectMs / 1000} s.`;
        return `${silent}: no TLS connection within ${connectMs / 1000} s. It may want http.`;
      case 'UND_ERR_SOCKET':
      case 'ECONNRESET':
      case 'EPIPE':
        if (origin.startsWith('https:')) return `${this.#place} closes the connection without an answer.`;
        return `${this.#place} closes the connection without an answer. Does it want https?`;
    }
    if (
      code === 'EPROTO' ||
      code.startsWith('ERR_SSL') ||
      code.startsWith('HPE_') ||
      code === 'UND_ERR_HEADERS_OVERFLOW'
    ) {
      const hint = origin.startsWith('https:') ? 'It may want http.' : 'It may want https.';
      return `${this.#place} does not speak ${new URL(origin).protocol.slice(0, -1)}. ${hint}`;
    }
    return `${silent}: ${message}`;
  }
}

/** There was no answer. */
export class Unanswered extends Failure {}

/** The host is there, and nobody listens at the port. */
export class NobodyListens extends Unanswered {}

/** The body of an error answer, as far as it is one. */
function asRefusal(text: string): { readonly error?: string; readonly description?: string } {
  const { error, description } = Object(parsed(text)) as Record<string, unknown>;
  return isText(error) && Object.hasOwn(catalogue, error) && typeof description === 'string'
    ? { error, description }
    : {};
}

/** Undefined if it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Connects, and hands out the connection only if the key may be sent over it. */
function connector(where: Where): buildConnector.connector {
  const ca = where.authorities;
  const connect = buildConnector({
    timeout: connectMs,
    // Checked below, where the configured certificate counts as well. A resumed session would show none.
    rejectUnauthorized: false,
    maxCachedSessions: 0,
    ...(ca === undefined ? {} : { ca }),
  });
  return (options, callback) =>
    connect(options, (...result) => {
      const [error, socket] = result;
      const reason = error ? undefined : distrust(socket, where);
      if (reason === undefined) return callback(...result);
      socket?.destroy();
      const text = `The certificate of ${where.origin} (${where.source}) is not trusted: ${reason}. Give --ca FILE, or --insecure.`;
      callback(new Failure(text), null);
    });
}

function distrust(socket: Socket, { insecure, certificate }: Where): string | undefined {
  if (!(socket instanceof TLSSocket) || insecure || socket.authorized) return undefined;
  const shown = socket.getPeerX509Certificate();
  if (certificate !== undefined && shown?.raw.equals(certificate.raw)) return undefined;
  return String(socket.authorizationError);
}
