/**
 * Replays one scenario: does what the recorded clients did, in their order, and tells what happened at each step. Where a
 * recorded step was silence, a short one must do; where a frame or answer is expected, it may take its time.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import type { BackEndRequest } from './back-end.ts';
import {
  answerOutcome,
  backEndOutcome,
  closed,
  frameOutcome,
  recordedAnswer,
  recordedFrame,
  redisOutcome,
  silence,
  withoutWording,
} from './outcomes.ts';
import { parseResponse, RawRequest, type RawResponse } from './raw-http.ts';
import { RawWebSocket } from './raw-websocket.ts';
import type { HttpStep, OpenStep, Scenario, SendStep, SetupStep, Step } from './recordings.ts';
import type { Stage } from './stage.ts';
import { type Unsaid, unsaid } from './unsaid.ts';

/** Declaring differences waits in vain often. */
const patienceMs = process.env.GOLDEN === 'write' ? 2500 : 8000;
const silenceMs = 200;
/** What was sent has reached the server. */
const settledMs = 60;
const unknownSid = '0'.repeat(40);
const origin = 'http://good.example';

/** A session: the id in its clients' URLs, and how to ask the back end for the one in its own and the API's. */
interface Session {
  readonly transportId: string;
  readonly token: string;
}

/** What happened at each step; undefined where nothing is to be compared. The last is for frames that nobody asked for. */
export type Outcomes = (string | undefined)[];

/** What the recorded steps amount to. */
export function recordedOutcomes({ steps }: Scenario): Outcomes {
  return [...steps.map(recordedOutcome), ''];
}

function recordedOutcome(step: Step): string | undefined {
  if ('http' in step) {
    if (step.response === null) return silence;
    return recordedResponses(step.response)
      .map((response) => recordedAnswer(response, isMetrics(step)))
      .join(' & ');
  }
  if ('ws_open' in step) {
    if (step.response === undefined) return '101';
    return recordedResponses(step.response)
      .map((response) => recordedAnswer(response, false))
      .join('');
  }
  if ('ws_recv' in step) return recordedFrame(step);
  if ('ws_tcp_closed_by_server' in step) return closed;
  if ('backend_received' in step) {
    const { method, path, body } = backEndRequest(step.backend_received);
    return backEndOutcome(method, path, body);
  }
  if ('redis' in step) return redisOutcome(step.redis);
  if ('setup' in step) return step.setup.includes('first') ? '200 1:::' : '';
  if ('server_application_still_serving' in step)
    return step.server_application_still_serving ? 'serving' : 'not serving';
  return undefined;
}

function recordedResponses(text: string): RawResponse[] {
  const responses: RawResponse[] = [];
  // Placeholders make recorded lengths wrong: a response ends where the next one begins.
  for (const part of text.split(/(?=HTTP\/1\.[01] \d{3} )/)) {
    const [head, ...body] = part.split('\r\n\r\n');
    const parsed = parseResponse(Buffer.from(`${head}\r\n\r\n`), true, true);
    if (parsed) responses.push({ ...parsed.response, body: body.join('\r\n\r\n') });
  }
  return responses;
}

/** Whether metrics are asked for whose values depend on what ran before. */
function isMetrics({ http, request }: HttpStep): boolean {
  return http.startsWith('monitor') && request.startsWith('GET') && !request.includes('current_clients');
}

function backEndRequest(text: string): { method: string; path: string; body: string } {
  const [head, body = ''] = text.split('\r\n\r\n');
  const [method = '', path = ''] = head!.split(' ');
  return { method, path, body };
}

export class Run {
  readonly stage: Stage;
  readonly #scenario: Scenario;
  readonly #expected: Outcomes;
  readonly #unsaid: Unsaid;
  readonly #sessions = new Map<string, Session>();
  readonly #sockets = new Map<string, RawWebSocket>();
  readonly #early = new Map<number, RawRequest>();
  readonly #requests: RawRequest[] = [];

