/** EPMD, the handshake of nodes, and what a node that has passed it says: control messages, terms, frames. */
import { deflateSync } from 'node:zlib';
import { encodeTerm } from '../../../src/distribution/codec/encoder.ts';
import {
  atom,
  BitString,
  Float,
  ImproperList,
  Pid,
  Port,
  Reference,
  Tuple,
  tuple,
} from '../../../src/distribution/codec/terms.ts';
import { op } from '../../../src/distribution/control.ts';
import { flag } from '../../../src/distribution/handshake.ts';
import { answer, open, type Step, send } from '../conversation.ts';
import { mutateBytes } from '../mutate.ts';
import { namePacket, packet, peerCreation } from '../node-peer.ts';
import type { Random } from '../random.ts';

function withLength(bytes: Buffer): Buffer {
  return packet(bytes);
}

const alive = Buffer.concat([
  Buffer.of(120, 0x23, 0x8c, 72, 0, 0, 6, 0, 6, 0, 4),
  Buffer.from('evil'),
  Buffer.of(0, 0),
]);
const epmdRequests = [
  Buffer.of(110),
  Buffer.from('zfuzz0'),
  Buffer.from('znobody'),
  alive,
  Buffer.of(107),
  Buffer.from('sfuzz0'),
  Buffer.of(100),
];

export function epmd(random: Random): Step[] {
  const request = withLength(random.pick(epmdRequests));
  const bytes = random.chance(0.2) ? request : mutateBytes(request, random);
  const steps: Step[] = [open('epmd', 0), send(bytes), answer];
  if (random.chance(0.3)) steps.push(send(random.bytes(random.int(3000))), answer);
  return steps;
}

function evilName(random: Random, kinds: number): string {
  return `evil${kinds}-${random.int(kinds)}@127.0.0.1`;
}

/** Who does not know the cookie, at each stage. */
export function handshake(random: Random): Step[] {
  const node = random.int(2);
  const name = packet(namePacket({ name: evilName(random, 12), asHive: random.chance(0.3) }));
  const reply = packet(Buffer.concat([Buffer.of(0x72), random.bytes(20)]));
  const complement = packet(Buffer.concat([Buffer.of(0x63), random.bytes(8)]));
  const status = packet(Buffer.from(random.pick(['strue', 'sfalse', 'sok', 'snok'])));
  const spoil = (bytes: Buffer) => (random.chance(0.5) ? mutateBytes(bytes, random) : bytes);
  const steps: Step[] = [open('distribution', node)];
  if (random.chance(0.1)) steps.push(send(random.bytes(random.int(4000))));
  steps.push(send(spoil(name)), answer);
  if (random.chance(0.3)) steps.push(send(spoil(status)));
  if (random.chance(0.2)) steps.push(send(spoil(complement)));
  steps.push(send(spoil(reply)), answer, send(mutateBytes(reply, random)), answer);
  return steps;
}

const gone = 'fuzz0@127.0.0.1';
const plainValues: readonly unknown[] = [
  ...[0, -1, 255, 2 ** 31, 2 ** 53, 10n ** 400n, -(2n ** 64n), new Float(1), 1.5e300, -0, true, null, undefined],
  ...['', 'room', 'text', '\ufffd', '__proto__', 'x'.repeat(300), Buffer.alloc(0), Buffer.from('ff00', 'hex')],
  ...[[], {}, new Map([[1, 2]]), new Tuple([]), new ImproperList([1], 2), new BitString(Buffer.of(0x80), 1)],
  ...[
    atom('ok'),
    atom('type'),
    atom(''),
    new Port(gone, 1n, 1),
    new Reference(gone, 1, [1, 2, 3]),
    new Pid(gone, 9, 0, 1),
  ],
];

function value(random: Random, depth = 0): unknown {
  if (depth < 4 && random.chance(0.35)) {
    const items = Array.from({ length: random.int(4) }, () => value(random, depth + 1));
    if (random.chance(0.4)) return items;
    if (random.chance(0.5)) return new Tuple(items);
    return Object.fromEntries(
      items.map((item, at) => [random.pick(['type', 'node', 'to', 'x', 'toString', `${at}`]), item]),
    );
  }
  return random.pick(plainValues);
}

/** Changes parts of a message: values become others, members go or come. */
function spoil(message: unknown, random: Random): unknown {
  if (random.chance(0.12)) return value(random);
  if (Array.isArray(message)) return message.map((item) => spoil(item, random));
  if (message instanceof Tuple) return new Tuple(message.items.map((item) => spoil(item, random)));
  if (typeof message !== 'object' || message === null || message.constructor !== Object) return message;
  const members = Object.entries(message).filter(() => !random.chance(0.05));
  if (random.chance(0.05)) members.push([random.pick(['type', 'node', 'all', 'constructor']), value(random)]);
  // Which kind of message it is, is kept: one kind ends the node, and is a right of whoever knows the cookie.
  return Object.fromEntries(members.map(([key, member]) => [key, key === 'type' ? member : spoil(member, random)]));
}

