import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Timer, TimingWheel } from '../../../src/kernel/timers.ts';
import { eventPacket, MessagePacket } from '../../../src/protocol/packet.ts';
import type { JournalBounds } from '../../../src/sessions/journal.ts';
import { MemoryStore } from '../../../src/sessions/memory-store.ts';
import { type StoreUnderTest, sessionStoreSuite } from '../../support/session-store-suite.ts';

/** A wheel that turns when it is told to. */
class HandWheel {
  now = 0;
  readonly #timers = new Map<Timer, number>();

  start(timer: Timer, ms: number): Timer {
    timer.wheel = this as unknown as TimingWheel;
    this.#timers.set(timer, this.now + ms);
    return timer;
  }

  get pending(): number {
    return this.#timers.size;
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [next, due] = [...this.#timers].sort(([, one], [, other]) => one - other)[0] ?? [];
      if (!next || due === undefined || due > end) break;
      this.now = due;
      this.#timers.delete(next);
      next.wheel = undefined;
      next.expire();
    }
    this.now = end;
  }
}

function startStore(bounds: JournalBounds): StoreUnderTest & { store: MemoryStore; wheel: HandWheel } {
  const wheel = new HandWheel();
  const store = new MemoryStore({
    bounds,
    tag: 'kD3fG7-_',
    wheel: wheel as unknown as TimingWheel,
    now: () => wheel.now,
  });
  return {
    store,
    wheel,
    pass: (ms) => wheel.pass(ms),
    stop() {
      wheel.pass(2 * bounds.windowMs + 1);
      assert.equal(wheel.pending, 0);
    },
  };
}

sessionStoreSuite('memory', startStore);

test('the journal tells how much it keeps, and how old the oldest is', () => {
  const { store, pass } = startStore({ windowMs: 1000, maxBytes: 100_000 });
  const session = store.open('a session');
  assert.deepEqual([store.kept.count, store.kept.bytes, store.kept.ageMs], [0, 0, 0]);
  store.send(session, eventPacket('a', ['12345678']));
  const { bytes } = store.kept;
  pass(400);
  store.send(session, eventPacket('a', ['12345678']));
  assert.deepEqual([store.kept.count, store.kept.bytes, store.kept.ageMs], [2, 2 * bytes, 400]);
  pass(599);
  assert.equal(store.kept.count, 2);
  // Something must be sent, or the sweep come.
  pass(2);
  store.send(session, eventPacket('a', ['12345678']));
  assert.deepEqual([store.kept.count, store.kept.ageMs], [2, 601]);
});

test('packets of every kind have a size', () => {
  const { store } = startStore({ windowMs: 1000, maxBytes: 100_000 });
  const session = store.open('a session');
  for (const packet of [
    new MessagePacket('text', false),
    new MessagePacket({ a: 1 }, true),
    new MessagePacket(undefined, true),
  ]) {
    store.send(session, packet);
  }
  assert.deepEqual(store.missed(session, undefined)?.bytes, '"text"'.length + '{"a":1}'.length);
});

test('a session that has ended is let go with its last entry', () => {
  const { store, pass, wheel } = startStore({ windowMs: 1000, maxBytes: 100_000 });
  const session = store.open('a session');
  store.join(session, 'news');
  store.publish('news', eventPacket('a', []));
  store.close(session);
  assert.equal(store.kept.count, 1);
  pass(2000);
  assert.deepEqual([store.kept.count, wheel.pending], [0, 0]);
});