  /** @param expected what is expected of each step, to know how long to wait */
  constructor(scenario: Scenario, stage: Stage, expected: Outcomes) {
    this.stage = stage;
    this.#scenario = scenario;
    this.#expected = expected;
    this.#unsaid = unsaid[scenario.id] ?? {};
  }

  async outcomes(): Promise<Outcomes> {
    const { steps } = this.#scenario;
    const outcomes: Outcomes = [];
    try {
      for (const [index, step] of steps.entries()) {
        await this.#sendEarly(index);
        await this.#unsaid.before?.[index]?.(this);
        outcomes.push(await this.#take(step, index));
      }
      outcomes.push(await this.#unasked(this.#expected.at(-1) ?? ''));
      return outcomes;
    } finally {
      for (const socket of this.#sockets.values()) socket.close();
      for (const request of this.#requests) request.close();
    }
  }

  // For what the recordings leave unsaid

  socket(name: string): RawWebSocket | undefined {
    return this.#sockets.get(name);
  }

  /** The session id that back ends see. */
  async sid(placeholder: string): Promise<string> {
    return this.stage.backEnd.sidOf(this.#sessions.get(placeholder)?.token ?? '', patienceMs);
  }

  /** Waits until the back end has been asked this for the session. */
  async asked(path: string, placeholder: string): Promise<void> {
    const sid = await this.sid(placeholder);
    const isThat = (request: BackEndRequest): boolean => request.path === path && request.sid === sid;
    await eventually(() => this.stage.backEnd.requests.some(isThat), path, patienceMs);
  }

  async ask(listener: string, text: string): Promise<RawResponse[]> {
    return this.#request(listener, await this.#filled(text, listener)).responses(patienceMs);
  }

  /** Sends a request and goes away before it is answered. */
  async abort(listener: string, text: string): Promise<void> {
    const request = this.#request(listener, await this.#filled(text, listener));
    await delay(settledMs);
    request.close();
  }

  // Steps

  #take(step: Step, index: number): Promise<string | undefined> | string | undefined {
    const expected = this.#expected[index];
    const limitMs = expected === silence ? silenceMs : patienceMs;
    if ('http' in step) return this.#http(step, index, expected ?? '');
    if ('ws_open' in step) return this.#open(step);
    if ('ws_send' in step) return this.#send(step);
    if ('ws_recv' in step) return this.#receive(step.ws_recv, limitMs);
    if ('ws_tcp_closed_by_server' in step) return this.#closes(step.ws_tcp_closed_by_server, expected);
    if ('backend_received' in step) return this.#backEnd(step.backend_received, limitMs);
    if ('redis' in step) return this.#redis(expected ?? '');
    if ('setup' in step) return this.#setup(step);
    if ('server_application_still_serving' in step) return this.#serving();
    if ('wait_ms' in step) return delay(step.wait_ms).then(() => undefined);
    return undefined;
  }

  async #http(step: HttpStep, index: number, expected: string): Promise<string> {
    const deadline = performance.now() + patienceMs;
    const early = this.#early.get(index);
    for (;;) {
      const limitMs = expected === silence ? silenceMs : Math.max(patienceMs, step.no_response_within_ms ?? 0);
      const request = early ?? this.#request(step.http, await this.#filled(step.request, step.http));
      const responses = await request.responses(limitMs);
      this.#learn(step, responses);
      const outcome =
        responses.length === 0 ? silence : responses.map((response) => this.#answer(step, response)).join(' & ');
      // Counters and subscriptions are looked at from outside: they may be a moment behind.
      const isLook = step.request.startsWith('GET /api/') || step.http.startsWith('monitor');
      if (isExpected(outcome, expected) || !isLook || performance.now() > deadline) return outcome;
      await delay(20);
    }
  }

  #answer(step: HttpStep, response: RawResponse): string {
    const facts = {
      listener: step.http.replace(/\d$/, ''),
      isUpgrade: false,
      origin: /^Origin: (.*)\r$/m.exec(step.request)?.[1],
    };
    const recorded = isMetrics(step) ? recordedResponses(step.response ?? '')[0]?.body : undefined;
    return this.#masked(answerOutcome(facts, response, recorded));
  }

  /** A recorded handshake names its session. */
  #learn({ response }: HttpStep, responses: readonly RawResponse[]): void {
    const names = response?.match(/<SID\d+>(?=:)/g) ?? [];
    for (const [index, name] of names.entries()) {
      const id = /^([^:{]+):\d/.exec(responses[index]?.body ?? '')?.[1];
      if (id) this.#sessions.set(name, { transportId: id, token: '' });
    }
  }

  async #open({ ws_open: name, where, sid, request }: OpenStep): Promise<string> {
    const text =
      request ??
      `GET /socket.io/1/websocket/${sid} HTTP/1.1\r\nHost: client.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Origin: ${origin}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
    const socket = new RawWebSocket(this.stage.port(where), await this.#filled(text, where));
    this.#sockets.set(name, socket);
    const answer = await socket.answer(patienceMs);
    const facts = {
      listener: 'client',
      isUpgrade: answer?.status === 101,
      origin: /^Origin: (.*)\r$/m.exec(text)?.[1],
    };
    return this.#masked(answerOutcome(facts, answer));
  }

  #send({ ws_send: name, opcode, payload, fin }: SendStep): undefined {
    const text = payload.replace('"x" times 70000', () => `"${'x'.repeat(70_000)}"`);
    const isText = opcode === 'text' || opcode === 'continuation';
    this.#sockets.get(name)?.send(opcode, Buffer.from(text, isText ? 'utf8' : 'latin1'), fin);
    return undefined;
  }

  async #receive(name: string, limitMs: number): Promise<string> {
    const next = (await this.#sockets.get(name)?.next(limitMs)) ?? 'closed';
    const outcome = this.#masked(frameOutcome(next));
    return outcome
      .replace(`"${'x'.repeat(70_000)}"`, 'identical to what was sent')
      .replace(/^5:::.*(identical.*sent).*/, '$1');
  }

  async #closes(name: string, expected: string | undefined): Promise<string> {
    const isClosed = await this.#sockets.get(name)?.closes(expected === closed ? patienceMs : silenceMs);
    return isClosed ? closed : '(open)';
  }

  async #backEnd(recorded: string, limitMs: number): Promise<string> {
    const { method, path, body } = backEndRequest(recorded);
    const name = /<SID\d+>/.exec(body)?.[0];
    if (path === '/gone' && name && body.includes('"trigger":null')) this.#leave(name);
    const sid = name ? await this.sid(name) : undefined;
    const request = await this.stage.backEnd.take(method, path, sid, limitMs);
    return request ? this.#masked(backEndOutcome(request.method, request.path, request.body)) : silence;
  }

  /** The recorded client went away by itself, if nothing before this step had ended its connection. */
  #leave(name: string): void {
    const opened = this.#scenario.steps.find((step) => 'ws_open' in step && (step.sid ?? step.request)?.includes(name));
    if (!opened || !('ws_open' in opened)) return;
    const wasEnded = this.#scenario.steps.some(
      (step) =>
        ('ws_recv' in step &&
          step.ws_recv === opened.ws_open &&
          (step.opcode === 'close' || step.payload === '0:::')) ||
        ('ws_tcp_closed_by_server' in step && step.ws_tcp_closed_by_server === opened.ws_open),
    );
    if (!wasEnded) this.#sockets.get(opened.ws_open)?.close();
  }

  async #redis(expected: string): Promise<string> {
    const deadline = performance.now() + patienceMs;
    const sid = await this.sid('<SID1>');
    for (;;) {
      const outcome = this.#masked(redisOutcome(await this.stage.redisState(sid)));
      if (isExpected(outcome, expected) || performance.now() > deadline) return outcome;
      await delay(20);
    }
  }

  async #setup({ setup, sid }: SetupStep): Promise<string> {
    await this.#session(sid, 'client');
    if (!setup.includes('first')) return '';
    const text = `GET /socket.io/1/xhr-polling/${sid} HTTP/1.1\r\nHost: client.example\r\nOrigin: ${origin}\r\n\r\n`;
    const [response] = await this.ask('client', text);
    return `${response?.status} ${response?.body}`;
  }

  async #serving(): Promise<string> {
    const [response] = await this.ask('client', handshake('still'));
    return response?.status === 200 ? 'serving' : 'not serving';
  }

  // Sessions

  async #session(name: string, listener: string): Promise<Session> {
    const known = this.#sessions.get(name);
    if (known) return known;
    const token = randomUUID();
    const request = this.#request(this.#unsaid.home ?? listener, handshake(token));
    const [response] = await request.responses(patienceMs);
    const session = { transportId: response?.body.split(':')[0] ?? '', token };
    this.#sessions.set(name, session);
    return session;
  }

  /** The text with real ids, addresses and lengths. */
  async #filled(text: string, listener: string): Promise<string> {
    let filled = text.replaceAll('http://backend.example', `http://127.0.0.1:${this.stage.backEnd.port}`);
    for (const name of new Set(text.match(/<SID\d+>/g))) {
      const session = await this.#session(name, listener.startsWith('client') ? listener : 'client');
      const isForApi = listener.startsWith('api') && session.token !== '';
      // A client that has not connected yet is unknown to back ends.
      const id = isForApi ? await this.#sidOr(session) : session.transportId;
      filled = filled.replaceAll(name, id);
    }
    if (filled === text) return text;
    const [head, ...rest] = filled.split('\r\n\r\n');
    const length = Buffer.byteLength(rest.join('\r\n\r\n'));
    return [head!.replace(/^Content-Length: \d+/m, `Content-Length: ${length}`), ...rest].join('\r\n\r\n');
  }

  #sidOr(session: Session): Promise<string> {
    const isConnected =
      this.#sockets.size > 0 ||
      !this.#scenario.steps.some((step) => 'setup' in step && step.setup === 'handshake only');
    return isConnected ? this.stage.backEnd.sidOf(session.token, patienceMs) : Promise.resolve(session.transportId);
  }

  /** The outcome with placeholders. */
  #masked(outcome: string): string {
    let masked = outcome;
    for (const [name, { transportId, token }] of this.#sessions) {
      masked = masked.replaceAll(transportId || unknownSid, name);
      const sid = this.stage.backEnd.knownSid(token);
      if (sid) masked = masked.replaceAll(sid, name);
    }
    // A handshake that had been refused has no name.
    return masked.replace(/^200 [\w-]{20,}(?=:\d+:)/, '200 <SID>');
  }

