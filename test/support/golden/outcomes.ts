/**
 * What happened at one step, as one line of text that can be compared: recorded or ours.
 *
 *   5:::{"args":[1],"name":"echo"}      a text frame
 *   (nothing)  (closed)  (close 1008)   silence, the end of the TCP connection, other frames
 *   200 {"subscribed_clients":1}        an answer: its status, odd headers, its body
 *   POST /single {…}                    a request that the back end got
 *
 * JSON is compared as JSON: members are sorted, white space and escapes do not count. Left out are the headers that belong to
 * the HTTP library, metadata fields that the 2014 server did not have, and metrics that it did not have.
 */
import type { RawResponse } from './raw-http.ts';
import type { Next } from './raw-websocket.ts';
import type { ReceiveStep, RedisStep } from './recordings.ts';

export const silence = '(nothing)';
export const closed = '(closed)';

/** Back ends get more metadata now; these fields had no counterpart. */
const newMetadata = ['node', 'session', 'namespace', 'handshake'];

/** Of `on_disconnect`, whose trigger says now why the client has gone. */
const disconnectPath = '/gone';

/** JSON text with sorted members; other text as it is. */
export function canonicalJson(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([one], [two]) => (one < two ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}

/** One packet of Socket.IO 0.9, or any other text. */
function packet(text: string): string {
  const match = /^(6:::\d+\+|\d:[^:]*:[^:]*:)([\s\S]+)$/.exec(text);
  return match ? match[1] + canonicalJson(match[2]!) : canonicalJson(text);
}

/** A polling body: packets behind their lengths, or one packet alone. */
function body(text: string): string {
  if (/^v?\d+\.\d+\.\d+$/.test(text)) return 'version';
  if (!text.startsWith('\ufffd')) return packet(text);
  const parts = text.split('\ufffd').slice(1);
  const packets: string[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    // The length of a packet with an error's description depends on its wording.
    const length = parts[index + 1]!.includes('"description"') ? 'length' : parts[index];
    packets.push(`[${length}] ${packet(parts[index + 1]!)}`);
  }
  return packets.join(' ');
}

export function frameOutcome(next: Next): string {
  if (next === 'nothing') return silence;
  if (next === 'closed') return closed;
  const { opcode, payload } = next;
  if (opcode === 'text') return packet(payload.toString());
  if (opcode === 'close') return payload.length < 2 ? '(close)' : `(close ${payload.readUInt16BE(0)})`;
  return payload.length > 0 ? `(${opcode} ${payload.toString('latin1')})` : `(${opcode})`;
}

export function recordedFrame(step: ReceiveStep): string {
  if (step.nothing_within_ms !== undefined) return silence;
  if (step.opcode === 'close') return step.close_code ? `(close ${step.close_code})` : '(close)';
  if (step.opcode !== undefined && step.opcode !== 'text')
    return step.payload ? `(${step.opcode} ${step.payload})` : `(${step.opcode})`;
  return packet(step.payload ?? '');
}

export interface RequestFacts {
  /** `client`, `api` or `monitor`. */
  readonly listener: string;
  readonly isUpgrade: boolean;
  readonly origin: string | undefined;
}

/** Headers that say nothing about Hive: the library's, and the acceptance of an upgrade. */
const libraryHeaders = new Set([
  ...['connection', 'server', 'date', 'content-length', 'uwebsockets', 'last-modified', 'transfer-encoding'],
  ...['upgrade', 'sec-websocket-accept', 'sec-websocket-extensions'],
]);

/** The headers that our answers normally have; only others are told. See "Headers" in docs/compatibility.md. */
function expectedHeaders(facts: RequestFacts, response: RawResponse): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  if (response.body !== '' && facts.listener !== 'client') {
    headers.set('content-type', 'application/json; charset=utf-8');
  }
  if (facts.listener !== 'client' || facts.isUpgrade) return headers;
  const isJson = response.body.startsWith('{');
  headers.set('content-type', isJson ? 'application/json; charset=utf-8' : 'text/plain; charset=UTF-8');
  headers.set('vary', 'Origin');
  if (facts.origin !== undefined && response.status !== 403) {
    headers.set('access-control-allow-origin', facts.origin);
    headers.set('access-control-allow-credentials', 'true');
  }
  return headers;
}

