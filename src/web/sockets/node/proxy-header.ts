/**
 * The head of a connection by which a proxy names its client: the PROXY protocol of HAProxy
 * (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt), versions 1 and 2. What comes after it, or what is no such head,
 * is left to whoever reads next.
 */
import type { Socket } from 'node:net';

/** Both versions begin with what no request of HTTP begins with. */
const signatures = [Buffer.from('PROXY '), Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')] as const;
const [version1, version2] = signatures;

/** §2.1: the longest line of version 1, in bytes. */
const maxLine = 107;
/** Version 2: what comes before the addresses, and what may follow them (type-length-values), in bytes. */
const fixedBytes = 16;
const maxRest = 4096;

/** As long as for the head of a request. */
const patienceMs = 20_000;

const address = Symbol('proxied address');

type Known = Socket & { [address]?: string };

/** Whom the head of the connection has named; undefined if it had none, or one without an address. */
export function proxiedAddressOf(socket: Known): string | undefined {
  return socket[address];
}

/** Reads the head, if there is one, then calls `done` once; a connection with a malformed one, or a slow one, is closed. */
export function readProxyHeader(socket: Known, done: () => void): void {
  let read: Buffer = Buffer.alloc(0);
  const giveUp = (): void => void socket.destroy();
  const timer = setTimeout(giveUp, patienceMs);
  const end = (): void => {
    clearTimeout(timer);
    socket.off('readable', look);
    socket.off('end', giveUp);
    socket.off('close', end);
    socket.off('error', end);
  };
  const look = (): void => {
    for (let chunk = socket.read() as Buffer | null; chunk; chunk = socket.read() as Buffer | null) {
      read = Buffer.concat([read, chunk]);
    }
    const head = headOf(read);
    if (head === 'incomplete') return;
    end();
    if (head === 'malformed') return giveUp();
    if (head.from !== undefined) socket[address] = head.from;
    if (read.length > head.length) socket.unshift(read.subarray(head.length));
    done();
  };
  socket.on('readable', look);
  socket.on('end', giveUp);
  socket.on('close', end);
  // It is closed then, which is all there is to do.
  socket.on('error', end);
}

interface Head {
  /** Bytes of the head; 0 if it is none. */
  readonly length: number;
  readonly from: string | undefined;
}

/** @internal For tests: what the first bytes of a connection are. */
export function headOf(bytes: Buffer): Head | 'incomplete' | 'malformed' {
  for (const signature of signatures) {
    const known = Math.min(bytes.length, signature.length);
    if (bytes.compare(signature, 0, known, 0, known) !== 0) continue;
    if (bytes.length < signature.length) return 'incomplete';
    return signature === version2 ? headOfVersion2(bytes) : headOfVersion1(bytes);
  }
  return { length: 0, from: undefined };
}

/** `PROXY TCP4 203.0.113.5 10.0.0.1 56324 443\r\n`, or `PROXY UNKNOWN …\r\n`. */
function headOfVersion1(bytes: Buffer): Head | 'incomplete' | 'malformed' {
  const end = bytes.indexOf('\r\n', version1.length);
  if (end < 0) return bytes.length < maxLine ? 'incomplete' : 'malformed';
  if (end + 2 > maxLine) return 'malformed';
  const [, protocol, from, to, ...ports] = bytes.toString('latin1', 0, end).split(' ');
  if (protocol === 'UNKNOWN') return { length: end + 2, from: undefined };
  const isWhole = (protocol === 'TCP4' || protocol === 'TCP6') && from && to && ports.length === 2;
  return isWhole ? { length: end + 2, from } : 'malformed';
}

/** Signature, version and command, family, length of the rest, addresses. `LOCAL` (command 0) names nobody: the proxy itself asks. */
function headOfVersion2(bytes: Buffer): Head | 'incomplete' | 'malformed' {
  if (bytes.length < fixedBytes) return 'incomplete';
  const command = bytes[12]!;
  const family = bytes[13]! >> 4;
  const rest = bytes.readUInt16BE(14);
  if (command >> 4 !== 2 || (command & 15) > 1 || rest > maxRest) return 'malformed';
  const length = fixedBytes + rest;
  if (bytes.length < length) return 'incomplete';
  if ((command & 15) === 0 || family === 0 || family === 3) return { length, from: undefined };
  const size = family === 1 ? 4 : 16;
  if (family > 2 || rest < 2 * size + 4) return 'malformed';
  return { length, from: textOfAddress(bytes.subarray(fixedBytes, fixedBytes + size)) };
}

function textOfAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16)).join(':');
}
