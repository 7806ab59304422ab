/** What back ends and Redis answer with. Clients ask for it, and their questions hold the answers, byte by byte. */
import { encodeFrame } from '../../../src/protocol/backend/framing.ts';
import { answer, open, type Step, send } from '../conversation.ts';
import { mutateBytes, mutateText } from '../mutate.ts';
import type { Random } from '../random.ts';
import { asking, connected, opened, upgrade } from './clients.ts';
import { text } from './websocket.ts';

const bodies = [
  '[]',
  '{"action":"send","args":{"name":"told","args":[1]}}',
  '[{"action":"keep","args":{"a":{"b":[1]}}},{"action":"send","args":{"name":"x","args":[]}}]',
  '{"action":"ack","args":["done"],"trigger_id":"1+"}',
  '{"action":"subscribe","args":["room.1"]}',
  '{"action":"publish","args":{"event":{"name":"e","args":[]},"cids":["room"]}}',
  '{"action":"act","args":{"event":{"action":"send","args":{"name":"e","args":[]}},"cids":["orders"]}}',
  '{"action":"add","args":{"new":[{"hook":"utils.echo","args":null},{"hook":"hp.post","args":{"connector":"web","endpoint":"/x"}}]}}',
  '{"action":"remove","args":["echo"]}',
  '{"action":"run","args":{"name":"echo","args":[{"_binary":"AAAA"}]}}',
  '{"action":"stop","args":"enough"}',
  '{"action":"fail","args":{"why":1}}',
  '{"action":"text","args":null}',
];

const heads = [
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: $LENGTH\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n$HEXLENGTH\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: $LENGTH\r\nConnection: close\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: $LENGTH\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-16\r\nContent-Length: $LENGTH\r\nKeep-Alive: timeout=1\r\n\r\n',
  'HTTP/1.1 500 No\r\nContent-Length: $LENGTH\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
  'HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: $LENGTH\r\n\r\n',
];

/** What a client sends holds the answer as base64: no more than `max_payload`. */
const maxAnswer = 40_000;

function bodyOf(random: Random): string {
  const body = random.pick(bodies);
  return random.chance(0.5) ? body : mutateText(body, random, bodies);
}

export function httpBackEnd(random: Random): Step[] {
  const body = Buffer.from(bodyOf(random)).subarray(0, maxAnswer);
  const head = random
    .pick(heads)
    .replace('$LENGTH', String(random.chance(0.1) ? random.int(1e6) : body.length))
    .replace('$HEXLENGTH', body.length.toString(16));
  const tail = head.includes('chunked') ? '\r\n0\r\n\r\n' : '';
  const whole = Buffer.concat([Buffer.from(head), body, Buffer.from(tail)]);
  return asking('post', random.chance(0.4) ? whole : mutateBytes(whole, random).subarray(0, maxAnswer), random);
}

/** The answers to a TCP pool's requests, and what connects to one that listens. */
export function tcpBackEnd(random: Random): Step[] {
  const endpoint = random.pick(['quote', 'quote', 'quote', 'other', '']);
  const whole = Buffer.concat([
    encodeFrame(endpoint, bodyOf(random).slice(0, maxAnswer)),
    random.chance(0.2) ? encodeFrame('quote', '[]') : Buffer.alloc(0),
  ]);
  const bytes = random.chance(0.4) ? whole : mutateBytes(whole, random);
  if (random.chance(0.5)) return asking('quote', bytes.subarray(0, maxAnswer), random);
  return [open('tcpPool', random.int(2)), send(bytes), answer, send(mutateBytes(whole, random)), answer];
}

/** Writes to a state in Redis; `mangle-N` tells the proxy in front of it how to spoil the reply. The node is the one with Redis. */
export function redis(random: Random): Step[] {
  const steps: Step[] = [open('client', 1), send(upgrade('/socket.io/?EIO=4&transport=websocket')), opened];
  steps.push(send(text('40')), connected);
  for (let count = 1 + random.int(3); count > 0; count -= 1) {
    const state = JSON.stringify({ [`k${random.int(3)}`]: `mangle-${random.int(1e9)}` });
    steps.push(send(text(`42["dispatch",{"action":"keep","args":${state}}]`)), answer);
  }
  return steps;
}
