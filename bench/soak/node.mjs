/** The node under soak: real configuration, production mode, hooks that go to the back end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Process } from '../lib/processes.mjs';

const program = fileURLToPath(new URL('../../dist/bin/hive.js', import.meta.url));
const apiKey = 'soak-api-key';
const monitorKey = 'soak-monitor-key';
const host = '127.0.0.1';
/** A channel goes so long after its last subscriber, so that channels come and go all the time. */
export const channelTimeoutMs = 2000;

/** For answers. That the machine has something else to do for a while is not to end a soak. */
const patienceMs = 30_000;

function config(dir, backEnd) {
  const post = (endpoint) => ({ hook: 'hp.post', args: { connector: 'backend', endpoint } });
  return {
    hive: {
      name: `soak${process.pid}@127.0.0.1`,
      host,
      port: 0,
      allowed_origins: [null],
      max_client_slots: 100_000,
      graceful_termination_timeout: 10_000,
    },
    socketio: {
      transports: ['websocket'],
      init_timeout: 5000,
      heartbeat_timeout: 15_000,
      reconnect_timeout: 60_000,
      poll_timeout: 50,
      session_timeout: 3_600_000,
      // Often enough that heartbeats, too, are part of each stay.
      ping_interval: 5000,
    },
    clients: {
      state: { state_manager: 'sm.local', initial_value: { nick: null }, args: null },
      actions: {
        send: [{ action: 'action.send_event', args: null }],
        store: [{ action: 'action.update_state', args: null }],
      },
      hooks: {
        enter: [{ hook: 'pubsub.subscribe', args: 'public' }, post('/enter')],
        say: [post('/say')],
        on_disconnect: [post('/left')],
      },
    },
    connectors: {
      rent_timeout: patienceMs,
      pools: {
        backend: {
          connector: 'connector.http',
          size: 20,
          overflow: 20,
          args: { base_url: backEnd, max_connection_timeout: patienceMs },
        },
      },
    },
    pubsub: { channels: { chat: { privilege: 'public', timeout: channelTimeoutMs } } },
    api: { port: 0, hash: apiKey },
    monitor: { port: 0, hash: monitorKey },
    log: { dir: join(dir, 'log'), file_level: 'info', console_level: 'notice' },
  };
}

export class SoakedNode {
  #process;
  #dir;
  #monitor;
  clients;
  api;

  async start(backEnd) {
    this.#dir = mkdtempSync(join(tmpdir(), 'hive-soak-'));
    const file = join(this.#dir, 'config.json');
    writeFileSync(file, JSON.stringify(config(this.#dir, backEnd), undefined, 2));
    this.#process = Process.node(program, ['run', file]);
    const ready = / is ready: clients \S+:(\d+)\S*, api \S+:(\d+)\S*, monitor \S+:(\d+)/;
    const [, clients, api, monitor] = await this.#process.line(ready);
    this.clients = { host, port: Number(clients), protocol: 'socketio' };
    this.api = `http://${host}:${api}/api/${apiKey}`;
    this.#monitor = `http://${host}:${monitor}/monitor/${monitorKey}`;
  }

  set onCrash(callback) {
    this.#process.onCrash = callback;
  }

  /** What the node holds now; the delay of its event loop is that since the last look. */
  async look() {
    const tree = await (await fetch(this.#monitor)).json();
    await fetch(`${this.#monitor}/hive.event_loop.delay`, { method: 'DELETE' });
    const { actors, memory, event_loop: loop, router } = tree.hive;
    return {
      actors: actors.running,
      clients: router.current_clients,
      channels: tree.pubsub.total_channels,
      abandoned: actors.abandoned,
      crashes: actors.crashes,
      rss: memory.total,
      heap: memory.processes,
      delayP50: loop.delay.p50,
      delayMax: loop.delay.max,
    };
  }

  /** Bytes of the heap and of buffers that are left after a full collection. */
  async held() {
    const { heapUsed, external } = await this.#process.ask('memory');
    return heapUsed + external;
  }

  /** Ends it; gives where its log is if that is to be kept. */
  async stop(keepLog) {
    await this.#process?.stop();
    if (keepLog) return join(this.#dir, 'log');
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
