/** A channel of the cluster, or a prefix, looked for by its id, and looked at again as long as it is shown. */
import { find, Refused } from './api.js';
import { byId, element, reconcile, setName, setText } from './dom.js';
import { facts, setFacts } from './facts.js';
import { count, decimal } from './format.js';

const hint = 'Any channel of the cluster, or all below a prefix.';

/** What the channel's nodes were found to have published since the answer before. */
class Rates {
  #at = 0;
  #published = new Map();

  /** Per second, by channel; null of one that was not there before. */
  of(channels, now) {
    const seconds = (now - this.#at) / 1000;
    const before = this.#published;
    this.#at = now;
    this.#published = new Map(channels.map(({ channel, published }) => [channel, published]));
    return new Map(
      channels.map(({ channel, published }) => {
        const known = before.get(channel);
        // It may have been closed and opened again.
        return [channel, known === undefined ? null : Math.max(0, published - known) / seconds];
      }),
    );
  }
}

export class ChannelView {
  #id = '';
  #rates = new Rates();
  #facts = facts();
  #table = element('table');
  #rows = element('tbody');
  #title = element('h3');
  #clients = element('ul', 'members');
  #chooseClient;

  /** `wanted`: the user looks for a channel, ask for it. `chooseClient` is called with the id of a session to be looked at. */
  constructor(wanted, chooseClient) {
    this.#chooseClient = chooseClient;
    const head = element('tr', '', ...['Channel', 'Subscribers', 'Publishes', 'Per s'].map(heading));
    this.#table.append(element('thead', '', head), this.#rows);
    byId('channel-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#id = /** @type {HTMLInputElement} */ (byId('channel-id')).value.trim();
      this.#rates = new Rates();
      if (this.#id === '') return this.#say(hint);
      this.#say('Looking…');
      wanted();
    });
  }

  async ask() {
    const id = this.#id;
    if (id === '') return;
    try {
      const channel = await find('channels', id);
      if (id === this.#id) this.#show(channel);
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401) throw error;
      if (id !== this.#id) return;
      this.#say(error.status === 404 ? 'The cluster has no such channel now, nor any below.' : error.message);
    }
  }

  #say(text) {
    byId('channel').replaceChildren(element('p', 'empty', text));
  }

  #show({ channels, clients, more, missing }) {
    setFacts(this.#facts, [['Not counted', missing.length > 0 ? `what is on ${missing.join(', ')}` : '']]);
    const rates = this.#rates.of(channels, performance.now());
    const others = more.channels ? [{ channel: 'and more' }] : [];
    reconcile(
      this.#rows,
      [...channels, ...others],
      ({ channel }) => channel,
      () =>
        element('tr', '', element('th', 'mono'), ...['number', 'number', 'number'].map((name) => element('td', name))),
      (row, { channel, subscribed_clients: subscribers, published }) => {
        const [name, ...numbers] = row.cells;
        setName(name, channel);
        const texts =
          published === undefined ? [] : [count(subscribers), count(published), decimal(rates.get(channel))];
        for (const [at, cell] of numbers.entries()) setText(cell, texts[at] ?? '');
      },
    );
    setText(this.#title, `Clients${more.clients ? ` (the first ${count(clients.length)})` : ''}`);
    const shown = clients.length > 0 ? clients : [{ sid: '', node: 'None.' }];
    reconcile(
      this.#clients,
      shown,
      ({ sid }) => sid,
      ({ sid }) => this.#client(sid),
      (item, { node, suspended }) => setText(item.lastElementChild, suspended ? `${node}, suspended` : node),
    );
    const parts = [this.#facts, this.#table, this.#title, this.#clients];
    if (!parts.every((part) => part.isConnected)) byId('channel').replaceChildren(...parts);
  }

  #client(sid) {
    const button = element('button', 'plain mono');
    setName(button, sid);
    button.addEventListener('click', () => this.#chooseClient(sid));
    button.hidden = sid === '';
    return element('li', '', button, element('span', 'soft'));
  }
}

function heading(text, at) {
  const made = element('th', at === 0 ? '' : 'number', text);
  made.setAttribute('scope', 'col');
  return made;
}