/** What is validly said to each registered name, but for what ends nodes or shuts clients out, or makes them dial strangers. */
function messagesOf(self: string, random: Random): readonly (readonly [name: string, message: unknown])[] {
  const stream = random.int(5);
  const order = { action: 'send', args: { name: 'x', args: [] } };
  const origin = `${self}#${peerCreation}`;
  // Often one after the other, as they should come.
  let number = random.int(5);
  const next = () => {
    const after = number;
    number += 1 + random.int(2);
    return { origin, number, after, confirm: random.chance(0.5) };
  };
  const headers = [['content-type', 'text/plain']];
  const opening = {
    kind: random.pick(['request', 'socket']),
    method: random.pick(['GET', 'POST']),
    url: random.pick(['/socket.io/', '/socket.io/1/websocket/x', '/']),
    query: random.pick(['EIO=4&transport=polling', 'EIO=4&transport=websocket', '']),
    headers,
    address: '127.0.0.1',
  };
  const to = random.pick(['owner', 'entry']);
  const signal = random.pick([
    { type: 'answer', status: '200 OK', headers },
    { type: 'taken', cost: 10 },
    { type: 'end' },
    { type: 'abort' },
    { type: 'close', code: 1000 },
    { type: 'opened' },
  ]);
  return [
    ['hive_members', { type: 'members', port: 1, members: [{ node: 'nobody', port: 1 }], answer: true }],
    ['hive_members', { type: 'leaving' }],
    ['hive_relay', { type: 'open', node: self, stream, opening }],
    ['hive_relay', [self, stream, random.int(20), random.pick(['40', Buffer.from('2probe'), ''])]],
    ['hive_relay', { type: 'signal', node: self, stream, to, signal, last: random.chance(0.3) }],
    ['hive_relay', { type: 'lost', node: self, stream, to }],
    ['hive_relay', { type: 'credit', node: self, weight: 100 }],
    ['hive_relay', { type: 'started', node: self }],
    ['hive_pubsub', { type: 'interest', node: self, all: true, add: ['room'], remove: [] }],
    ['hive_pubsub', { type: 'interest', node: self, all: false, add: [], remove: ['room'] }],
    ['hive_pubsub', { type: 'interest_wanted', node: self }],
    ['hive_pubsub', { type: 'interest_stale', node: self }],
    ['hive_pubsub', ['publish', ...Object.values(next()), ['room'], 'public', ['event', 'said', '[1]', -1, false]]],
    ['hive_pubsub', ['publish', ...Object.values(next()), ['orders'], 'private', ['orders', [order]]]],
    ['hive_pubsub', { type: 'gap', ...next(), channels: ['room'] }],
    ['hive_pubsub', { type: 'taken', by: origin, origin: 'nobody@127.0.0.1#1', upTo: 5, again: true }],
    ['hive_pubsub', { type: 'taken_wanted', origin }],
    ['hive_pubsub', tuple(atom('publish'), ['room'], { name: 'said', args: [] })],
    ['hive_pubsub', tuple(atom('subscribe'), new Pid(self, 1, 0, peerCreation), 'room')],
    ['hive_pubsub', tuple(atom('count'), 'room')],
    ['hive_router', { type: 'act', sid: 'nobody', orders: [order] }],
    ['hive_router', { type: 'subscribe', sid: 'nobody', channels: ['room'] }],
    ['hive_router', { type: 'subscribers', channel: 'room' }],
    ['hive_router', { type: 'view', sid: 'nobody' }],
    ['hive_router', tuple(atom('act'), 'nobody', [order])],
    ['hive_router', atom('count')],
    ['hive_monitor', { type: 'metrics', section: 'hive' }],
    ['hive_monitor', { type: 'supervision', options: { depth: 3, limit: 2, path: 'hive', sort: 'mailbox' } }],
    ['hive_monitor', { type: 'busiest', options: { sort: 'rate', limit: 3, overMs: 1 } }],
    ['hive_monitor', { type: 'actor', pid: '<1.2.3>' }],
    ['hive_monitor', tuple(atom('tree'), 2)],
    ['hive_cluster', { type: 'nodes' }],
    ['hive_cluster', tuple(atom('owner'), 'nobody')],
    ['hive_connectors', { type: 'stop', name: 'nobody' }],
    ['net_kernel', tuple(atom('is_auth'), atom(self))],
    ['rex', tuple(atom('call'), atom('erlang'), atom('node'), [])],
    ['nobody', { type: 'hello' }],
  ];
}

function frameOf(...terms: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.of(112), ...terms]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

function compressed(term: Buffer): Buffer {
  const head = Buffer.of(131, 80, 0, 0, 0, 0);
  head.writeUInt32BE(term.length - 1, 2);
  return Buffer.concat([head, deflateSync(term.subarray(1))]);
}

/** Lists in lists, deeper than anything may be. */
function nested(random: Random): Buffer {
  const depth = random.pick([10, 511, 512, 513, 5000, 100_000]);
  const levels = Buffer.alloc(depth * 5);
  for (let at = 0; at < levels.length; at += 5) levels.set([108, 0, 0, 0, 1], at);
  return Buffer.concat([Buffer.of(131), levels, Buffer.alloc(1 + depth, 106)]);
}

