/**
 * Every message that nodes send to one another's actors, and what is no such message. Each is taken apart: without one of its fields,
 * and with something else in it, it is refused at the door, so that no handler meets half a message.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMonitorMessage, type MonitorMessage } from '../../../src/actors/monitor/wire-messages.ts';
import { isWireMessage, type WireMessage } from '../../../src/actors/pubsub/wire-messages.ts';
import { isRouterMessage, type RouterMessage } from '../../../src/actors/router/wire-messages.ts';
import { decodeTerm } from '../../../src/distribution/codec/decoder.ts';
import { encodeTerm } from '../../../src/distribution/codec/encoder.ts';
import { atom, tuple } from '../../../src/distribution/codec/terms.ts';
import type { NodeName } from '../../../src/kernel/types.ts';
import { isRelayMessage, type RelayMessage } from '../../../src/web/client/relay/messages.ts';

const node = 'a@127.0.0.1' as NodeName;

const router: RouterMessage[] = [
  { type: 'act', sid: 's', orders: [{ action: 'stop', args: null }] },
  { type: 'subscribe', sid: 's', channels: ['a', 'b'] },
  { type: 'unsubscribe', sid: 's', channels: [] },
  { type: 'whereis', sid: 's' },
  { type: 'view', sid: 's' },
  { type: 'subscribers', channel: 'a' },
  { type: 'enable' },
  { type: 'disable' },
  { type: 'terminate', reason: 'r' },
  { type: 'stop', reason: 'r' },
];

const monitor: MonitorMessage[] = [
  { type: 'metrics', section: '' },
  { type: 'reset', path: 'hive.errors' },
  { type: 'supervision', options: {} },
  { type: 'supervision', options: { depth: 2, limit: 5, path: 'a/b', sort: 'mailbox', flat: true } },
  { type: 'health' },
  { type: 'alarms' },
  { type: 'crashes' },
  { type: 'abandoned' },
  { type: 'actor', pid: '<a@h.1.0>' },
  { type: 'busiest', options: { sort: 'rate', limit: 20, overMs: 1000 } },
];

const head = { kind: 'request', method: 'get', url: '/', query: '', headers: [['a', 'b']], address: '::1' } as const;
const relay: RelayMessage[] = [
  [node, 1, 5, 'text'],
  { type: 'open', node, stream: 1, opening: head },
  { type: 'signal', node, stream: 1, to: 'owner', signal: { type: 'taken', cost: 5 }, last: false },
  { type: 'signal', node, stream: 1, to: 'owner', signal: { type: 'pong' }, last: false },
  { type: 'signal', node, stream: 1, to: 'owner', signal: { type: 'gone', reason: 'transport_closed' }, last: true },
  { type: 'signal', node, stream: 1, to: 'entry', signal: { type: 'taken', cost: 5 }, last: false },
  { type: 'signal', node, stream: 1, to: 'entry', signal: { type: 'wanted' }, last: false },
  {
    type: 'signal',
    node,
    stream: 1,
    to: 'entry',
    signal: { type: 'answer', status: '200', headers: [], close: false },
    last: false,
  },
  { type: 'signal', node, stream: 1, to: 'entry', signal: { type: 'accepted', window: 5 }, last: false },
  { type: 'signal', node, stream: 1, to: 'entry', signal: { type: 'ping' }, last: false },
  { type: 'signal', node, stream: 1, to: 'entry', signal: { type: 'end', code: 1000 }, last: true },
  { type: 'signal', node, stream: 1, to: 'entry', signal: { type: 'end', code: undefined }, last: true },
  { type: 'lost', node, stream: 1, to: 'entry' },
  { type: 'credit', node, weight: 5 },
  { type: 'started', node },
];

const pubsub: WireMessage[] = [
  { type: 'interest', node, all: true, add: ['a'], remove: [] },
  { type: 'interest_wanted', node },
  { type: 'interest_stale', node },
];

/** Nothing that an actor of ours has a word for, as far as terms go; an Erlang process's request is one for the actors that answer it. */
const nonsense = [
  null,
  undefined,
  true,
  17,
  -1.5,
  2n ** 80n,
  'enable',
  Buffer.from([255]),
  [],
  [[]],
  [node, 1, 16, 'text'],
  {},
  { type: 'no such' },
  { type: 17 },
  { type: ['enable'] },
  { Type: 'enable' },
  new Map<unknown, unknown>([['type', 'enable']]),
  tuple(),
  tuple('enable'),
  tuple(atom('enable')),
  atom('enable'),
];

/** In no field of any message. */
const misfit = 2n ** 80n;

/** Copies with a misfit in one place, however deep. */
function* spoilt(value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, item] of Object.entries(value)) {
    for (const wrong of [misfit, ...spoilt(item)]) {
      yield Array.isArray(value) ? value.with(Number(name), wrong) : { ...value, [name]: wrong };
    }
  }
}

/** Copies without one of the fields. */
function* incomplete(message: object): Generator<unknown> {
  if (Array.isArray(message)) return;
  for (const name of Object.keys(message)) yield { ...message, [name]: undefined };
}

const actors: readonly (readonly [string, (message: unknown) => boolean, readonly object[]])[] = [
  ['hive_router', isRouterMessage, router],
  ['hive_monitor', isMonitorMessage, monitor],
  ['hive_relay', isRelayMessage, relay],
  ['hive_pubsub', isWireMessage, pubsub],
];

const show = (message: unknown) => JSON.stringify(message, (_, item) => (typeof item === 'bigint' ? `${item}` : item));

for (const [name, admits, messages] of actors) {
  test(`${name} takes what the nodes send to it, as it comes over the wire`, () => {
    for (const message of messages) assert.ok(admits(decodeTerm(encodeTerm(message))), show(message));
  });

  test(`${name} takes nothing that is not whole`, () => {
    for (const message of nonsense) assert.ok(!admits(message), show(message));
    for (const message of messages) {
      // What is to be run is looked into when it is read, and answered with `bad_internal_event`.
      const own = 'orders' in message ? { ...message, orders: [] } : message;
      for (const half of [...spoilt(own), ...incomplete(own)]) assert.ok(!admits(half), show(half));
    }
  });
}
