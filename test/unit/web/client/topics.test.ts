/** What a client's subscriptions cost. How publishes reach clients is tested with real sockets in test/protocol. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SocketV5Codec } from '../../../../src/protocol/socketio-v5.ts';
import type { NativeSocket } from '../../../../src/web/client/client-socket.ts';
import { Topics } from '../../../../src/web/client/topics.ts';

/** Keeps topics as the library does, and counts how often all of them are copied. */
class FakeSocket {
  readonly topics = new Set<string>();
  copies = 0;

  subscribe(topic: string): boolean {
    this.topics.add(topic);
    return true;
  }
  unsubscribe(topic: string): boolean {
    return this.topics.delete(topic);
  }
  isSubscribed(topic: string): boolean {
    return this.topics.has(topic);
  }
  getTopics(): string[] {
    this.copies += 1;
    return [...this.topics];
  }
}

test('leaving a topic costs the same however many topics the client is in', () => {
  const topics = new Topics();
  const fake = new FakeSocket();
  const socket = fake as unknown as NativeSocket;
  const codec = new SocketV5Codec('/');
  for (let i = 0; i < 100; i += 1) topics.subscribe(socket, `t${i}`, codec);
  for (let i = 0; i < 50; i += 1) topics.unsubscribe(socket, `t${i}`, codec);
  assert.equal(fake.copies, 0);
  topics.unsubscribeAll(socket, codec);
  assert.equal(fake.copies, 1);
  // It never leaves its last topic: one is left that nobody publishes to.
  assert.equal(fake.topics.size, 1);
});
