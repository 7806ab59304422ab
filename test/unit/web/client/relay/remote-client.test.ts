/** A client that has returned elsewhere, as its session sees it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../../../../src/observe/metrics.ts';
import { type ClientPacket, EventPacket } from '../../../../../src/protocol/packet.ts';
import { RecoverableV5Codec } from '../../../../../src/protocol/recovery.ts';
import type { ClientHandle, Sink } from '../../../../../src/web/client/client-handle.ts';
import type { ConnectionContext } from '../../../../../src/web/client/connection-context.ts';
import { clientCounters } from '../../../../../src/web/client/counters.ts';
import type { Chunk, ToEntry } from '../../../../../src/web/client/relay/relay.ts';
import { RemoteClient } from '../../../../../src/web/client/relay/remote-client.ts';
import { Topics } from '../../../../../src/web/client/topics.ts';

const codec = new RecoverableV5Codec('/');
const news = (...args: unknown[]) => new EventPacket('news', JSON.stringify(args));
const chunk = (data: string): Chunk => ({ type: 'chunk', data, isText: true, more: false });

class FakeSession implements Partial<ClientHandle> {
  readonly sid = 's';
  /** What was done to it. */
  readonly log: unknown[] = [];
  onResume: (sink: Sink) => void = () => {};

  resume(sink: Sink, transport: string): void {
    this.log.push(['resume', transport]);
    this.onResume(sink);
  }

  receive(packet: ClientPacket): void {
    if (packet.type === 'event') this.log.push([packet.name, packet.args, packet.id]);
    else this.log.push(packet);
  }

  transport(kind: string): void {
    this.log.push(['transport', kind]);
  }

  close(reason: string, isAnswered?: boolean): void {
    this.log.push(['close', reason, isAnswered]);
  }
}

function rig(maxBackpressure = 1_000_000) {
  /** Texts of chunks, and other signals; the last with a mark. */
  const sent: unknown[] = [];
  const stream = {
    load: 0,
    send: (signal: ToEntry, last = false) => {
      const what = signal.type === 'chunk' ? signal.data : signal;
      sent.push(last ? [what, 'last'] : what);
    },
  };
  const counters = clientCounters(new Metrics());
  const topics = new Topics();
  const config = { socketio: { max_backpressure: maxBackpressure } };
  const context = { topics, counters, config } as unknown as ConnectionContext;
  const session = new FakeSession();
  const client = new RemoteClient(context, stream, codec, session as unknown as ClientHandle);
  return { client, session, sent, topics, counters };
}

test('what was missed goes first, then what comes: sent, published, acknowledged', () => {
  const { client, session, sent, topics } = rig();
  session.onResume = (sink) => {
    sink.join('room');
    topics.publish('room', news(2));
  };
  client.resume([{ packet: news(1), tail: ',"p1"]' }], 'polling');
  client.send(news(3), ',"p3"]');
  client.leave('room');
  topics.publish('room', news(4));
  assert.deepEqual(sent, [
    { type: 'recovered', window: 1_000_000 },
    '42["news",1,"p1"]',
    '42["news",2',
    '42["news",3,"p3"]',
  ]);
  assert.deepEqual(session.log, [['resume', 'polling']]);
});

test('the session gets the packets of the client, and hears of its transport and its end', () => {
  const { client, session } = rig();
  client.resume([], 'polling');
  client.receive(chunk('27["say",{"file":{"_binary":"AA=="}}]'));
  client.receive(chunk('35[1]'));
  client.receive({ type: 'moved', transport: 'websocket' });
  client.receive({ type: 'gone', reason: 'ping_timeout' });
  assert.deepEqual(session.log.slice(1), [
    ['say', [{ file: { _binary: 'AA==' } }], 7],
    { type: 'ack', id: 5, args: [1] },
    ['transport', 'websocket'],
    ['close', 'ping_timeout', true],
  ]);
});

test('a packet that is none ends the client, whatever its node thinks', () => {
  for (const text of ['2', '2["say"', '1', '51-["file",{"_placeholder":true,"num":0}]', '0{}', '']) {
    const { client, session, sent } = rig();
    client.resume([], 'polling');
    client.receive(chunk(text));
    assert.deepEqual(session.log.slice(1), [['close', 'bad_packet', true]], text);
    assert.deepEqual(sent.at(-1), [{ type: 'ended', reason: 'bad_packet' }, 'last']);
  }
});

test('a node that is lost suspends the session, and nothing is published to it any more', () => {
  const { client, session, sent, topics } = rig();
  client.resume([], 'polling');
  client.join('room');
  client.lost();
  topics.publish('room', news(1));
  client.send(news(2));
  client.end('stopped');
  assert.deepEqual(session.log.slice(1), [['close', 'transport_closed', true]]);
  assert.equal(sent.length, 1);
});

test('an end by the session is told, and not called back', () => {
  const { client, session, sent } = rig();
  client.resume([], 'polling');
  client.end('stopped');
  client.end('stopped');
  assert.deepEqual(sent.slice(1), [[{ type: 'ended', reason: 'stopped' }, 'last']]);
  assert.equal(session.log.length, 1);
});

test('what its node has not dealt with counts as buffered, and too much of it ends the connection', () => {
  const { client, session, sent, counters } = rig(50_000);
  client.resume([], 'polling');
  const many = news('x'.repeat(100_000));
  client.send(many);
  client.send(many);
  // As much as the system would keep of a client that is here does not count.
  assert.equal(client.bufferedBytes, 0);
  client.receive({ type: 'taken', cost: 200_000 });
  client.send(many);
  client.send(many);
  client.send(many);
  assert.ok(client.bufferedBytes > 30_000);
  assert.equal(session.log.length, 1);
  client.send(many);
  assert.deepEqual(session.log.slice(1), [['close', 'too_slow', true]]);
  assert.deepEqual(sent.at(-1), [{ type: 'ended', reason: 'too_slow' }, 'last']);
  assert.equal(counters.tooSlow.value, 1);
});

test('a session whose missed events are too many to be sent at once is not resumed: its client comes for the rest', () => {
  const { client, session, sent } = rig(50_000);
  const missed = Array.from({ length: 10 }, () => ({ packet: news('x'.repeat(100_000)), tail: ',"p"]' }));
  client.resume(missed, 'polling');
  assert.deepEqual(session.log, [['close', 'too_slow', true]]);
  assert.deepEqual(sent.at(-1), [{ type: 'ended', reason: 'too_slow' }, 'last']);
});
