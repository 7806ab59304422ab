/** The client port: every protocol and transport, at the node that has the session and at the other one. */
import { answer, answerWith, open, type Step, send } from '../conversation.ts';
import { mutateBytes, mutateText } from '../mutate.ts';
import type { Random } from '../random.ts';
import { enginePackets, events, legacyPackets, legacyRequests } from './corpus.ts';
import { binary, oddly, text } from './websocket.ts';

export function upgrade(path: string, headers = ''): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`
  );
}

export function post(path: string, body: string | Buffer, headers = ''): Buffer {
  const bytes = Buffer.from(body as string);
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

export function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
}

/** The open packet, which comes behind the head of the answer; the connect packet. */
export const opened = answerWith(/0\{"sid"/);
export const connected = answerWith(/4[04]\{/);

const deflate = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n';

/** A packet: valid, so that the conversation goes on, or spoilt. */
function packetOf(packets: readonly string[], random: Random): string {
  const packet = random.pick(packets);
  return random.chance(0.3) ? packet : mutateText(packet, random, packets);
}

function isBinaryAnnounced(packet: string): boolean {
  return /^4[56]/.test(packet);
}

/** Engine.IO 3 or 4 over a WebSocket. */
export function engineWebSocket(random: Random): Step[] {
  const version = random.pick([3, 4]);
  const path = `/socket.io/?EIO=${version}&transport=websocket`;
  const steps: Step[] = [open('client', random.int(2)), send(upgrade(path, random.chance(0.5) ? deflate : '')), opened];
  if (random.chance(0.9)) steps.push(send(text('40')), ...(version === 4 ? [connected] : []));
  for (let count = 1 + random.int(6); count > 0; count -= 1) {
    const packet = packetOf(enginePackets, random);
    const how = random.int(10);
    if (how === 0) steps.push(send(oddly(Buffer.from(packet), random)));
    else if (how === 1) steps.push(send(mutateBytes(text(packet.slice(0, 1000)), random)));
    else if (how === 2)
      steps.push(send(binary(Buffer.concat([Buffer.of(random.int(6)), random.bytes(random.int(50))]))));
    else steps.push(send(text(packet)));
    if (isBinaryAnnounced(packet)) for (let n = random.int(3); n > 0; n -= 1) steps.push(send(binary(random.bytes(5))));
    if (random.chance(0.2)) steps.push(answer);
  }
  steps.push(answer);
  return steps;
}

function payloadOf(version: number, random: Random): string | Buffer {
  const packets = Array.from({ length: 1 + random.int(3) }, () => packetOf(enginePackets, random));
  if (version === 4) return packets.join('\x1e');
  if (random.chance(0.7)) return packets.map((packet) => `${packet.length}:${packet}`).join('');
  // The binary form: 0 or 1, the digits of the length as bytes, 255.
  const parts = packets.map((packet) => {
    const bytes = Buffer.from(packet);
    return Buffer.concat([Buffer.of(random.int(2), ...Array.from(String(bytes.length), Number), 255), bytes]);
  });
  return random.chance(0.5) ? mutateBytes(Buffer.concat(parts), random) : Buffer.concat(parts);
}

/** Engine.IO 3 or 4 by polling, perhaps with an upgrade; each request at either node. */
export function enginePolling(random: Random): Step[] {
  const version = random.pick([3, 4]);
  const path = `/socket.io/?EIO=${version}&transport=polling`;
  const home = random.int(2);
  const elsewhere = () => (random.chance(0.5) ? home : 1 - home);
  const steps: Step[] = [open('client', home), send(get(path)), answer];
  const withSid = `${path}&sid=$SID`;
  const connect = version === 4 ? '40' : '2:40';
  if (random.chance(0.8)) steps.push(send(post(withSid, connect)), answer, send(get(withSid)), answer);
  for (let count = 1 + random.int(4); count > 0; count -= 1) {
    steps.push(open('client', elsewhere()));
    const type = random.chance(0.3) ? 'Content-Type: application/octet-stream\r\n' : 'Content-Type: text/plain\r\n';
    switch (random.int(6)) {
      case 0:
        steps.push(send(get(withSid)));
        break;
      case 1: {
        const socket = upgrade(`/socket.io/?EIO=${version}&transport=websocket&sid=$SID`);
        steps.push(
          send(socket),
          answer,
          send(text('2probe')),
          answer,
          send(text(random.chance(0.7) ? '5' : '42["echo"]')),
        );
        steps.push(answer, send(text(packetOf(enginePackets, random))));
        break;
      }
      case 2:
        steps.push(send(mutateBytes(post(withSid, payloadOf(version, random), type), random)));
        break;
      default:
        steps.push(send(post(withSid, payloadOf(version, random), type)));
    }
    if (random.chance(0.6)) steps.push(answer);
  }
  steps.push(answer);
  return steps;
}

/** 0.9 over a WebSocket or by polling. */
export function legacy(random: Random): Step[] {
  const home = random.int(2);
  const elsewhere = random.chance(0.7) ? home : 1 - home;
  const steps: Step[] = [open('client', home), send(get('/socket.io/1/')), answer, open('client', elsewhere)];
  if (random.chance(0.5)) {
    steps.push(send(upgrade('/socket.io/1/websocket/$SID')), answer);
    for (let count = 1 + random.int(5); count > 0; count -= 1) {
      const packet = packetOf(legacyPackets, random);
      steps.push(send(random.chance(0.15) ? oddly(Buffer.from(packet), random) : text(packet)));
    }
  } else {
    const path = '/socket.io/1/xhr-polling/$SID';
    steps.push(send(get(path)), answer);
    for (let count = 1 + random.int(4); count > 0; count -= 1) {
      const packets = Array.from({ length: 1 + random.int(2) }, () => packetOf(legacyPackets, random));
      const body = packets.length === 1 ? packets[0]! : packets.map((p) => `\ufffd${p.length}\ufffd${p}`).join('');
      steps.push(send(random.chance(0.2) ? mutateBytes(post(path, body), random) : post(path, body)), answer);
      if (random.chance(0.3)) steps.push(send(get(path)));
    }
    if (random.chance(0.5)) steps.push(send(get(`${path}?disconnect`)));
  }
  steps.push(answer);
  return steps;
}

const requests = [
  ...legacyRequests,
  get('/socket.io/?EIO=4&transport=polling'),
  get('/socket.io/?EIO=3&transport=polling&b64=1&t=abc'),
  upgrade('/socket.io/?EIO=4&transport=websocket', deflate),
  upgrade('/socket.io/1/websocket/$SID'),
  post('/socket.io/?EIO=4&transport=polling&sid=$SID', '40').toString(),
  'OPTIONS /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nOrigin: http://a.example\r\n\r\n',
  'POST /socket.io/?EIO=4&transport=polling&sid=$SID HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n40\r\n0\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\n',
  'PUT /socket.io/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nabcde',
];

/** HTTP itself: spoilt requests, several on one connection, bytes that are none. */
export function rawHttp(random: Random): Step[] {
  const steps: Step[] = [open('client', random.int(2))];
  for (let count = 1 + random.int(3); count > 0; count -= 1) {
    const request = random.pick(requests);
    const how = random.int(4);
    if (how === 0) steps.push(send(mutateBytes(Buffer.from(request), random)));
    else if (how === 1) steps.push(send(mutateText(request, random, requests)));
    else if (how === 2) steps.push(send(random.bytes(1 + random.int(300))));
    else steps.push(send(request));
  }
  steps.push(answer);
  return steps;
}

/** Where hooks of clients lead to: `answer` is what the back end is to answer with, byte by byte. */
export function asking(event: string, bytes: Buffer, random: Random): Step[] {
  const steps = [open('client', random.int(2)), send(upgrade('/socket.io/?EIO=4&transport=websocket')), opened];
  steps.push(
    send(text('40')),
    connected,
    send(text(`421["${event}",{"answer":"${bytes.toString('base64')}"}]`)),
    answer,
  );
  // A client that is still there shows what became of it.
  if (random.chance(0.5)) steps.push(send(text(`42${random.pick(events)}`)), answer);
  return steps;
}
