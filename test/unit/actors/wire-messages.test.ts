/**
 * Every message that nodes send to one another's actors, and what is no such message. Each is taken apart: without one of its fields,
 * and with something else in it, it is refused at the door, so that no handler meets half a message.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMonitorMessage, type MonitorMessage } from '../../../src/actors/monitor/wire-messages.ts';
import { isWireMessage, type PublishTerm, type WireMessage } from '../../../src/actors/pubsub/wire-messages.ts';
import { isRouterMessage, type RouterMessage } from '../../../src/actors/router/wire-messages.ts';
import { decodeTerm } from '../../../src/distribution/codec/decoder.ts';
import { encodeTerm } from '../../../src/distribution/codec/encoder.ts';
import { atom, tuple } from '../../../src/distribution/codec/terms.ts';
import type { NodeName } from '../../../src/kernel/types.ts';
import { type ChunkMessage, isRelayMessage, type RelayMessage } from '../../../src/web/client/relay/messages.ts';
import type { ToEntry, ToOwner } from '../../../src/web/client/relay/relay.ts';

const node = 'a@127.0.0.1' as NodeName;

const router: Record<RouterMessage['type'], RouterMessage> = {
  act: { type: 'act', sid: 's', orders: [{ action: 'stop', args: null }] },
  subscribe: { type: 'subscribe', sid: 's', channels: ['a', 'b'] },
  unsubscribe: { type: 'unsubscribe', sid: 's', channels: [] },
  whereis: { type: 'whereis', sid: 's' },
  view: { type: 'view', sid: 's' },
  ask: { type: 'ask', sid: 's', name: 'n', args: '[]', timeoutMs: 5000 },
  ask_channel: { type: 'ask_channel', channel: 'a', name: 'n', args: '[]', timeoutMs: 5000 },
  subscribers: { type: 'subscribers', channel: 'a' },
  channels: { type: 'channels', channel: 'a', after: '', limit: 1 },
  clients: { type: 'clients', channel: '', user: '', after: 'x', limit: 1000 },
  user: { type: 'user', user: 'ann' },
  send: { type: 'send', sid: 's', name: 'n', args: '[]' },
  disconnect: { type: 'disconnect', sid: 's' },
  key_begin: { type: 'key_begin', key: 'k', digest: 'd', by: 't' },
  key_copy: { type: 'key_copy', key: 'k', digest: 'd', by: 't', answer: null },
  keys_kept: { type: 'keys_kept', rows: [['k', { digest: 'd', by: 't', answer: null }]] },
  key_end: { type: 'key_end', key: 'k', digest: 'd', by: 't', answer: { status: 200, text: '{}', isJson: true } },
  enable: { type: 'enable' },
  disable: { type: 'disable' },
  terminate: { type: 'terminate', reason: 'r' },
  stop: { type: 'stop', reason: 'r' },
};

const monitor: Record<MonitorMessage['type'], MonitorMessage> = {
  metrics: { type: 'metrics', section: '' },
  reset: { type: 'reset', path: 'hive.errors' },
  supervision: {
    type: 'supervision',
    options: { depth: 2, limit: 5, path: 'a/b', sort: 'mailbox', flat: true },
  },
  health: { type: 'health' },
  alarms: { type: 'alarms' },
  crashes: { type: 'crashes' },
  abandoned: { type: 'abandoned' },
  actor: { type: 'actor', pid: '<a@h.1.0>' },
  busiest: { type: 'busiest', options: { sort: 'rate', limit: 20, overMs: 1000 } },
};

const toOwner: Record<Exclude<ToOwner['type'], 'chunk'>, ToOwner> = {
  taken: { type: 'taken', cost: 5 },
  pong: { type: 'pong' },
  gone: { type: 'gone', reason: 'transport_closed' },
  moved: { type: 'moved', transport: 'websocket' },
};

const toEntry: Record<Exclude<ToEntry['type'], 'chunk'>, ToEntry> = {
  taken: { type: 'taken', cost: 5 },
  wanted: { type: 'wanted' },
  answer: { type: 'answer', status: '200', headers: [['a', 'b']], close: false },
  accepted: { type: 'accepted', window: 5 },
  ping: { type: 'ping' },
  recovered: { type: 'recovered', window: 5 },
  leaving: { type: 'leaving' },
  left: { type: 'left' },
  refused: { type: 'refused' },
  ended: { type: 'ended', reason: 'replaced' },
  end: { type: 'end', code: 1000 },
};

const signalTo = (to: 'owner' | 'entry') => (signal: ToOwner | ToEntry) =>
  ({ type: 'signal', node, stream: 1, to, signal, last: false }) as const;
const head = { kind: 'request', method: 'get', url: '/', query: '', headers: [['a', 'b']], address: '::1' } as const;
const returning = { kind: 'return', pid: 'a.b', namespace: '/', transport: 'polling' } as const;

const relay: Record<Exclude<RelayMessage, ChunkMessage>['type'] | 'chunk', readonly RelayMessage[]> = {
  chunk: [
    [node, 1, 5, 'text'],
    [node, 1, 0, Buffer.from([255])],
  ],
  open: [head, returning, { ...returning, offset: 'a1' }].map((opening) => ({
    type: 'open',
    node,
    stream: 1,
    opening,
  })),
  signal: [...Object.values(toOwner).map(signalTo('owner')), ...Object.values(toEntry).map(signalTo('entry'))],
  lost: [{ type: 'lost', node, stream: 1, to: 'entry' }],
  credit: [{ type: 'credit', node, weight: 5 }],
  started: [{ type: 'started', node }],
};

const pubsub: Record<Exclude<WireMessage, PublishTerm>['type'] | 'publish', WireMessage> = {
  publish: ['publish', 'a@h#1', 2, 1, true, ['a'], 'public', ['orders', []]],
  gap: { type: 'gap', origin: 'a@h#1', number: 2, after: 1, channels: ['a'] },
  taken: { type: 'taken', by: 'b@h#1', origin: 'a@h#1', upTo: 2, again: false },
  kept_wanted: { type: 'kept_wanted', boot: 'one@host#4', by: 'two@host#5' },
  taken_wanted: { type: 'taken_wanted', origin: 'a@h#1' },
  interest: { type: 'interest', node, all: true, add: ['a'], remove: [] },
  interest_wanted: { type: 'interest_wanted', node },
  interest_stale: { type: 'interest_stale', node },
};

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
  for (const name of Object.keys(message)) {
    yield Array.isArray(message) ? message.with(Number(name), undefined) : { ...message, [name]: undefined };
  }
}

const actors: readonly (readonly [string, (message: unknown) => boolean, readonly object[]])[] = [
  ['hive_router', isRouterMessage, Object.values(router)],
  ['hive_monitor', isMonitorMessage, Object.values(monitor)],
  ['hive_relay', isRelayMessage, Object.values(relay).flat()],
  ['hive_pubsub', isWireMessage, Object.values(pubsub)],
];

/** What clients are to get or to run is looked into when it is read. */
function checkedAtOnce(message: object): object {
  if (Array.isArray(message)) return message[0] === 'publish' ? message.slice(0, 6) : message;
  const { privilege, publication, ...own } = message as Record<string, unknown>;
  return 'orders' in own ? { ...own, orders: [] } : own;
}

const show = (message: unknown) => JSON.stringify(message, (_, item) => (typeof item === 'bigint' ? `${item}` : item));

for (const [name, admits, messages] of actors) {
  test(`${name} takes what the nodes send to it, as it comes over the wire`, () => {
    for (const message of messages) assert.ok(admits(decodeTerm(encodeTerm(message))), show(message));
  });

  test(`${name} takes nothing that is not whole`, () => {
    for (const message of nonsense) assert.ok(!admits(message), show(message));
    for (const message of messages) {
      const own = checkedAtOnce(message);
      for (const half of [...spoilt(own), ...incomplete(own)]) assert.ok(!admits(half), show(half));
    }
  });
}

test('hive_pubsub takes a publish with options, and none with others', () => {
  const { publish } = pubsub;
  const withOptions = (options: unknown) => decodeTerm(encodeTerm([...(publish as PublishTerm), options]));
  for (const options of [{}, { position: ['1', 7] }]) assert.ok(isWireMessage(withOptions(options)), show(options));
  const wrong = [null, 'position', 7, { position: 7 }, { position: [] }, { position: [1, 7] }, { position: ['1', -1] }];
  for (const options of wrong) assert.ok(!isWireMessage(withOptions(options)), show(options));
});
