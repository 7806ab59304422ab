/**
 * Client of EPMD, the port mapper of Erlang nodes: who listens where on a host. A registration lasts as long as its
 * connection. Source: EPMD protocol.
 */
import type { Socket } from 'node:net';
import { HiveError } from '../../observe/errors.ts';
import { tcp } from '../sockets.ts';

export const request = { alive: 120, portPlease: 122, names: 110 } as const;
export const response = { alive: 121, aliveX: 118, port: 119 } as const;
/** Node types of a registration. */
export const nodeType = { normal: 77, hidden: 72 } as const;
/** Version of the distribution protocol that we speak. */
export const protocolVersion = 6;

const timeoutMs = 2000;

/** A node's name as EPMD knows it, without the host. */
export function shortName(node: string): string {
  return node.slice(0, node.indexOf('@'));
}

/** The host part of a node's name. */
export function hostOf(node: string): string {
  return node.slice(node.indexOf('@') + 1);
}

/**
 * Registers a hidden node. The registration ends when the returned socket does.
 * @throws HiveError `name_taken` if a node of that name is registered; the socket's error if no EPMD listens
 */
export async function register(epmdPort: number, name: string, port: number): Promise<Socket> {
  const text = Buffer.from(name);
  const body = Buffer.alloc(13 + text.length);
  body[0] = request.alive;
  body.writeUInt16BE(port, 1);
  body[3] = nodeType.hidden;
  body[4] = 0; // TCP over IPv4
  body.writeUInt16BE(protocolVersion, 5);
  body.writeUInt16BE(protocolVersion, 7);
  body.writeUInt16BE(text.length, 9);
  text.copy(body, 11);
  const socket = await ask('127.0.0.1', epmdPort, body);
  let answer: Buffer;
  try {
    answer = await read(socket, (bytes) => bytes.length >= 2 && bytes.length >= (bytes[0] === response.aliveX ? 6 : 4));
  } catch (error) {
    socket.destroy();
    throw error;
  }
  if ((answer[0] === response.alive || answer[0] === response.aliveX) && answer[1] === 0) return socket;
  socket.destroy();
  throw new HiveError('name_taken', `EPMD on port ${epmdPort} has a node named ${name} already.`);
}

/** EPMD does not know a node: it does not run, or EPMD has forgotten it. */
export class NotRegistered extends Error {}

/** The port on which a node of that host listens; undefined if it is not registered. Rejects if there is no EPMD. */
export async function lookUp(host: string, epmdPort: number, name: string): Promise<number | undefined> {
  const socket = await ask(host, epmdPort, Buffer.concat([Buffer.of(request.portPlease), Buffer.from(name)]));
  try {
    const answer = await read(socket, (bytes) => bytes.length >= 4 || (bytes.length >= 2 && bytes[1] !== 0));
    if (answer[0] !== response.port) throw new Error(`EPMD on ${host}:${epmdPort} answers something else`);
    return answer[1] === 0 ? answer.readUInt16BE(2) : undefined;
  } finally {
    socket.destroy();
  }
}

/** Name and port of every node registered on that host. */
export async function names(host: string, epmdPort: number): Promise<{ name: string; port: number }[]> {
  const socket = await ask(host, epmdPort, Buffer.of(request.names));
  const text = (await read(socket)).toString('utf8', 4);
  return [...text.matchAll(/^name (.+) at port (\d+)$/gm)].map((match) => ({
    name: match[1]!,
    port: Number(match[2]),
  }));
}

async function ask(host: string, port: number, body: Buffer): Promise<Socket> {
  const socket = await tcp.connect(host, port, timeoutMs);
  const head = Buffer.alloc(2);
  head.writeUInt16BE(body.length);
  socket.write(Buffer.concat([head, body]));
  return socket;
}

/** What comes until `complete` says so, or (without it) until the end. */
function read(socket: Socket, complete?: (bytes: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const settle = (error?: Error) => {
      clearTimeout(timer);
      socket.removeListener('data', data);
      socket.removeListener('error', settle);
      socket.removeListener('close', close);
      if (error) reject(error);
      else resolve(bytes);
    };
    const data = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (complete?.(bytes)) settle();
    };
    const close = () => settle(complete ? new Error('EPMD closed the connection') : undefined);
    const timer = setTimeout(() => settle(new Error(`EPMD did not answer within ${timeoutMs} ms`)), timeoutMs);
    socket.on('data', data);
    socket.on('error', settle);
    socket.on('close', close);
  });
}
