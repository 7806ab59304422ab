/** One frame of `hive top` as lines of text. */

import { printable } from '../../observe/printable.ts';
import { cut } from '../operator/cut.ts';
import { durableLines, hasDurable } from '../operator/durable.ts';
import { alarmText, amount, bytes, duration, milliseconds, percent, plural } from '../operator/formats.ts';
import type { Latency, Readings } from '../operator/readings.ts';
import type { Busy, Order } from './busy.ts';
import { type NodeSample, perSecond, type Sample } from './sample.ts';
import { type Column, table } from './table.ts';

export interface Line {
  readonly text: string;
  /** Shown so that it stands out. */
  readonly style?: 'title' | 'heading';
}

export interface Frame {
  readonly before: Sample;
  readonly now: Sample;
  readonly busy: readonly Busy[];
  readonly order: Order;
}

const unknown = '–';
/** Why clients that return become new ones. */
const returnFailures = ['unknown', 'ended', 'incomplete', 'too_much'];

/** Lines of at most `columns` characters. There may be more of them than a screen holds. */
export function frameLines({ before, now, busy, order }: Frame, columns: number): Line[] {
  const lines: Line[] = [{ text: title(now), style: 'title' }];
  const say = (text: string): void => void lines.push({ text });
  for (const { node, reasons, alarms } of now.nodes) {
    const whose = now.nodes.length > 1 ? `${node}: ` : '';
    for (const reason of reasons) say(whose + reason);
    if (alarms.length > 0) say(`${whose}alarms: ${alarms.map(alarmText).join('; ')}`);
  }
  if (now.missing.length > 0) say(`missing: ${now.missing.join(', ')}`);
  for (const text of figures(now, before)) say(text);
  for (const [heading = '', ...rows] of [nodeTable(now, before), poolTable(now, before), actorTable(busy, order)]) {
    if (rows.length === 0) continue;
    lines.push({ text: '' }, { text: heading, style: 'heading' });
    for (const row of rows) say(row);
  }
  if (busy.length === 0) lines.push({ text: '' }, { text: 'No actor had anything to do.' });
  return lines.map(({ text, ...style }) => ({ text: cut(printable(text).replaceAll('\n', ' '), columns), ...style }));
}

function title({ scope, nodes }: Sample): string {
  const [first] = nodes;
  if (scope === 'cluster') {
    const ready = nodes.filter(({ status }) => status === 'ready').length;
    return `the cluster: ${plural(nodes.length, 'node')}, ${ready} ready`;
  }
  if (!first) return '';
  return `${first.node} is ${first.status}, up ${duration(first.readings.number('hive.uptime'))}, version ${first.version}`;
}

function figures({ nodes, total }: Sample, before: Sample): string[] {
  const number = (path: string): number => total.number(path);
  const rate = (path: string): string => per(perSecond(nodes, before.nodes, path));
  const hooks = times(total.latency('clients.hooks.latency'));
  const publishes = times(total.latency('pubsub.latency'));
  const utilization = nodes.reduce((sum, { readings }) => sum + utilizationOf(readings), 0) / nodes.length;
  const delay = times(total.latency('hive.event_loop.delay'));
  const memory = `${bytes(number('hive.memory.total'))}, heap ${bytes(number('hive.memory.processes'))}`;
  const suspended = number('clients.states.suspended');
  const clients = [`${number('clients.websocket')} WebSocket`, `${number('clients.xhr_polling')} polling`];
  if (suspended > 0) clients.push(`${suspended} suspended`);
  return [
    `clients     ${number('clients.total')}: ${clients.join(', ')}`,
    ...returns(total, rate),
    ...departures(total),
    ...durable({ nodes, total }),
    `events      ${rate('clients.events.total')}, errors ${rate('clients.events.errors')}`,
    `hooks       ${rate('clients.hooks.calls')}, errors ${rate('clients.hooks.errors')}${hooks}`,
    `publishes   ${rate('pubsub.publish')}, deliveries ${rate('pubsub.deliveries')}${publishes}`,
    `event loop  ${percent(utilization)} busy, CPU ${cpu(nodes, before.nodes)}${delay && `, delay${delay.slice(1)}`}`,
    `memory      ${memory}`,
    `actors      ${number('hive.actors.running')}, crashes ${number('hive.actors.crashes')}, dead letters ${rate('hive.actors.dead_letters')}`,
  ];
}

