/** The HTTP API, the monitor and the health port. What stops nodes or shuts clients out is not said with the right key. */
import { answer, open, type PortName, type Step, send } from '../conversation.ts';
import { mutateBytes, mutateText } from '../mutate.ts';
import type { Random } from '../random.ts';
import { connected, opened, upgrade } from './clients.ts';
import { recordedCalls } from './corpus.ts';
import { text } from './websocket.ts';

/** The key of both, in every configuration of the fuzz run. */
export const key = 'key-of-the-fuzz-run';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

const order = '{"action":"send","args":{"name":"told","args":[{"a":1}]}}';
const event = '{"name":"said","args":["hello",{"x":[]}]}';
const batch = JSON.stringify([
  { method: 'POST', path: 'pubsub/publish/room', body: { name: 'said', args: [] } },
  { method: 'GET', path: 'pubsub/subscribe/room?cluster=true' },
  { method: 'POST', path: 'pubsub/subscribe/nobody', body: ['room'] },
]);

/** Nothing of a recording that would end the node, or let nobody in. */
function isHarmless({ path, body }: Call): boolean {
  return !/stop|terminate|disable/.test(path + body);
}

const apiCalls: readonly Call[] = [
  ...recordedCalls('api').filter(isHarmless),
  { method: 'GET', path: 'hive/version', body: '' },
  { method: 'POST', path: 'router/enable', body: '' },
  { method: 'POST', path: 'router/enable?cluster=true', body: '' },
  { method: 'POST', path: 'clients/action/$CLIENT', body: order },
  { method: 'POST', path: 'clients/action/$CLIENT', body: `[${order},{"action":"keep","args":{"a":1}}]` },
  { method: 'POST', path: 'pubsub/action/orders', body: order },
  { method: 'POST', path: 'pubsub/action/orders.a', body: `[${order}]` },
  { method: 'POST', path: 'pubsub/publish/room', body: event },
  { method: 'POST', path: 'pubsub/publish/["room.1",{"orders":["a","b"]}]', body: event },
  { method: 'GET', path: 'pubsub/subscribe/room', body: '' },
  { method: 'GET', path: 'pubsub/subscribe/room?cluster=true', body: '' },
  { method: 'POST', path: 'pubsub/subscribe/$CLIENT', body: '["room","room.2"]' },
  { method: 'DELETE', path: 'pubsub/subscribe/$CLIENT', body: '["room"]' },
  { method: 'POST', path: 'batch', body: batch },
];

const monitorCalls: readonly Call[] = [
  ...recordedCalls('monitor'),
  ...[
    ...[
      '',
      'hive',
      'hive.memory',
      'clients.hooks',
      'nodes',
      'nodes/hive',
      'prometheus',
      'dashboard',
      'dashboard/chart.js',
    ],
    ...['supervision', 'supervision?depth=2&limit=3', 'supervision?path=hive&sort=mailbox', 'supervision?format=text'],
    ...[
      'health',
      'actors',
      'actors?limit=3&sort=rate&over=1',
      'actors/%3C1.2.3%3E',
      'clients/$CLIENT',
      'crashes',
      'abandoned',
    ],
  ].map((path) => ({ method: 'GET', path, body: '' })),
  { method: 'DELETE', path: 'hive.errors', body: '' },
  { method: 'DELETE', path: 'clients.hooks.latency', body: '' },
];

function requestOf(server: 'api' | 'monitor', { method, path, body }: Call, random: Random): string {
  const isKeyRight = !random.chance(0.01);
  const given = isKeyRight ? key : 'wrong';
  const inHeader = random.chance(0.3);
  const place = inHeader ? `/${server}/${path}` : `/${server}/${given}/${path}`;
  const header = inHeader ? `Authorization: Bearer ${given}\r\n` : '';
  const length = random.chance(0.05) ? random.pick([0, 1, 5, 1e9]) : Buffer.byteLength(body);
  const bodyHead = body === '' && random.chance(0.9) ? '' : `Content-Length: ${length}\r\n`;
  return `${method} ${place.replaceAll(' ', '')} HTTP/1.1\r\nHost: x\r\n${header}${bodyHead}\r\n${body}`;
}

function callsOf(server: 'api' | 'monitor', calls: readonly Call[], random: Random): Step[] {
  const paths = calls.map(({ path }) => path);
  const bodies = ['{}', ...calls.map(({ body }) => body).filter((body) => body !== '')];
  const steps: Step[] = [];
  if (random.chance(0.5)) {
    // A client for `$CLIENT`.
    const socket = upgrade('/socket.io/?EIO=4&transport=websocket');
    steps.push(open('client', random.int(2)), send(socket), opened, send(text('40')), connected);
  }
  steps.push(open(server, random.int(2)));
  for (let count = 1 + random.int(4); count > 0; count -= 1) {
    const call = { ...random.pick(calls) };
    if (random.chance(0.3)) call.path = mutateText(call.path, random, paths);
    if (random.chance(0.5)) call.body = mutateText(call.body || random.pick(bodies), random, bodies);
    if (random.chance(0.05)) call.method = random.pick(['HEAD', 'PUT', 'OPTIONS', 'PATCH', 'get', 'DELETE', 'POST']);
    if (!isHarmless(call)) continue;
    const request = requestOf(server, call, random);
    steps.push(send(random.chance(0.1) ? mutateBytes(Buffer.from(request), random) : request), answer);
  }
  return steps;
}

export function api(random: Random): Step[] {
  return callsOf('api', apiCalls, random);
}

export function monitor(random: Random): Step[] {
  return callsOf('monitor', monitorCalls, random);
}

export function health(random: Random): Step[] {
  const requests = ['/live', '/ready', '/ready?x=1', '/', '/monitor/health'].map(
    (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`,
  );
  const steps: Step[] = [open('health' satisfies PortName, random.int(2))];
  for (let count = 1 + random.int(3); count > 0; count -= 1) {
    const request = random.pick(requests);
    const spoilt = random.chance(0.5)
      ? mutateText(request, random, requests)
      : mutateBytes(Buffer.from(request), random);
    steps.push(send(random.chance(0.3) ? request : spoilt), answer);
  }
  return steps;
}
