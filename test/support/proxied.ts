/** Clients of every kind that talk through a reverse proxy with TLS, in front of real nodes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { io, type Socket } from 'socket.io-client';
import { Authority } from './certificates.ts';
import type { Scratch } from './deploy.ts';
import { next } from './eventually.ts';

const kinds = [['polling'], ['websocket'], ['polling', 'websocket']];

interface Context {
  after(end: () => void | Promise<void>): void;
}

/** Key and certificate for 127.0.0.1, each in its file, and both in one. */
export function certificate(t: Context, scratch: Scratch) {
  const authority = new Authority(t);
  const { cert_file, key_file } = authority.issue('IP:127.0.0.1');
  const both = scratch.file('both.pem', readFileSync(cert_file, 'utf8') + readFileSync(key_file, 'utf8'));
  return { cert_file, key_file, both, ca: readFileSync(authority.file, 'utf8') };
}

/** A client through the proxy at that port, which it trusts by `ca`. */
export async function connected(
  t: Context,
  port: number,
  ca: string,
  transports: string[] = ['websocket'],
): Promise<Socket> {
  const client = io(`https://127.0.0.1:${port}`, { ca, transports, forceNew: true, reconnection: false });
  t.after(() => void client.disconnect());
  await next(client, 'connect');
  return client;
}

/** A room with one client of each kind, in which everybody hears everybody. */
export async function talk(t: Context, port: number, ca: string): Promise<void> {
  const clients = await Promise.all(kinds.map((transports) => connected(t, port, ca, transports)));
  for (const client of clients) {
    client.emit('join', ['room']);
    await next(client, 'joined');
  }
  for (const [at, speaker] of clients.entries()) {
    const heard = Promise.all(clients.map((client) => next(client, 'said')));
    speaker.emit('say', { name: 'said', args: [at] });
    assert.deepEqual(await heard, [at, at, at]);
  }
}