/** Only where clients may return to their sessions, and have lost connections. */
function returns(total: Readings, rate: (path: string) => string): string[] {
  if (total.number('clients.recovery.suspended') === 0) return [];
  const failed = returnFailures.reduce((sum, name) => sum + total.number(`clients.recovery.${name}`), 0);
  const away = times(total.latency('clients.recovery.away')).replace(',', ', away');
  return [`returns     ${rate('clients.recovery.recovered')}, ${failed} not recovered since the start${away}`];
}

function departures(total: Readings): string[] {
  const waiting = total.number('clients.departures.waiting');
  if (waiting === 0) return [];
  const oldest = duration(total.number('clients.departures.oldest_ms'));
  return [`departures  ${waiting} not answered by a back end, the oldest for ${oldest}`];
}

function durable({ nodes, total }: Pick<Sample, 'nodes' | 'total'>): string[] {
  const count = nodes.filter(({ readings }) => hasDurable(readings)).length;
  return durableLines(total, count).map(([name, text]) => `${name.padEnd(12)}${text}`);
}

/** Since the start of the process, as the monitor has them. */
function times(latency: Latency | undefined): string {
  if (!latency || latency.count === 0) return '';
  return `, p50 ${milliseconds(latency.p50)}, p99 ${milliseconds(latency.p99)}, max ${milliseconds(latency.max)}`;
}

function per(second: number | undefined): string {
  return second === undefined ? unknown : `${amount(second)}/s`;
}

function cpu(now: readonly NodeSample[], before: readonly NodeSample[]): string {
  const user = perSecond(now, before, 'hive.cpu.user');
  const system = perSecond(now, before, 'hive.cpu.system');
  return user === undefined || system === undefined ? unknown : percent((user + system) / 1000);
}

function utilizationOf(readings: NodeSample['readings']): number {
  return readings.number('hive.event_loop.utilization');
}

/** Only of a cluster: a single node's figures are above. */
function nodeTable({ scope, nodes }: Sample, before: Sample): string[] {
  const columns: Column<NodeSample>[] = [
    ['status', ({ status }) => status],
    ['clients', ({ readings }) => amount(readings.number('clients.total'))],
    ['events/s', (node) => per(perSecond([node], before.nodes, 'clients.events.total')).replace('/s', '')],
    ['loop', ({ readings }) => percent(utilizationOf(readings))],
    ['delay p99', ({ readings }) => latencyCell(readings.latency('hive.event_loop.delay'), 'p99')],
    ['CPU', (node) => cpu([node], before.nodes)],
    ['memory', ({ readings }) => bytes(readings.number('hive.memory.total'))],
    ['up', ({ readings }) => duration(readings.number('hive.uptime'))],
  ];
  return table(scope === 'cluster' ? nodes : [], columns, 'node', ({ node }) => node);
}

function poolTable({ nodes, total }: Sample, before: Sample): string[] {
  const rate = (name: string, what: string) =>
    per(perSecond(nodes, before.nodes, `connectors.${name}.${what}`)).replace('/s', '');
  type Row = ReturnType<typeof total.pools>[number];
  const columns: Column<Row>[] = [
    ['workers', ({ workers }) => String(workers)],
    ['busy', ({ busy }) => String(busy)],
    ['waiting', ({ waiting }) => String(waiting)],
    ['requests/s', ({ name }) => rate(name, 'requests')],
    ['errors/s', ({ name }) => rate(name, 'errors')],
    ['p50', ({ latency }) => latencyCell(latency, 'p50')],
    ['p99', ({ latency }) => latencyCell(latency, 'p99')],
  ];
  const state = ({ connected, workers }: Row): string => {
    if (connected === undefined) return '';
    if (connected === 0 && workers > 0) return ': Redis is away';
    return `: ${connected} connected`;
  };
  return table(total.pools(), columns, 'pool', (pool) => `${pool.name}${state(pool)}`);
}

function latencyCell(latency: Latency | undefined, which: 'p50' | 'p99'): string {
  return latency && latency.count > 0 ? milliseconds(latency[which]) : unknown;
}

function actorTable(busy: readonly Busy[], order: Order): string[] {
  const mark = (name: Order): string => (order === name ? '▼' : '');
  const columns: Column<Busy>[] = [
    [`${mark('rate')}messages/s`, ({ rate }) => amount(rate)],
    [`${mark('mailbox')}mailbox`, ({ mailbox }) => amount(mailbox.length)],
    ['peak', ({ mailbox }) => amount(mailbox.peak)],
    ['status', ({ status }) => status],
  ];
  return table(busy, columns, 'actor', ({ pid, path }) => `${pid} ${path.replace(/^hive_root_sup\//, '')}`);
}
