/** What clients validly say: packets of each protocol, and requests. From the recordings of 2014 and from what the libraries send. */
import { readdirSync, readFileSync } from 'node:fs';

const recordings = new URL('../../fixtures/golden/', import.meta.url);

interface RecordedStep {
  readonly ws_send?: string;
  readonly payload?: unknown;
  readonly http?: string;
  readonly request?: unknown;
}

function recorded(): RecordedStep[] {
  return readdirSync(recordings)
    .filter((name) => /^\d\d-.*\.json$/.test(name))
    .sort()
    .flatMap((name) => JSON.parse(readFileSync(new URL(name, recordings), 'utf8')) as { steps: RecordedStep[] }[])
    .flatMap(({ steps }) => steps);
}

const steps = recorded();

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

const sids = /<SID\d+>/g;

/** Packets of 0.9. */
export const legacyPackets = unique([
  ...steps.filter((step) => 'ws_send' in step).flatMap(({ payload }) => (typeof payload === 'string' ? [payload] : [])),
  ...['0::', '1::', '2::', '3:1::hello', '3:1+::hello', '4:1::{"a":1}', '6:::1+["x"]', '6:::1', '7:::1+0', '8::'],
  ...['5:1+::{"name":"echo","args":[1]}', '5:::{"name":"join","args":["room"]}', '5:::{"name":"say","args":["hi"]}'],
  '\ufffd12\ufffd3:::something\ufffd3\ufffd2::',
]);

/** Requests of 0.9, with `$SID` where a session was. */
export const legacyRequests = unique(
  steps.flatMap(({ http, request }) => (http === 'client' && typeof request === 'string' ? [request] : [])),
).map((request) => request.replace(sids, '$SID'));

/** Calls of the HTTP API and the monitor as they were recorded: method, path behind the key, body. */
export function recordedCalls(server: 'api' | 'monitor'): { method: string; path: string; body: string }[] {
  return steps.flatMap(({ http, request }) => {
    if (http !== server || typeof request !== 'string') return [];
    const found = /^(\w+) \/(?:api|monitor)\/[^/ ]+\/?(\S*) HTTP/.exec(request);
    if (!found) return [];
    const body = request.slice(request.indexOf('\r\n\r\n') + 4);
    return [{ method: found[1]!, path: found[2]!, body }];
  });
}

/** Events of any protocol: a name and arguments. */
export const events = [
  '["echo"]',
  '["echo",{"a":[1,2.5,null,true],"b":"\u00e4\u65e5\ud83d\ude00"}]',
  '["join","room"]',
  '["join",["room.1",{"orders":["a","b"]}]]',
  '["leave","room"]',
  '["move",{"room":{"x":[7,8]}}]',
  '["say",{"name":"said","args":["hello",{"x":1}]}]',
  '["tell",{"action":"send","args":{"name":"told","args":[]}}]',
  '["message","text"]',
  '["dispatch",{"action":"keep","args":{"cart":1,"deep":{"a":[{}]}}}]',
  '["dispatch",{"action":"keep","args":{"mangle":"mangle-1"}},{"action":"send","args":{"name":"x","args":[1]}}]',
  '["dispatch",{"action":"add","args":{"new":[{"hook":"utils.echo","args":null}]}},{"action":"remove","args":["new"]}]',
  '["dispatch",{"action":"ack","args":[1],"trigger_id":"1+"},{"action":"text","args":"t"},{"action":"json","args":{"a":1}}]',
  '["dispatch",{"action":"run","args":{"name":"echo","args":[1]}},{"action":"fail","args":"why"}]',
  '["dispatch",{"action":"subscribe","args":["room.2"]},{"action":"publish","args":{"event":{"name":"e","args":[]},"cids":["room"]}}]',
  '["dispatch",{"action":"act","args":{"event":{"action":"send","args":{"name":"e","args":[]}},"cids":["orders"]}}]',
  '["dispatch",{"action":"stop","args":"bye"}]',
];

/** Engine.IO packets of clients 1.x to 4.x with Socket.IO packets in them. */
export const enginePackets = [
  ...['2', '3', '2probe', '3probe', '5', '6', '1', '0', '4', 'b', 'bAAAA', '4{"a":1}'],
  ...[
    '40',
    '40{"token":"abc"}',
    '40/admin,',
    '40/admin,{"token":1}',
    '40/chat?x=1,',
    '41',
    '41/admin,',
    '44{"message":"no"}',
  ],
  ...events.map((event) => `42${event}`),
  ...events.map((event) => `4217${event}`),
  ...['42/admin,["echo",1]', '42/admin,13["echo",1]', '430[]', '4317["x",{"y":[]}]', '43/admin,1[1]'],
  '451-["echo",{"_placeholder":true,"num":0}]',
  '452-["echo",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}]',
  '451-/admin,13["echo",{"_placeholder":true,"num":0}]',
  '461-12[{"_placeholder":true,"num":0}]',
  '450-["echo",1]',
];
