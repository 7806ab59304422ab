/** One client of the cluster, looked for by its session id, and looked at again as long as it is shown. */
import { find, Refused } from './api.js';
import { byId, element, reconcile, setText } from './dom.js';
import { facts, setFacts } from './facts.js';
import { age, bytes, count } from './format.js';
import { JsonView, setLong } from './long.js';

const mostSubscriptions = 100;

function suspendedText(suspended) {
  if (!suspended) return '';
  const { reason, agoMs, leftMs } = suspended;
  return `for ${age(agoMs)}, ${reason}; ends in ${age(leftMs)}`;
}

function durableText(durable) {
  if (!durable) return '';
  const { owner, epoch, adoptedFrom, stored } = durable;
  const parts = [stored ? 'yes' : 'NOT all of it', owner && `lease ${owner}`];
  if (epoch > 0) parts.push(`claimed ${epoch === 1 ? 'once' : `${count(epoch)} times`}`);
  if (adoptedFrom) parts.push(`adopted from ${adoptedFrom}`);
  return parts.filter(Boolean).join(' · ');
}

export class ClientView {
  #sid = '';
  #facts = facts();
  #subscribed = element('h3');
  #channels = element('ul', 'tags');
  #stateTitle = element('h3', '', 'State');
  #state = new JsonView();

  /** `wanted`: the user looks for a client, ask for it. */
  constructor(wanted) {
    const input = /** @type {HTMLInputElement} */ (byId('sid'));
    byId('client-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#sid = input.value.trim();
      if (this.#sid === '') return this.#say('Any client of the cluster, by its session id.');
      this.#facts = facts();
      this.#state = new JsonView();
      this.#say('Looking…');
      wanted();
    });
  }

  /** As if the user had typed it. */
  choose(sid) {
    /** @type {HTMLInputElement} */ (byId('sid')).value = sid;
    /** @type {HTMLFormElement} */ (byId('client-form')).requestSubmit();
    byId('client-panel').scrollIntoView({ block: 'nearest' });
  }

  async ask() {
    const sid = this.#sid;
    if (sid === '') return;
    try {
      const client = await find('clients', sid);
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
    setFacts(this.#facts, [
      ['Session', client.sid],
      ['Node', client.node],
      ['Phase', client.phase],
      ['Suspended', suspendedText(client.suspended)],
      ['When lost', client.recoverable === undefined ? '' : client.recoverable ? 'may return' : 'ends'],
      ['Stored', durableText(client.durable)],
      ['Transport', [client.transport, client.protocol].filter(Boolean).join(', ')],
      ['Namespace', client.namespace],
      ['Age', age(client.ageMs)],
      ['Queue', mailbox && `${count(mailbox.length)} waiting, ${count(mailbox.peak)} at most`],
      ['To be sent', bytes(client.bufferedBytes)],
      ['Actor', client.pid],
    ]);
    setText(this.#subscribed, `Subscriptions (${count(subscriptions.length)})`);
    const hidden = subscriptions.length - mostSubscriptions;
    const items = subscriptions.slice(0, mostSubscriptions).map((channel) => ({ key: `#${channel}`, channel }));
    if (subscriptions.length === 0) items.push({ key: 'none', channel: 'None.' });
    if (hidden > 0) items.push({ key: 'more', channel: `and ${count(hidden)} more` });
    reconcile(
      this.#channels,
      items,
      ({ key }) => key,
      ({ key }) => element('li', key.startsWith('#') ? 'mono' : 'soft'),
      (item, { channel }) => setLong(item, channel),
    );
    this.#state.show(state ?? {});
    const parts = [this.#facts, this.#subscribed, this.#channels, this.#stateTitle, this.#state.element];
    if (!parts.every((part) => part.isConnected)) byId('client').replaceChildren(...parts);
  }
}
