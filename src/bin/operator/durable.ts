/** What `hive status` and `hive top` say of durable sessions; nothing of nodes that have none. */
import { bytes, duration, milliseconds, plural } from './formats.ts';
import type { Readings } from './readings.ts';

export function hasDurable(readings: Readings): boolean {
  return readings.has('clients.durable.up');
}

/** Names and texts of lines. @param nodes so many have durable sessions */
export function durableLines(readings: Readings, nodes = 1): [string, string][] {
  if (!hasDurable(readings)) return [];
  const number = (name: string): number => readings.number(`clients.durable.${name}`);
  const up = number('up');
  const parts = [plural(number('sessions'), 'session')];
  const present = number('present');
  if (present > 0) parts.push(`${present} of them adopted`);
  const handedOver = number('handed_over');
  if (handedOver > 0) parts.push(`${handedOver} handed over to other nodes since the start`);
  const lost = number('claims_lost');
  if (lost > 0) parts.push(`${lost} lost to other nodes since the start`);
  const lines: [string, string][] = [['durable', `${state(up, nodes, number)}; ${parts.join(', ')}`]];
  const latency = readings.latency('clients.durable.journal.latency');
  const waiting = number('journal.waiting');
  const journal = [
    `${plural(number('journal.entries'), 'batch', 'batches')}, ${bytes(number('journal.bytes'))} in Redis`,
  ];
  if (latency && latency.count > 0) {
    journal.push(`stored in p50 ${milliseconds(latency.p50)}, p99 ${milliseconds(latency.p99)}`);
  }
  if (waiting > 0) journal.push(`${waiting} not stored yet`);
  if (journal.length > 1) lines.push(['journal', journal.join('; ')]);
  return lines;
}

function state(up: number, nodes: number, number: (name: string) => number): string {
  const down = duration(number('down_ms'));
  if (nodes > 1) return up === nodes ? 'yes, on all nodes' : `on ${up} of ${nodes} nodes, not on others for ${down}`;
  return up === 1 ? `yes, lease for ${duration(number('lease.left_ms'))}` : `NO, for ${down}`;
}
