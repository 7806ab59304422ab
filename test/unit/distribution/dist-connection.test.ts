import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { DistConnection } from '../../../src/distribution/dist-connection.ts';
import { FrameReader } from '../../../src/distribution/frames.ts';
import { eventually } from '../../support/eventually.ts';

/** Both ends of a connection over TCP. */
async function socketPair(t: TestContext): Promise<[near: Socket, far: Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const near = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [near, far];
}

/** Frames of 1000 bytes, each with its number. */
function numbered(count: number): Buffer {
  const bytes = Buffer.alloc(count * 1004);
  for (let i = 0; i < count; i += 1) {
    bytes.writeUInt32BE(1000, i * 1004);
    bytes.writeUInt32BE(i, i * 1004 + 4);
  }
  return bytes;
}

test('a peer that sends without pause lets others have their turn, and all its frames come in order', async (t) => {
  const [near, far] = await socketPair(t);
  const count = 20_000;
  let read = 0;
  let readThisTurn = 0;
  let maxPerTurn = 0;
  let turns = 0;
  let watching = true;
  const turn = () => {
    maxPerTurn = Math.max(maxPerTurn, readThisTurn);
    readThisTurn = 0;
    turns += 1;
    if (watching) setImmediate(turn);
  };
  const link = new DistConnection({
    socket: near,
    reader: new FrameReader(4, 2000),
    tickTimeMs: 60_000,
    maxQueueBytes: 1024 * 1024,
    onFrame: (bytes, start, end) => {
      assert.equal(end - start, 1000);
      assert.equal(bytes.readUInt32BE(start), read);
      read += 1;
      readThisTurn += end - start + 4;
    },
    onFrames: () => {},
    onClose: () => {},
  });
  t.after(() => {
    watching = false;
    link.close('over');
  });
  far.write(numbered(count));
  link.start();
  setImmediate(turn);
  await eventually(() => read === count, `${count} frames`);
  assert.ok(maxPerTurn <= 256 * 1024, `${maxPerTurn} bytes in one turn`);
  assert.ok(turns >= (count * 1004) / (256 * 1024), `${turns} turns`);
});

test('a link that was closed while it let others have their turn reads no more', async (t) => {
  const [near, far] = await socketPair(t);
  const reasons: string[] = [];
  let read = 0;
  const link: DistConnection = new DistConnection({
    socket: near,
    reader: new FrameReader(4, 2000),
    tickTimeMs: 60_000,
    maxQueueBytes: 1024 * 1024,
    onFrame: () => {
      read += 1;
      if (read === 200) link.close('enough');
    },
    onFrames: () => {},
    onClose: (reason) => reasons.push(reason),
  });
  far.on('error', () => {});
  far.write(numbered(5000));
  link.start();
  await new Promise((resolve) => far.once('close', resolve));
  assert.equal(read, 200);
  assert.deepEqual(reasons, ['enough']);
});
