/**
 * The HTTP back end of the recordings: each path always answers the same. Besides it learns the session ids that our
 * server, other than that of 2014, shows to back ends only: clients connect with `?replay=<token>`, which `/whoami` gets.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../eventually.ts';

interface Metadata {
  readonly sid?: string;
  readonly trigger?: { readonly args?: readonly unknown[] } | string | null;
  readonly trigger_id?: string;
  readonly handshake?: { readonly query?: Readonly<Record<string, string>> };
}

export interface BackEndRequest {
  readonly method: string;
  readonly path: string;
  readonly sid: string | undefined;
  readonly body: string;
}

type Answer = (metadata: Metadata, res: ServerResponse) => unknown;

function reply(name: string, args: unknown[]): object {
  return { action: 'reply', args: { name, args } };
}

const three = [reply('a', [1]), reply('b', [2]), reply('c', [3])];
const publication = (cids: string[]): object => ({ cids, event: reply('pubbed', cids) });

/** Path → body of a 200 answer; a string is sent as it is, anything else as JSON. */
const answers: Readonly<Record<string, Answer>> = {
  '/whoami': () => '',
  '/gone': () => '',
  '/single': () => reply('one', [1]),
  '/array': () => three,
  '/get': () => reply('got', [1]),
  '/put': () => reply('ignored', [1]),
  '/empty': () => '',
  '/empty_array': () => [],
  '/invalid': () => 'this is not json',
  '/r500': (_, res) => status(res, 500, ''),
  '/r201': (_, res) => status(res, 201, reply('created', [1])),
  '/r204': (_, res) => status(res, 204, ''),
  '/r302': (_, res) => status(res, 302, ''),
  // Later than max_connection_timeout, but for the scenario that wants it only slow.
  '/timeout': async ({ trigger }) => {
    const isSlowOnly = typeof trigger === 'object' && trigger?.args?.[0] === 1;
    await delay(isSlowOnly ? 500 : 1600);
    return [];
  },
  '/closes': (_, res) => res.destroy(),
  '/unknown_action': () => ({ action: 'no_such_action', args: 1 }),
  '/bad_shape': () => [{ foo: 1 }],
  '/missing_args': () => ({ action: 'reply' }),
  '/bad_event': () => ({ action: 'reply', args: { nme: 'x' } }),
  '/number': () => 5,
  '/string': () => '"abc"',
  '/null_body': () => null,
  '/array_mixed': () => [reply('x', [1]), 5],
  '/extra_key': () => ({ ...reply('x', [1]), extra: true }),
  '/store': () => ({ action: 'store', args: { nick: 'bob', new: { deep: [1, 2] } } }),
  '/store_then_state': () => reply('from_store', [1]),
  '/onconnect': () => ({ action: 'store', args: { nick: 'from backend' } }),
  '/stop': () => ({ action: 'stop', args: 'bye now' }),
  '/error': () => ({ action: 'error', args: 'my error' }),
  '/ack': ({ trigger_id }) => ({ action: 'ack', args: ['acked', 1], trigger_id }),
  '/ack_event': ({ trigger_id }) => [
    { action: 'ack', args: ['acked'], trigger_id },
    { ...reply('withid', [1]), trigger_id },
  ],
  '/msg': () => ({ action: 'msg', args: 'plain text' }),
  '/json': () => ({ action: 'json', args: { k: [1, null, true] } }),
  '/dispatch': () => ({ action: 'dispatch', args: { name: 'echo_fixed', args: [1] } }),
  '/add_hooks': () => ({
    action: 'add_hooks',
    args: { dyn: [{ hook: 'utils.echo', args: { name: 'dynamic', args: [] } }] },
  }),
  '/remove_hooks': () => ({ action: 'remove_hooks', args: ['dyn'] }),
  '/publish': () => ({ action: 'publish', args: publication(['room.a']) }),
  '/publish_private': () => ({ action: 'publish_private', args: publication(['secret.a']) }),
  '/publish_raw': () => ({ action: 'publish_raw', args: { cids: ['room.a'], event: { name: 'rawpub', args: [1] } } }),
  '/subscribe': () => ({ action: 'subscribe', args: ['room.a'] }),
  '/subscribe_private': () => ({ action: 'subscribe_private', args: ['secret.a'] }),
  '/unsubscribe': () => ({ action: 'unsubscribe', args: ['room.a'] }),
};

function status(res: ServerResponse, code: number, body: unknown): void {
  res.writeHead(code).end(typeof body === 'string' ? body : JSON.stringify(body));
}

export class GoldenBackEnd {
  readonly requests: BackEndRequest[] = [];
  /** Sessions whose requests are answered with 500. */
  readonly failing = new Set<string>();
  readonly #sids = new Map<string, string>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((req, res) => void this.#answer(req, res));
  }

  static async start(): Promise<GoldenBackEnd> {
    const backEnd = new GoldenBackEnd();
    await new Promise<void>((resolve) => backEnd.#server.listen(0, '127.0.0.1', resolve));
    return backEnd;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The session id of the client that connected with this token. */
  sidOf(token: string, limitMs: number): Promise<string> {
    return eventually(() => this.#sids.get(token), `the session id of ${token}`, limitMs);
  }

  /** The same if it is known already. */
  knownSid(token: string): string | undefined {
    return this.#sids.get(token);
  }

  /** Takes the first request, not taken before, of that method, path and session; undefined if none comes in time. */
  async take(
    method: string,
    path: string,
    sid: string | undefined,
    limitMs: number,
  ): Promise<BackEndRequest | undefined> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const index = this.requests.findIndex(
        (request) => request.method === method && request.path === path && request.sid === sid,
      );
      if (index >= 0) return this.requests.splice(index, 1)[0];
      if (performance.now() >= deadline) return undefined;
      await delay(10);
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of req) body += chunk;
    const path = req.url ?? '';
    const metadata = (body === '' ? {} : JSON.parse(body)) as Metadata;
    const token = metadata.handshake?.query?.replay;
    if (token !== undefined && metadata.sid !== undefined) this.#sids.set(token, metadata.sid);
    if (path !== '/whoami') this.requests.push({ method: req.method ?? '', path, sid: metadata.sid, body });
    if (this.failing.has(metadata.sid ?? '')) status(res, 500, '');
    const answer = res.writableEnded ? undefined : await answers[path]?.(metadata, res);
    if (res.writableEnded || res.destroyed) return;
    if (answer === undefined) res.writeHead(404).end();
    else res.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  }
}
