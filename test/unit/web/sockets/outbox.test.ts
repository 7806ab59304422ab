import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { Outbox } from '../../../../src/web/sockets/node/outbox.ts';

/** A socket that never gets rid of its first write. */
class Stuck extends Writable {
  readonly chunks: Buffer[] = [];

  override _write(): void {}

  override write(chunk: Buffer): boolean {
    this.chunks.push(chunk);
    return super.write(chunk);
  }
}

class Free extends Writable {
  readonly chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }
}

const round = () => new Promise((resolve) => setImmediate(resolve));

test('what is added in one round of the event loop leaves in one write, in order', async () => {
  const socket = new Free();
  const outbox = new Outbox(socket);
  for (const text of ['1', '2', '3']) outbox.add(Buffer.from(text));
  assert.deepEqual([outbox.length, socket.chunks.length], [3, 0]);
  await round();
  assert.deepEqual(socket.chunks, [Buffer.from('123')]);
  outbox.add(Buffer.from('4'));
  await round();
  assert.deepEqual(socket.chunks.at(-1), Buffer.from('4'));
  assert.equal(outbox.length, 0);
});

test('sockets that are sent the same frames share one piece of memory', async () => {
  const sockets = [new Free(), new Free(), new Free()];
  const outboxes = sockets.map((socket) => new Outbox(socket));
  const frames = [Buffer.from('one'), Buffer.from('two')];
  for (const frame of frames) for (const outbox of outboxes) outbox.add(frame);
  outboxes[2]!.add(Buffer.from('three'));
  await round();
  assert.equal(sockets[0]!.chunks[0], sockets[1]!.chunks[0]);
  assert.deepEqual(sockets[2]!.chunks, [Buffer.from('onetwothree')]);
});

test('much is written at once', () => {
  const socket = new Free();
  const outbox = new Outbox(socket);
  outbox.add(Buffer.alloc(40_000));
  assert.equal(socket.chunks.length, 0);
  outbox.add(Buffer.alloc(40_000));
  assert.equal(socket.chunks[0]?.length, 80_000);
});

test('what waits for a slow client keeps no more memory than it has bytes', async () => {
  const socket = new Stuck();
  const outbox = new Outbox(socket);
  for (let i = 0; i < 10; i += 1) {
    outbox.add(Buffer.allocUnsafe(100));
    await round();
  }
  assert.equal(outbox.length, 1000);
  const waiting = socket.chunks.slice(1);
  assert.equal(waiting.length, 9);
  assert.deepEqual(new Set(waiting.map(({ buffer }) => buffer.byteLength)), new Set([100]));
});
