/** What the page asks its node: one request at a time, below the address from which this module came. */

const base = new URL('..', import.meta.url);
const patienceMs = 10_000;

/** No answer, or one that does not come from a node (a proxy's). */
export class Gone extends Error {}

/** An answer that says no. `status` 401: the key is wrong. */
export class Refused extends Error {
  constructor(status, description) {
    super(description);
    this.status = status;
  }
}

/** The page does not want the answer any more: it is asking anew. */
export class Interrupted extends Error {}

let last = Promise.resolve();
/** The question that waits for its answer, if one does. @type {{ since: number, controller: AbortController } | undefined} */
let open;

/** By the page's own clock: when a node answered last, whatever it said; when the page was opened, if none has. */
export let answeredAt = performance.now();

/** How long the present question has been waiting for its answer, in ms; 0 if there is none. */
export function waitedMs() {
  return open ? performance.now() - open.since : 0;
}

/** Gives up the present question: who asked it gets Interrupted. */
export function interrupt() {
  open?.controller.abort(new Interrupted());
}

/**
 * The JSON at a path below `/monitor/KEY/`, once all earlier requests are answered.
 * @param {string} path
 * @param {Record<string, string | number | undefined>} [parameters]
 * @returns {Promise<any>}
 * @throws Gone, Refused, Interrupted (rejection)
 */
export function get(path, parameters = {}) {
  const answer = last.then(() => ask(path, parameters));
  last = answer.catch(() => {});
  return answer;
}

/**
 * As `get`, of one thing of a kind, by what the user says that its id is.
 * @param {string} kind
 * @param {string} id
 * @returns {Promise<any>}
 * @throws as `get`
 */
export async function find(kind, id) {
  // In an address these are directories, however they are written.
  if (id === '.' || id === '..') throw new Refused(404, 'Nothing has that id.');
  return get(`${kind}/${encodeURIComponent(id)}`);
}

async function ask(path, parameters) {
  // An id may look like an address of its own.
  const url = new URL(`./${path}`, base);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') url.searchParams.set(name, String(value));
  }
  const controller = new AbortController();
  open = { since: performance.now(), controller };
  const timer = setTimeout(() => controller.abort(), patienceMs);
  let response;
  let json;
  try {
    response = await fetch(url, { cache: 'no-store', signal: controller.signal });
    json = await response.json();
  } catch (error) {
    const { reason } = controller.signal;
    if (reason instanceof Interrupted) throw reason;
    throw new Gone(response ? `The answer (${response.status}) is not from a node.` : 'The node does not answer.', {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    open = undefined;
  }
  answeredAt = performance.now();
  if (response.ok) return json;
  throw new Refused(response.status, String(json?.description ?? `The node answered ${response.status}.`));
}
