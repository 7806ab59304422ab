/** A mistake in a configuration, as files on disk together with what must be said about it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ErrorCode } from '../../../src/observe/errors.ts';

export interface BadConfig {
  readonly title: string;
  /** Edits of the good configuration: dotted path (elements by their number) → value, or undefined to delete it. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** Makes the main file's text out of the edited configuration's. */
  readonly main?: (text: string) => string;
  /** Further files by name; those that end in `.latin1.json` are not written as UTF-8. */
  readonly files?: Readonly<Record<string, string>>;
  /** Every problem that must be named, in any order; there must be no others. */
  readonly expect: readonly ExpectedProblem[];
}

export interface ExpectedProblem {
  /** Relative to the main file's directory; the main file if absent. */
  readonly file?: string;
  readonly path: string;
  readonly code: ErrorCode;
  /** A fragment that holds for the real plugins as well. */
  readonly reason: string;
  readonly suggestion?: string;
}

/** The most frequent kind of problem. */
export function invalid(path: string, reason: string, suggestion?: string): ExpectedProblem {
  return { path, code: 'invalid_config', reason, ...(suggestion === undefined ? {} : { suggestion }) };
}

/** A configuration without a mistake, using every section and kind of plugin. */
export function goodConfig(): object {
  return {
    hive: {
      name: 'node1@127.0.0.1',
      port: 8080,
      allowed_origins: ['https://shop.example', null],
      max_client_slots: 100,
      graceful_termination_timeout: 1000,
      cluster_nodes: ['node2@127.0.0.1'],
    },
    socketio: {
      transports: ['websocket', 'xhr-polling'],
      init_timeout: 5000,
      heartbeat_timeout: 15000,
      reconnect_timeout: 60000,
      poll_timeout: 50,
      session_timeout: 3600000,
    },
    clients: {
      state: { state_manager: 'sm.redis', initial_value: { nick: null }, args: { connector: 'database' } },
      actions: { send: [{ action: 'action.send_event', args: null }] },
      hooks: {
        greet: [
          { hook: 'utils.echo', args: null },
          { hook: 'hp.post', args: { connector: 'backend', endpoint: '/greet' } },
        ],
        join: [{ hook: 'pubsub.subscribe', args: 'public' }],
      },
    },
    connectors: {
      rent_timeout: 2000,
      pools: {
        backend: {
          connector: 'connector.http',
          size: 2,
          overflow: 8,
          args: { base_url: 'http://127.0.0.1:8081', max_connection_timeout: 1000 },
        },
        database: {
          connector: 'connector.redis',
          size: 2,
          overflow: 2,
          args: {
            host: '127.0.0.1',
            port: 6379,
            database: 0,
            password: 'hunter2-redis',
            restart_timeout: 60000,
            reconnect_timeout: 1000,
          },
        },
      },
    },
    pubsub: { channels: { room: { privilege: 'public', timeout: 1000 } } },
    api: { port: 1235, hash: 'api-key-0' },
    monitor: { port: 1234, hash: 'monitor-key-0' },
    log: { dir: 'log' },
  };
}

/** The good configuration with edits, as text. */
export function edited(set: Readonly<Record<string, unknown>> = {}): string {
  const config = goodConfig();
  for (const [path, value] of Object.entries(set)) {
    const keys = path.split('.');
    const last = keys.pop()!;
    const holder = keys.reduce((object, key) => Reflect.get(object, key), config);
    if (value === undefined) Reflect.deleteProperty(holder, last);
    else Reflect.set(holder, last, value);
  }
  return JSON.stringify(config, null, 2);
}

/** Writes the case's files and returns the path of the main one. */
export function writeBadConfig(bad: BadConfig, directory: string): string {
  const text = edited(bad.set);
  const files = { ...bad.files, 'config.json': bad.main?.(text) ?? text };
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, name.endsWith('.latin1.json') ? 'latin1' : 'utf8');
  }
  return join(directory, 'config.json');
}
