/** One client of the cluster, looked for by its session id, and looked at again as long as it is shown. */
import { get, Refused } from './api.js';
import { byId, element, facts } from './dom.js';
import { age, bytes, count } from './format.js';

const mostSubscriptions = 100;

export class ClientView {
  #sid = '';

  /** `wanted`: the user looks for a client, ask for it. */
  constructor(wanted) {
    byId('client-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#sid = /** @type {HTMLInputElement} */ (byId('sid')).value.trim();
      if (this.#sid === '') return this.#say('Any client of the cluster, by its session id.');
      this.#say('Looking…');
      wanted();
    });
  }

  async ask() {
    const sid = this.#sid;
    if (sid === '') return;
    try {
      const client = await get(`clients/${encodeURIComponent(sid)}`);
      if (sid === this.#sid) this.#show(client);
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401) throw error;
      if (sid !== this.#sid) return;
      this.#say(error.status === 404 ? 'No client of the cluster has this session id now.' : error.message);
    }
  }

  #say(text) {
    byId('client').replaceChildren(element('p', 'empty', text));
  }

  #show(client) {
    const { subscriptions = [], mailbox, state } = client;
    const list = element('ul', 'tags');
    for (const channel of subscriptions.slice(0, mostSubscriptions)) list.append(element('li', 'mono', channel));
    const hidden = subscriptions.length - mostSubscriptions;
    if (hidden > 0) list.append(element('li', 'soft', `and ${count(hidden)} more`));
    byId('client').replaceChildren(
      facts([
        ['Session', client.sid],
        ['Node', client.node],
        ['Phase', client.phase],
        ['Transport', [client.transport, client.protocol].filter(Boolean).join(', ')],
        ['Namespace', client.namespace],
        ['Age', age(client.ageMs)],
        ['Queue', mailbox && `${count(mailbox.length)} waiting, ${count(mailbox.peak)} at most`],
        ['To be sent', bytes(client.bufferedBytes)],
        ['Actor', client.pid],
      ]),
      element('h3', '', `Subscriptions (${count(subscriptions.length)})`),
      subscriptions.length > 0 ? list : element('p', 'empty', 'None.'),
      element('h3', '', 'State'),
      element('pre', 'json', JSON.stringify(state ?? {}, null, 2)),
    );
  }
}
