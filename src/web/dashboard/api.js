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

let last = Promise.resolve();

/**
 * The JSON at a path below `/monitor/KEY/`, once all earlier requests are answered.
 * @param {string} path
 * @param {Record<string, string | number | undefined>} [parameters]
 * @returns {Promise<any>}
 * @throws Gone, Refused (rejection)
 */
export function get(path, parameters = {}) {
  const answer = last.then(() => ask(path, parameters));
  last = answer.catch(() => {});
  return answer;
}

async function ask(path, parameters) {
  // An id may look like an address of its own.
  const url = new URL(`./${path}`, base);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') url.searchParams.set(name, String(value));
  }
  let response;
  let json;
  try {
    response = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(patienceMs) });
    json = await response.json();
  } catch (error) {
    throw new Gone(response ? `The answer (${response.status}) is not from a node.` : 'The node does not answer.', {
      cause: error,
    });
  }
  if (response.ok) return json;
  throw new Refused(response.status, String(json?.description ?? `The node answered ${response.status}.`));
}
