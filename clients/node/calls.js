/** Calls to a cluster of nodes, any of which serves any call: to the one that answered last, and to the others when it does not. */
import { randomUUID } from 'node:crypto';

/** Failures before anything was sent. */
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
/** Answers of a node that cannot serve the call now, though another one may. The call had no effect. */
const turnedAway = new Set(['router_error', 'not_running']);
/** Of a proxy that has not got an answer from the node behind it. */
const ofProxies = new Set([502, 503, 504]);

export class HiveError extends Error {
  /** @param {{ status: number, code: string, description: string, mayHaveHappened?: boolean, cause?: unknown }} what */
  constructor({ status, code, description, mayHaveHappened = false, cause }) {
    super(status === 0 ? description : `${code} (${status}): ${description}`, { cause });
    this.name = 'HiveError';
    this.status = status;
    this.code = code;
    this.description = description;
    this.mayHaveHappened = mayHaveHappened;
  }
}

export class Calls {
  #bases;
  #key;
  #timeout;
  #exactlyOnce;
  /** Index of the node that answered last. */
  #working = 0;

  constructor({ urls, key, timeout = 5000, exactlyOnce = false }) {
    this.#bases = [urls].flat().map((url) => `${new URL(url).href.replace(/\/+$/, '')}/api/`);
    if (this.#bases.length === 0) throw new TypeError('urls must name a node.');
    if (typeof key !== 'string' || key === '') throw new TypeError('key must be the key of the HTTP API.');
    this.#key = key;
    this.#timeout = timeout;
    this.#exactlyOnce = exactlyOnce;
  }

  /**
   * @param {string} method
   * @param {string[]} segments of the path, unescaped
   * @param {{ query?: object, body?: unknown, text?: string, isRepeatable?: boolean, isOfOneNode?: boolean, timeout?: number,
   *   options?: object }} call `isRepeatable`: to carry it out twice is the same as once; `isOfOneNode`: it concerns the node that
   *   is asked, so the first one is, and no other
   */
  async call(method, segments, call = {}) {
    const {
      query = {},
      body,
      text,
      isRepeatable = method === 'GET',
      isOfOneNode = false,
      timeout,
      options = {},
    } = call;
    const path = segments.map(segmentText).join('/') + queryText(query);
    const headers = { Authorization: `Bearer ${this.#key}` };
    const { exactlyOnce = this.#exactlyOnce, idempotencyKey, signal } = options;
    const key = idempotencyKey ?? (exactlyOnce && !isRepeatable ? randomUUID() : undefined);
    if (key !== undefined) headers['Idempotency-Key'] = key;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const request = { method, headers, body: body === undefined ? text : JSON.stringify(body) };
    const mayRepeat = isRepeatable || key !== undefined;
    const patience = options.timeout ?? timeout ?? this.#timeout;
    let failure;
    for (const at of isOfOneNode ? [0] : this.#inOrder()) {
      signal?.throwIfAborted();
      try {
        const answer = await ask(this.#bases[at] + path, request, patience, signal);
        if (!isOfOneNode) this.#working = at;
        return answer;
      } catch (error) {
        if (!(error instanceof HiveError) || !isOfThatNode(error)) throw error;
        failure = error;
        if (error.mayHaveHappened && !mayRepeat) throw error;
      }
    }
    throw failure;
  }

  /** The indices of the nodes, in the order in which they are asked. */
  #inOrder() {
    return this.#bases.map((_, index) => (this.#working + index) % this.#bases.length);
  }
}

async function ask(url, request, patience, signal) {
  const late = AbortSignal.timeout(patience);
  let response;
  let text;
  try {
    response = await fetch(url, { ...request, signal: signal ? AbortSignal.any([late, signal]) : late });
    text = await response.text();
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    const why = late.aborted ? ` within ${patience} ms` : `: ${cause.cause?.message || cause.message}`;
    const description = `${new URL(url).origin} does not answer${why}`;
    const mayHaveHappened = !neverSent.has(cause.cause?.code);
    throw new HiveError({ status: 0, code: 'unreachable', description, mayHaveHappened, cause });
  }
  if (response.ok) return contentOf(response, text);
  const { status } = response;
  const { code, description } = errorIn(text);
  throw new HiveError({ status, code, description, mayHaveHappened: status >= 500 && !turnedAway.has(code) });
}

/** Whether another node may serve the call. */
function isOfThatNode({ status, code }) {
  return status === 0 || turnedAway.has(code) || (code === 'unknown' && ofProxies.has(status));
}

function contentOf(response, text) {
  if (text === '') return undefined;
  return response.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : text;
}

function errorIn(text) {
  try {
    const { error, description } = JSON.parse(text);
    if (typeof error === 'string' && typeof description === 'string') return { code: error, description };
  } catch {
    // Not the answer of a node: that of a proxy, perhaps.
  }
  return { code: 'unknown', description: text.slice(0, 200) };
}

/** @throws TypeError */
function segmentText(id) {
  // In an address these are directories, however they are written.
  if (typeof id !== 'string' || id === '' || id === '.' || id === '..') throw new TypeError(`No id: ${id}`);
  return encodeURIComponent(id);
}

function queryText(query) {
  const known = Object.entries(query).filter(([, value]) => value !== undefined && value !== false);
  return known.length === 0 ? '' : `?${new URLSearchParams(known.map(([name, value]) => [name, String(value)]))}`;
}
