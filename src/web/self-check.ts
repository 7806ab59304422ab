/**
 * A node asks its own servers before it says that it is ready: one that listens and does not answer must not be found out by
 * its clients. What is asked changes nothing; what it counts is taken back.
 */
import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { HiveError } from '../observe/errors.ts';
import type { Metrics } from '../observe/metrics.ts';

export interface ServerCheck {
  readonly name: string;
  /** Where it listens. All addresses are asked on the loopback interface. */
  readonly origin: string;
  readonly path: string;
  isRight(status: number, body: string): boolean;
  /** Counters that the question moves. */
  readonly counters: readonly string[];
}

interface Servers {
  readonly addresses: {
    readonly client: string;
    readonly api: string;
    readonly monitor: string;
    readonly health?: string;
  };
  readonly apiKey: string;
  readonly monitorKey: string;
  readonly node: string;
  readonly version: string;
}

/** One question for each server of a node. */
export function checksOf({ addresses, apiKey, monitorKey, node, version }: Servers): readonly ServerCheck[] {
  const probes: ServerCheck[] = [];
  if (addresses.health !== undefined) {
    const isRight = (status: number, body: string) => status === 200 && body === 'live\n';
    probes.push({ name: 'health port', origin: addresses.health, path: '/live', isRight, counters: [] });
  }
  return [
    ...probes,
    {
      name: 'client server',
      origin: addresses.client,
      // Nothing is there, whatever protocols are served, and it makes no session.
      path: `/${randomUUID()}`,
      isRight: (status, body) => status === 404 && body === '',
      counters: ['clients.transports.http.4XX'],
    },
    {
      name: 'API',
      origin: addresses.api,
      path: `/api/${encodeURIComponent(apiKey)}/hive/version`,
      isRight: (status, body) => status === 200 && body === version,
      counters: ['api.requests', 'api.hive.requests'],
    },
    {
      name: 'monitor',
      origin: addresses.monitor,
      path: `/monitor/${encodeURIComponent(monitorKey)}/health`,
      // It may not be well, which is no fault of the server.
      isRight: (status, body) => (status === 200 || status === 503) && isHealthOf(node, body),
      counters: [],
    },
  ];
}

/** Long enough for a machine under load; nothing waits for it unless something is wrong. */
const answerTimeoutMs = 10_000;

/** @throws HiveError (rejection) `not_answering` that names the first server without a right answer */
export async function checkServers(
  checks: readonly ServerCheck[],
  metrics: Metrics,
  timeoutMs = answerTimeoutMs,
): Promise<void> {
  for (const { name, origin, path, isRight, counters } of checks) {
    const { status, body } = await ask(reachable(origin) + path, timeoutMs).catch((error: Error) => {
      throw new HiveError('not_answering', `The ${name} at ${origin} does not answer: ${error.message}`, {
        cause: error,
      });
    });
    if (!isRight(status, body)) {
      const answer = `${status} ${JSON.stringify(body.slice(0, 100))}`;
      throw new HiveError('not_answering', `The ${name} at ${origin} gives a wrong answer: ${answer}`);
    }
    for (const counter of counters) metrics.counter(counter).value -= 1;
  }
}

/** Who listens on all addresses is asked on one. */
function reachable(origin: string): string {
  return origin.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

function isHealthOf(node: string, body: string): boolean {
  try {
    return (JSON.parse(body) as { node?: unknown }).node === node;
  } catch {
    return false;
  }
}

function ask(url: string, timeoutMs: number): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    // The certificate need not be for the address: whether it answers is asked, not who it is.
    const options = { agent: false, rejectUnauthorized: false } as const;
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('close', () => clearTimeout(timer));
    });
    const timer = setTimeout(() => request.destroy(new Error(`nothing came within ${timeoutMs} ms`)), timeoutMs);
    request.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end();
  });
}
