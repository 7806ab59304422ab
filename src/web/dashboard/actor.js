/** One actor, as it tells of itself: what the user chose in the tree. */
import { get, Refused } from './api.js';
import { byId, element, setText } from './dom.js';
import { facts, setFacts } from './facts.js';
import { age, count } from './format.js';
import { JsonView } from './long.js';

export class ActorView {
  /** @type {any} */
  #row;
  #name = element('h3', 'mono');
  #facts = facts();
  #state = new JsonView();

  /** @param {any} row a row of the tree */
  choose(row) {
    if (row.key === this.#row?.key) return;
    this.#row = row;
    this.#facts = facts();
    this.#state = new JsonView();
    // Below the tree, where there is no room beside it, it is shown only if it is looked at.
    byId('actor-panel').scrollIntoView({ block: 'nearest' });
  }

  /** @param {string[]} nodes those that answer */
  async ask(nodes) {
    const row = this.#row;
    if (!row) return;
    if (!nodes.includes(row.node)) return this.#say(`${row.node} does not answer.`);
    let inside;
    try {
      // A chosen supervisor or manager is followed through its restarts.
      const { node, path, actor, unique } = row;
      const seen = unique ? await get('supervision', { node, path, depth: 0, flat: 'true' }) : actor;
      inside = seen.pid ? await get(`actors/${encodeURIComponent(seen.pid)}`) : {};
      if (row === this.#row) this.#show({ ...seen, ...inside, id: row.name });
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401) throw error;
      if (row === this.#row) this.#say(error.status === 404 ? `${row.name} has ended.` : error.message);
    }
  }

  #say(text) {
    byId('actor').replaceChildren(element('p', 'empty', text));
  }

  #show(actor) {
    const { intensity, lastExit, mailbox } = actor;
    setText(this.#name, actor.id);
    setFacts(this.#facts, [
      ['Address', actor.pid],
      ['Status', actor.status],
      ['Path', actor.path],
      ['Age', actor.ageMs === undefined ? '' : age(actor.ageMs)],
      ['Mailbox', mailbox && `${count(mailbox.length)} now, ${count(mailbox.peak)} at most`],
      ['Last message', actor.lastMessage],
      ['Strategy', actor.strategy],
      ['Partition', actor.partition],
      ['Partitions', actor.partitions === undefined ? '' : count(actor.partitions)],
      ['Children', actor.count === undefined ? '' : count(actor.count)],
      ['Handled', actor.handled === undefined ? '' : `${count(actor.handled)} messages`],
      ['Restarts', count(actor.restarts)],
      ['Intensity', intensity && `${intensity.used} of ${intensity.allowed} within ${intensity.periodMs / 1000} s`],
      ['Last exit', lastExit && `${lastExit.reason}, ${age(lastExit.agoMs)} ago`],
    ]);
    const { state = {} } = actor;
    this.#state.show(state);
    this.#state.element.hidden = Object.keys(state).length === 0;
    const parts = [this.#name, this.#facts, this.#state.element];
    if (!parts.every((part) => part.isConnected)) byId('actor').replaceChildren(...parts);
  }
}
