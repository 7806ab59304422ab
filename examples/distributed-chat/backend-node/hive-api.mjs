/** Calls to Hive's HTTP API: any node of the cluster serves any call, so the next one is asked when one fails. */

const timeoutMs = 2000; // that a node may take to answer

/** The API refused the call (`code`), or no node answered (`unreachable`). */
export class ApiError extends Error {
  constructor(code, description) {
    super(description);
    this.code = code;
  }
}

export class HiveApi {
  #bases;
  #working = 0; // index of the node that answered last

  /** `urls` are the nodes' API addresses. */
  constructor(urls, key) {
    this.#bases = urls.map((url) => `${url.replace(/\/+$/, '')}/api/${encodeURIComponent(key)}`);
  }

  /** Sends an event to every subscriber of a channel, on whatever node. */
  publish(channel, event) {
    return this.#call(`/pubsub/publish/${encodeURIComponent(channel)}`, event);
  }

  /** Lets every subscriber's client execute actions. */
  actOnChannel(channel, actions) {
    return this.#call(`/pubsub/action/${encodeURIComponent(channel)}`, actions);
  }

  /** Lets one client execute actions. */
  act(sid, actions) {
    return this.#call(`/clients/action/${encodeURIComponent(sid)}`, actions);
  }

  /** Whether the session has certainly ended: every node that answers says so. The client gets a `still_there` event. */
  async isGone(sid) {
    const probe = { action: 'send_event', args: { name: 'still_there', args: [{}] } };
    const answers = new Set();
    for (const index of this.#inOrder()) {
      try {
        await ask(this.#bases[index], `/clients/action/${encodeURIComponent(sid)}`, probe);
        return false;
      } catch (error) {
        answers.add(codeOf(error));
      }
    }
    answers.delete('unreachable');
    return answers.size === 1 && answers.has('bad_session_id');
  }

  #inOrder() {
    return this.#bases.map((_, index) => (this.#working + index) % this.#bases.length);
  }

  async #call(path, body) {
    let failure = new ApiError('unreachable', 'no API address is configured');
    for (const index of this.#inOrder()) {
      try {
        await ask(this.#bases[index], path, body);
        this.#working = index;
        return;
      } catch (error) {
        if (codeOf(error) !== 'unreachable') throw error;
        failure = error;
      }
    }
    throw failure;
  }
}

function codeOf(error) {
  if (error instanceof ApiError) return error.code;
  throw error;
}

/** One call to one node. A node that fails in itself (5xx) counts as unreachable. */
async function ask(base, path, body) {
  const { origin } = new URL(base);
  let status;
  let text;
  try {
    const response = await fetch(`${base}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    status = response.status;
    text = await response.text();
  } catch (error) {
    throw new ApiError('unreachable', `${origin} does not answer: ${error.cause?.message ?? error.message}`);
  }
  if (status >= 200 && status < 300) return;
  const { code, description } = refusalIn(text);
  if (status >= 500 && code !== 'bad_session_id') {
    throw new ApiError('unreachable', `${origin} failed with ${status} ${code}: ${description}`);
  }
  throw new ApiError(code, `${code} (${status}): ${description}`);
}

/** Code and description in the body of the API's error answer. */
function refusalIn(text) {
  try {
    const { error, description } = JSON.parse(text);
    return { code: String(error), description: String(description) };
  } catch {
    return { code: 'unknown', description: text.slice(0, 200) };
  }
}
