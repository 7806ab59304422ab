/** The configuration of a Hive node under measurement: production mode, real plugins, default limits but for how fast clients may send. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const apiKey = 'bench-api-key';
export const monitorKey = 'bench-monitor-key';
export const clusterName = 'bench';

/** Writes the configuration of a node; gives its file. */
export function writeConfig({
  name = 'bench@127.0.0.1',
  backEnd,
  cluster,
  client = 'fast',
  recovery = false,
  window,
  redis,
  lease,
  apiPort = 0,
}) {
  const dir = mkdtempSync(join(tmpdir(), 'hive-bench-'));
  const file = join(dir, 'config.json');
  writeFileSync(
    file,
    JSON.stringify(
      config({ name, dir, backEnd, cluster, client, recovery, window, redis, lease, apiPort }),
      undefined,
      2,
    ),
  );
  return { dir, file };
}

function config({ name, dir, backEnd, cluster, client, recovery, window, redis, lease, apiPort }) {
  return {
    hive: {
      name,
      host: '127.0.0.1',
      port: 0,
      mode: 'production',
      allowed_origins: ['*', null],
      cluster_name: clusterName,
      max_client_slots: 100_000,
      graceful_termination_timeout: 10_000,
      ...cluster,
    },
    socketio: {
      transports: ['websocket', 'xhr-polling'],
      init_timeout: 5000,
      heartbeat_timeout: 15_000,
      reconnect_timeout: 60_000,
      poll_timeout: 50,
      session_timeout: 3_600_000,
      // As fast as they can.
      max_packets_per_second: 1_000_000,
    },
    clients: {
      // With its own defaults, as far as nothing else is said.
      ...(recovery && { recovery: { window } }),
      ...(redis && { durable: { connector: 'sessions', lease } }),
      state: { state_manager: 'sm.local', initial_value: { user: null }, args: null },
      actions: { send: [{ action: 'action.send_event', args: null }] },
      hooks: {
        echo: [{ hook: 'utils.echo', args: null }],
        // The echo comes when the subscription is complete.
        join: [
          { hook: 'pubsub.subscribe', args: 'public' },
          { hook: 'utils.echo', args: null },
        ],
        ...(backEnd &&
          redis && { on_disconnect: [{ hook: 'hp.post', args: { connector: 'backend', endpoint: '/gone' } }] }),
        ...(backEnd && { post: [{ hook: 'hp.post', args: { connector: 'backend', endpoint: '/hook' } }] }),
      },
    },
    connectors: {
      rent_timeout: 2000,
      pools: {
        ...(backEnd && {
          backend: {
            connector: 'connector.http',
            size: 100,
            overflow: 0,
            args: { base_url: backEnd, client, max_connection_timeout: 5000 },
          },
        }),
        ...(redis && {
          sessions: {
            connector: 'connector.redis',
            size: 2,
            overflow: 2,
            args: { host: '127.0.0.1', port: redis, reconnect_timeout: 100, max_reconnect_timeout: 1000 },
          },
        }),
      },
    },
    pubsub: { channels: { bench: { privilege: 'public', timeout: 60_000 } } },
    api: { port: apiPort, hash: apiKey },
    monitor: { port: 0, hash: monitorKey },
    log: { dir: join(dir, 'log'), file_level: 'info', console_level: 'notice' },
  };
}
