/** `hive status`: how a node, or a whole cluster, is. */
import type { Alarm } from '../observe/alarms.ts';
import { printable } from '../observe/printable.ts';
import type { NodeHealth } from '../web/monitor/monitor-host.ts';
import { durableLines } from './operator/durable.ts';
import { alarmText, bytes, duration, milliseconds, percent, plural } from './operator/formats.ts';
import { allNodes, askedNode, type Nodes } from './operator/nodes.ts';
import { Operator } from './operator/operator.ts';
import { print } from './operator/output.ts';
import { type PoolReading, Readings } from './operator/readings.ts';
import type { Where } from './operator/where.ts';

export interface StatusOptions {
  readonly json?: boolean;
  readonly cluster?: boolean;
}

const codes = { ready: 0, degraded: 2 };

/** Resolves to the exit code: 0 all is ready, 2 something is not. @throws Failure (rejection) */
export async function status(where: Where, { json = false, cluster = false }: StatusOptions): Promise<number> {
  const operator = new Operator(where);
  try {
    const found = await (cluster ? allNodes : askedNode)(operator);
    const all = Object.values(found.health);
    if (!json) await print(printable(describe(found, cluster)));
    else if (cluster) await print(printable(`${JSON.stringify(found)}\n`));
    else await print(printable(`${JSON.stringify(ofOne(found))}\n`));
    const isReady = all.every((health) => health.status === 'ready') && (!cluster || found.missing.length === 0);
    return isReady ? codes.ready : codes.degraded;
  } finally {
    operator.close();
  }
}

function ofOne({ health, metrics, alarms }: Nodes): object {
  return { ...Object.values(health)[0], metrics: Object.values(metrics)[0], alarms: Object.values(alarms)[0] };
}

function describe({ missing, health, metrics, alarms }: Nodes, cluster: boolean): string {
  const blocks = Object.values(health).map((one) =>
    describeNode(one, new Readings(metrics[one.node]), alarms[one.node] ?? []),
  );
  if (cluster) {
    const away = missing.length === 0 ? '' : `, missing: ${missing.join(', ')}`;
    blocks.unshift(`${plural(blocks.length, 'node')}${away}\n`);
  }
  return blocks.join('\n');
}

function describeNode(
  { node, status: state, reasons, version, sockets }: NodeHealth,
  readings: Readings,
  alarms: readonly Alarm[],
): string {
  const number = (path: string): number => readings.number(path);
  const lines: [string, string][] = reasons.map((reason) => ['reason', reason]);
  for (const alarm of alarms) lines.push(['alarm', alarmText(alarm)]);
  lines.push(['version', version], ['sockets', sockets], ['uptime', duration(number('hive.uptime'))]);
  const suspended = number('clients.states.suspended');
  const transports = [`${number('clients.websocket')} WebSocket`, `${number('clients.xhr_polling')} polling`];
  if (suspended > 0) transports.push(`${suspended} suspended`);
  lines.push(['clients', `${number('clients.total')} (${transports.join(', ')})`]);
  const departures = number('clients.departures.waiting');
  if (departures > 0) {
    const oldest = duration(number('clients.departures.oldest_ms'));
    lines.push(['departures', `${departures} not answered by a back end, the oldest for ${oldest}`]);
  }
  lines.push(...durableLines(readings));
  lines.push(['channels', String(number('pubsub.total_channels'))]);
  lines.push(...publishes(readings));
  lines.push(['nodes', readings.names('hive.cluster.nodes').join(', ')]);
  const heap = bytes(number('hive.memory.processes'));
  lines.push(['memory', `${bytes(number('hive.memory.total'))}, of which JavaScript heap ${heap}`]);
  const delay = readings.latency('hive.event_loop.delay');
  if (delay) {
    const times = `p50 ${milliseconds(delay.p50)}, p99 ${milliseconds(delay.p99)}, max ${milliseconds(delay.max)}`;
    lines.push(['event loop', `delay ${times}; ${percent(number('hive.event_loop.utilization'))} busy`]);
  }
  const crashes = number('hive.actors.crashes');
  lines.push(['actors', `${number('hive.actors.running')}, ${plural(crashes, 'crash', 'crashes')}`]);
  for (const pool of readings.pools()) lines.push(['pool', describePool(pool)]);
  const text = lines.map(([name, value]) => `  ${name.padEnd(11)}${value}\n`);
  return `${node} is ${state}\n${text.join('')}`;
}

/** Only what is worth a look. */
function publishes(readings: Readings): [string, string][] {
  const parts: string[] = [];
  const waiting = readings.number('pubsub.unacknowledged');
  const kept = bytes(readings.number('pubsub.unacknowledged_bytes'));
  if (waiting > 0) parts.push(`${waiting} not acknowledged by other nodes, ${kept}`);
  const gaps = readings.number('pubsub.gaps');
  if (gaps > 0) parts.push(`${readings.number('pubsub.dropped')} lost in ${plural(gaps, 'gap')}`);
  return parts.length === 0 ? [] : [['publishes', parts.join('; ')]];
}

function describePool({ name, workers, busy, waiting, requests, errors, connected, latency }: PoolReading): string {
  const parts = [plural(workers, 'worker'), ...(connected === undefined ? [] : [`${connected} connected`])];
  parts.push(`${busy} busy`, `${waiting} waiting`, plural(requests, 'request'), plural(errors, 'error'));
  if (latency && latency.count > 0) parts.push(`p50 ${milliseconds(latency.p50)}`, `p99 ${milliseconds(latency.p99)}`);
  return `${name}: ${parts.join(', ')}`;
}
