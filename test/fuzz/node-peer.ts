/** The handshake of a node that knows the cookie, up to the moment from which on it may say anything. */
import type { Socket } from 'node:net';
import { digest, ownFlags } from '../../src/distribution/handshake.ts';

export const peerCreation = 666;

/** With the length in front that packets of the handshake have. */
export function packet(bytes: Buffer): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(bytes.length & 0xffff);
  return Buffer.concat([head, bytes]);
}

/** As whom a node greets. */
export interface Greeting {
  readonly name: string;
  readonly asHive: boolean;
  /** Capabilities that it has not, of those that Hive has; and further ones. */
  readonly without?: bigint;
  readonly beyond?: bigint;
}

export function namePacket({ name, asHive, without = 0n, beyond = 0n }: Greeting): Buffer {
  const text = Buffer.from(name);
  const head = Buffer.alloc(15);
  head[0] = 0x4e;
  head.writeBigUInt64BE((ownFlags & ~without) | beyond, 1);
  head.writeUInt32BE(peerCreation, 9);
  head.writeUInt16BE(text.length, 13);
  return Buffer.concat([head, text, Buffer.from(asHive ? 'hive' : '')]);
}

/** Rejects if the other side does not go along. */
export async function joinAsNode(socket: Socket, as: Greeting, cookie: string, signal: AbortSignal): Promise<void> {
  const packets = readPackets(socket, signal);
  socket.write(packet(namePacket(as)));
  const status = (await packets.next()).toString('latin1', 1);
  if (status === 'alive') socket.write(packet(Buffer.from('strue')));
  else if (status !== 'ok' && status !== 'ok_simultaneous') throw new Error(status);
  const challenge = (await packets.next()).readUInt32BE(9);
  const reply = Buffer.alloc(21);
  reply[0] = 0x72;
  digest(cookie, challenge).copy(reply, 5);
  socket.write(packet(reply));
  await packets.next();
  packets.stop();
}

function readPackets(socket: Socket, signal: AbortSignal) {
  let bytes = Buffer.alloc(0);
  let wake: () => void = () => {};
  const data = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    wake();
  };
  const over = (): void => wake();
  socket.on('data', data).once('close', over);
  signal.addEventListener('abort', over);
  return {
    async next(): Promise<Buffer> {
      for (;;) {
        if (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE()) break;
        if (socket.destroyed || signal.aborted) throw new Error('the handshake has ended');
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const end = 2 + bytes.readUInt16BE();
      const next = bytes.subarray(2, end);
      bytes = bytes.subarray(end);
      return next;
    },
    stop(): void {
      socket.off('data', data).off('close', over);
      signal.removeEventListener('abort', over);
    },
  };
}
