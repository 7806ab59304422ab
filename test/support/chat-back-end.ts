/**
 * A chat's back end as a process of its own, with two APIs that the test plays: what Hive would post to it, and what it asks of
 * Hive.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const key = 'a key/with a slash';

interface Call {
  path: string;
  body: unknown;
}

/** A node's API: records what it is asked and knows which sessions are alive. */
class FakeApi {
  readonly calls: Call[] = [];
  readonly alive: Set<string>;
  /** What to answer everything with instead of serving: a status, or nothing at all. */
  failing: number | 'silent' | undefined;
  port = 0;
  #server: Server | undefined;
  #waiting: (() => void)[] = [];

  constructor(alive: Set<string>) {
    this.alive = alive;
  }

  async start(): Promise<void> {
    this.#server = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      const prefix = `/api/${encodeURIComponent(key)}/`;
      const target = request.url ?? '';
      assert.ok(target.startsWith(prefix), target);
      const path = decodeURIComponent(target.slice(prefix.length));
      if (this.failing === 'silent') return;
      if (this.failing !== undefined) {
        response.writeHead(this.failing).end();
        return;
      }
      this.calls.push({ path, body: JSON.parse(text) });
      const [section, , id] = path.split('/');
      if (section === 'clients' && !this.alive.has(id ?? '')) {
        response.writeHead(404).end('{"error":"bad_session_id","description":"no such session"}');
      } else {
        response.end();
      }
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    if (this.#server?.listening) await once(this.#server, 'close');
    this.#server = undefined;
  }

  /** The first recorded call that fits, awaited if need be. */
  async call(fits: (call: Call) => boolean): Promise<Call> {
    for (;;) {
      const found = this.calls.find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Names and values of the events published to a room. */
  published(room: string): [string, Record<string, unknown>][] {
    return this.calls
      .filter((call) => call.path === `pubsub/publish/chat.${room}`)
      .map((call) => {
        const event = call.body as { name: string; args: [Record<string, unknown>] };
        return [event.name, event.args[0]];
      });
  }
}

export interface Action {
  readonly action: string;
  readonly args: Record<string, unknown>;
}

export interface State {
  readonly nick?: string | null;
  readonly rooms?: readonly string[];
}

/** What a call says beside its event: unless given, each event of a session is newer than those before, and has no key. */
interface Told {
  readonly event?: number;
  readonly epoch?: number;
  readonly connected_at?: number;
  readonly key?: string;
}

/** The program that runs a back end, and the file of that, below `examples`. */
const backEnds = {
  python: ['python3', 'distributed-chat/backend/backend.py'],
  node: [process.execPath, 'distributed-chat/backend-node/backend.mjs'],
  simple: ['python3', 'simple-chat/backend/backend.py'],
} as const;

export class ChatBackEnd {
  /** The sids of sessions that the APIs know. */
  readonly alive = new Set<string>();
  readonly first = new FakeApi(this.alive);
  readonly second = new FakeApi(this.alive);
  url = '';
  readonly #command: readonly [string, string];
  readonly #events = new Map<string, number>();
  #process: ChildProcess | undefined;

  constructor(kind: keyof typeof backEnds) {
    const [program, script] = backEnds[kind];
    this.#command = [program, fileURLToPath(new URL(`../../examples/${script}`, import.meta.url))];
  }

  /** Starts both APIs anew, and the back end. */
  async startAll(...options: string[]): Promise<void> {
    this.alive.clear();
    this.#events.clear();
    for (const api of [this.first, this.second]) {
      api.calls.length = 0;
      api.failing = undefined;
      api.port = 0;
      await api.start();
    }
    await this.start(...options);
  }

  async stopAll(): Promise<void> {
    assert.equal(await this.stop(), 0);
    await Promise.all([this.first.stop(), this.second.stop()]);
  }

  async start(...options: string[]): Promise<void> {
    const [program, script] = this.#command;
    const apis = [this.first, this.second].flatMap((api) => ['--api', `http://127.0.0.1:${api.port}`]);
    const args = [script, '--port', '0', '--key', key, ...apis, '--node', 'one=http://127.0.0.1:9', ...options];
    this.#process = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    const [line] = (await once(createInterface(this.#process.stdout!), 'line')) as [string];
    this.url = /http:\S+/.exec(line)?.[0] ?? assert.fail(line);
  }

  /** @returns its exit code */
  async stop(): Promise<number | null> {
    const child = this.#process;
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  }

  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(new URL(path, this.url), { method: 'POST', body, headers });
  }

  /** Calls a hook as Hive does. `args` are null for an event that is no client's. */
  async hook(
    path: string,
    sid: string,
    args: unknown[] | null,
    state: State | [] = [],
    told: Told = {},
  ): Promise<Action[]> {
    const trigger = args === null ? null : { name: 'event', args };
    const event = told.event ?? (this.#events.get(sid) ?? 0) + 1;
    this.#events.set(sid, Math.max(event, this.#events.get(sid) ?? 0));
    const session = { connected_at: told.connected_at ?? 1_764_504_000_000, epoch: told.epoch ?? 0, event };
    const body = JSON.stringify({ sid, trigger, trigger_id: '', state, node: 'one@127.0.0.1', session });
    const response = await this.post(path, body, told.key === undefined ? {} : { 'Idempotency-Key': told.key });
    assert.equal(response.status, 200);
    const text = await response.text();
    return text === '' ? [] : (JSON.parse(text) as Action[]);
  }

  /** Lets a living session get a nick and join a room; returns the state that it has then. */
  async enter(sid: string, nick: string, room: string): Promise<State> {
    this.alive.add(sid);
    assert.equal(refusal(await this.hook('/authorize', sid, [{ nick }])), undefined);
    assert.equal(refusal(await this.hook('/join', sid, [{ chat: room }], { nick, rooms: [] })), undefined);
    return { nick, rooms: [room] };
  }
}

/** The code of the refusal among these actions, if there is one. */
export function refusal(actions: readonly Action[]): unknown {
  const sent = actions.find((action) => action.action === 'send_event' && action.args.name === 'refused');
  return (sent?.args.args as { code: string }[] | undefined)?.[0]?.code;
}
