/**
 * What clients are shown is stored before, so that it comes later than it is numbered. Old faults, which simulations found: a client that
 * had left a channel was sent what was published there next, at once and without a position; a session could not be recovered that had
 * begun behind a number without an entry; the former connection of a client that had returned stayed until everything was stored; one
 * that was about to end was sent what came last, but not what had been numbered before it was there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientMetrics } from '../../src/actors/client/metrics.ts';
import { ClientOutput, type OutputOwner } from '../../src/actors/client/output.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { eventPacket, type ServerPacket } from '../../src/protocol/packet.ts';
import { RecoverableV5Codec } from '../../src/protocol/recovery.ts';
import { MemoryStore, type Mirror } from '../../src/sessions/memory-store.ts';
import type { CloseReason, Sink } from '../../src/web/client/client-handle.ts';
import { type ChannelMember, Topics } from '../../src/web/client/topics.ts';

/** Stores nothing before it is told to. */
class SlowMirror implements Mirror {
  shown = 0;
  #last = 0;
  #isStoring = false;
  #waiting: (() => void)[] = [];

  append(number: number): void {
    this.#last = number;
    this.#isStoring = true;
  }

  setBusy(): void {}

  confirm(show: () => void): void {
    this.release(show);
  }

  skip(number: number): void {
    this.#last = number;
    if (!this.#isStoring) this.shown = number;
  }

  release(show: () => void): void {
    if (this.#isStoring) this.#waiting.push(show);
    else show();
  }

  forget(): void {}

  trim(): void {}

  store(): void {
    this.#isStoring = false;
    this.shown = this.#last;
    for (const show of this.#waiting.splice(0)) show();
  }
}

/** A client that is connected, and what it is sent. */
class Scene {
  readonly mirror = new SlowMirror();
  readonly store = new MemoryStore({
    bounds: { windowMs: 1000, maxBytes: 100_000 },
    tag: 'kD3fG7-_',
    wheel: { start: (timer) => timer },
    now: () => 0,
    mirror: this.mirror,
  });
  readonly topics = new Topics(this.store);
  readonly sent: string[] = [];
  readonly output = new ClientOutput(new ClientMetrics(new Metrics()), 'sid', this.store);
  #isOpen = true;

  constructor() {
    const encoder = new RecoverableV5Codec('/');
    const member: ChannelMember = { encoder, deliver: (packet) => void this.sent.push(String(packet)) };
    const sink: Sink = {
      send: (packet: ServerPacket, tail = '') => void this.sent.push(`${packet.type} ${tail}`),
      join: (channel) => this.topics.add(channel, member),
      leave: (channel) => this.topics.remove(channel, member),
      end: (reason: CloseReason) => {
        this.#isOpen = false;
        this.sent.push(reason);
      },
      bufferedBytes: 0,
    };
    const owner = { isEnding: false, abandon() {}, changed() {} };
    this.output.opened(owner as unknown as OutputOwner);
    this.output.attach(sink, 'websocket');
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }
}

test('who has left a channel is sent nothing more of it, however long its last event takes to be stored', () => {
  const { output, topics, mirror, sent } = new Scene();
  output.join('room');
  topics.publish('room', eventPacket('e', [1]));
  output.leave('room');
  topics.publish('room', eventPacket('e', [2]));
  assert.deepEqual(sent, []);
  mirror.store();
  assert.equal(sent.length, 1);
  assert.match(sent[0]!, /\["e",1,"kD3fG7-_1"\]/);
});

test('a session that begins behind a number without an entry misses nothing', () => {
  const { store } = new Scene();
  store.lose(store.open('other'));
  const session = store.open('sid');
  assert.deepEqual(store.missed(session, undefined), { events: [], bytes: 0 });
});

test('the former connection of a client that has returned ends at once', () => {
  const scene = new Scene();
  scene.output.join('room');
  scene.topics.publish('room', eventPacket('e', [1]));
  scene.output.end('replaced');
  assert.equal(scene.isOpen, false);
});

test('a connection that is about to end is sent what was numbered before it was there, in order', () => {
  const { output, mirror } = new Scene();
  const sent: string[] = [];
  const sink: Sink = {
    send: (packet, tail = '') => void sent.push(`${packet.type} ${tail}`),
    join() {},
    leave() {},
    end: (reason) => void sent.push(reason),
    bufferedBytes: 0,
  };
  output.send(eventPacket('e', [1]));
  output.end('replaced');
  output.attach(sink, 'websocket');
  output.send(eventPacket('e', [2]));
  output.end('shutdown');
  mirror.store();
  assert.deepEqual(sent, ['event ,"kD3fG7-_1"]', 'event ,"kD3fG7-_2"]', 'shutdown']);
});

test('an end that comes behind what was sent waits until that is stored', () => {
  const scene = new Scene();
  scene.output.send(eventPacket('e', [1]));
  scene.output.end('stopped');
  assert.equal(scene.isOpen, true);
  scene.mirror.store();
  assert.deepEqual(scene.sent, ['event ,"kD3fG7-_1"]', 'stopped']);
});