  // Requests

  #request(listener: string, text: string): RawRequest {
    const request = new RawRequest(this.stage.port(listener), text);
    this.#requests.push(request);
    return request;
  }

  async #sendEarly(index: number): Promise<void> {
    for (const [step, before] of Object.entries(this.#unsaid.early ?? {})) {
      const request = this.#scenario.steps[Number(step)];
      if (before !== index || !request || !('http' in request)) continue;
      this.#early.set(Number(step), this.#request(request.http, await this.#filled(request.request, request.http)));
      await delay(settledMs);
    }
  }

  /** Frames that came and no step took: those expected may be under way still. */
  async #unasked(expected: string): Promise<string> {
    const extra: string[] = [];
    const deadline = performance.now() + (expected === '' ? settledMs : patienceMs);
    for (;;) {
      for (const [name, socket] of this.#sockets) {
        for (const frame of socket.rest()) extra.push(`${name} ${this.#masked(frameOutcome(frame))}`);
      }
      const outcome = extra.join(', ');
      const isAwaited = expected !== '' && isExpected(outcome, expected);
      if (isAwaited || performance.now() >= deadline) return outcome;
      await delay(10);
    }
  }
}

function isExpected(outcome: string, expected: string): boolean {
  return withoutWording(outcome) === withoutWording(expected);
}

function handshake(token: string): string {
  return `GET /socket.io/1/?replay=${token} HTTP/1.1\r\nHost: client.example\r\nOrigin: ${origin}\r\n\r\n`;
}