function oddHeaders(facts: RequestFacts, response: RawResponse): string {
  const expected = expectedHeaders(facts, response);
  const odd: string[] = [];
  for (const [name, value] of response.headers) {
    const isTypeOfNothing = name === 'content-type' && response.body === '';
    if (!libraryHeaders.has(name) && !isTypeOfNothing && expected.get(name) !== value) odd.push(`${name}: ${value}`);
  }
  for (const name of expected.keys()) {
    // An empty body has no type, and a path that does not exist no cross-origin rules.
    const isOptional = name === 'content-type' ? response.body === '' : response.status === 404;
    if (!response.headers.has(name) && !isOptional) odd.push(`no ${name}`);
  }
  return odd.length > 0 ? ` (${odd.sort().join('; ')})` : '';
}

export function answerOutcome(facts: RequestFacts, response: RawResponse | undefined, recordedBody?: string): string {
  if (!response) return silence;
  const text = recordedBody === undefined ? body(response.body) : metricsOutcome(recordedBody, response.body);
  return `${response.status}${oddHeaders(facts, response)} ${text}`.trim();
}

/** Recorded headers follow a rule of their own, told once in docs/compatibility.md. */
export function recordedAnswer(response: RawResponse, areMetrics: boolean): string {
  const text = areMetrics ? metricsOutcome(response.body, response.body) : body(response.body);
  return `${response.status} ${text}`.trim();
}

type Tree = { [name: string]: Tree | number | string | string[] };

/** A metric tree: what of the recorded one is there. Numbers depend on what ran before: only zeros count. */
function metricsOutcome(recorded: string, ours: string): string {
  const given = treeOf(ours);
  if (!given) return body(ours);
  const wanted = treeOf(recorded) ?? {};
  if (ours.length < 50) return ours.replace(/[1-9]\d*/g, '<N>');
  const missing = missingIn(wanted, given, '');
  const nodes = nodesIn(given);
  return `metrics${nodes ? ` of ${nodes}` : ''}${missing.length > 0 ? ` without ${missing.join(', ')}` : ''}`;
}

function treeOf(text: string): Tree | undefined {
  if (!text.startsWith('{') || text.startsWith('{"error"')) return undefined;
  return JSON.parse(text.replaceAll('<N>', '0')) as Tree;
}

function missingIn(wanted: Tree, given: Tree, path: string): string[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const there = given[name];
    if (there === undefined) return [path + name];
    if (typeof value !== 'object' || Array.isArray(value)) return [];
    return typeof there === 'object' && !Array.isArray(there)
      ? missingIn(value, there, `${path}${name}.`)
      : [path + name];
  });
}

function nodesIn(tree: Tree): string {
  const cluster = (tree.hive as Tree | undefined)?.cluster as Tree | undefined;
  return Array.isArray(cluster?.nodes) ? cluster.nodes.toSorted().join(' ') : '';
}

/** A request at the back end: `POST /path body`. */
export function backEndOutcome(method: string, path: string, text: string): string {
  if (text === '') return `${method} ${path}`;
  const metadata = JSON.parse(text) as Record<string, unknown>;
  for (const name of newMetadata) delete metadata[name];
  if (path === disconnectPath && typeof metadata.trigger === 'string') metadata.trigger = null;
  return `${method} ${path} ${JSON.stringify(sorted(metadata))}`;
}

/** Redis's contents for one session. */
export function redisOutcome(state: RedisStep['redis']): string {
  const fields = state['HGETALL sid'] ?? [];
  const pairs: string[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) pairs.push(`${fields[index]}=${fields[index + 1]}`);
  const lifetime = Number(state['TTL sid']);
  // Seconds go by.
  const about = lifetime > 80 ? 'about 90' : String(lifetime);
  return `${state['KEYS *'] || 'no key'}: ${state.TYPE}, lives ${about} s, ${pairs.sort().join(', ') || 'empty'}`;
}

/** The codes of errors whose description is data: what a back end or the configuration says. */
const dataCodes = new Set(['stopped', 'internal_error', 'terminating']);

/** The outcome without the wording of errors, which is for people; codes are for programs. */
export function withoutWording(outcome: string): string {
  return outcome
    .replace(/"description":"((?:[^"\\]|\\.)*)","error":"(\w+)"/g, (whole, text: string, code: string) => {
      const reference = text.replace(/ \(reference \w+\)/, '');
      if (dataCodes.has(code)) return whole.replace(text, () => reference);
      return `"description":"…","error":"${code}"`;
    })
    .replace(/^(7::[^:]*:)(?!1\+0$).+$/, '$1…');
}