/** Atoms by reference to a cache, fragments: what we do not offer and nobody may send. */
function otherHeaders(random: Random): Buffer {
  const kind = random.pick([68, 69, 70, 80]);
  const body = Buffer.concat([Buffer.of(131, kind), random.bytes(16 + random.int(40))]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

/** Signals between processes. None meets a process that is there, but for monitors and requests to registered names. */
function control(self: string, random: Random): Buffer {
  const mine = new Pid(self, random.int(5), 0, peerCreation);
  const theirs = new Pid(random.pick([gone, 'fuzz1@127.0.0.1', self]), random.int(100), 0, 1);
  const ref = new Reference(random.pick([self, gone]), random.pick([1, peerCreation]), [
    random.int(9),
    random.int(3),
    random.int(3),
  ]);
  const names = ['hive_router', 'hive_pubsub', 'net_kernel', 'nobody'].map(atom);
  const parts = [mine, theirs, ref, ...names, 1, 2n ** 64n, atom('normal'), atom('kill'), '', value(random)];
  const message = random.pick([
    [op.link, mine, theirs],
    [op.send, atom(''), theirs],
    [op.exit, mine, theirs, atom('kill')],
    [op.exit2, mine, theirs, atom('kill')],
    [op.unlinkId, random.int(5), mine, theirs],
    [op.unlinkIdAck, random.int(5), mine, theirs],
    [op.monitor, mine, random.pick(names), ref],
    [op.demonitor, mine, random.pick(names), ref],
    [op.monitorExit, theirs, mine, ref, atom('noproc')],
    [op.payloadMonitorExit, theirs, mine, ref],
    [op.payloadExit, mine, theirs],
    [op.aliasSend, mine, ref],
    [op.groupLeader, mine, theirs],
    [op.spawnRequest, ref, mine, mine, tuple(atom('m'), atom('f'), 0), []],
    [random.int(40), ...Array.from({ length: random.int(5) }, () => random.pick(parts))],
  ]);
  const spoilt = random.chance(0.4)
    ? message.map((part, at) => (at > 0 && random.chance(0.3) ? random.pick(parts) : part))
    : message;
  return frameOf(encodeTerm(new Tuple(spoilt)), ...(random.chance(0.6) ? [encodeTerm(value(random))] : []));
}

function said(self: string, random: Random): Buffer {
  const [name, valid] = random.pick(messagesOf(self, random));
  const plain = random.chance(0.3) ? valid : spoil(valid, random);
  const mine = new Pid(self, random.int(5), 0, peerCreation);
  const callTag = random.pick([atom('tag'), new Reference(self, peerCreation, [1, 2, 3]), value(random)]);
  const message = random.pick([
    plain,
    tuple(atom('$gen_call'), tuple(mine, callTag), plain),
    tuple(atom('$gen_cast'), plain),
    tuple(atom('system'), tuple(mine, callTag), random.pick([atom('get_state'), atom('get_status'), value(random)])),
  ]);
  let term = encodeTerm(message);
  if (random.chance(0.1)) term = compressed(term);
  if (random.chance(0.02)) term = nested(random);
  if (random.chance(0.15)) term = Buffer.concat([term.subarray(0, 1), mutateBytes(term.subarray(1), random)]);
  return frameOf(encodeTerm(tuple(op.regSend, mine, atom(''), atom(name))), term);
}

/** Other capabilities than ours, but for those without which nobody is let in. */
function capabilities(random: Random): { without: bigint; beyond: bigint } {
  if (random.chance(0.5)) return { without: 0n, beyond: 0n };
  const optional = [
    flag.distMonitor,
    flag.distMonitorName,
    flag.sendSender,
    flag.exitPayload,
    flag.unlinkId,
    flag.alias,
  ];
  const without = optional.filter(() => random.chance(0.3)).reduce((all, one) => all | one, 0n);
  // Published, an atom cache, fragments, spawning: whatever there may be.
  const beyond = random.pick([1n, 0x2000n, 0x800000n, 1n << 32n, random.bytes(8).readBigUInt64BE()]);
  return { without, beyond };
}

/** A node that knows the cookie. */
export function peer(random: Random): Step[] {
  // Nodes of ours are dialled for an hour after they have gone: let these be few.
  const asHive = random.chance(0.4);
  const name = evilName(random, asHive ? 12 : 500);
  const steps: Step[] = [
    open('distribution', random.int(2)),
    { do: 'handshake', as: { name, asHive, ...capabilities(random) } },
  ];
  for (let count = 2 + random.int(8); count > 0; count -= 1) {
    const how = random.int(20);
    let frame = how < 5 ? control(name, random) : how < 19 ? said(name, random) : otherHeaders(random);
    if (random.chance(0.05)) frame = mutateBytes(frame, random);
    steps.push(send(frame));
    if (random.chance(0.2)) steps.push(answer);
  }
  if (random.chance(0.2)) steps.push(send(Buffer.alloc(4)));
  steps.push(answer);
  return steps;
}
