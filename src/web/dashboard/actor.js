/** One actor, as it tells of itself: what the user chose in the tree. */
import { get, Refused } from './api.js';
import { breakable, byId, element, facts } from './dom.js';
import { age, count } from './format.js';

export class ActorView {
  /** @type {any} */
  #row;

  /** @param {any} row a row of the tree */
  choose(row) {
    this.#row = row;
  }

  async ask() {
    const row = this.#row;
    if (!row) return;
    let inside;
    try {
      // A chosen supervisor or manager is followed through its restarts.
      const { node, path, actor, unique } = row;
      const seen = unique ? await get('supervision', { node, path, depth: 0 }) : actor;
      inside = seen.pid ? await get(`actors/${encodeURIComponent(seen.pid)}`) : {};
      if (row === this.#row) this.#show({ ...seen, ...inside, id: row.name });
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401) throw error;
      if (row === this.#row) byId('actor').replaceChildren(element('p', 'empty', `${row.name} has ended.`));
    }
  }

  #show(actor) {
    const { intensity, lastExit, mailbox } = actor;
    const made = [
      element('h3', 'mono', actor.id),
      facts([
        ['Address', actor.pid],
        ['Status', actor.status],
        ['Path', actor.path && breakable(actor.path)],
        ['Age', actor.ageMs === undefined ? '' : age(actor.ageMs)],
        ['Mailbox', mailbox && `${count(mailbox.length)} now, ${count(mailbox.peak)} at most`],
        ['Last message', actor.lastMessage],
        ['Strategy', actor.strategy],
        ['Children', actor.count === undefined ? '' : count(actor.count)],
        ['Handled', actor.handled === undefined ? '' : `${count(actor.handled)} messages`],
        ['Restarts', count(actor.restarts)],
        ['Intensity', intensity && `${intensity.used} of ${intensity.allowed} within ${intensity.periodMs / 1000} s`],
        ['Last exit', lastExit && `${lastExit.reason}, ${age(lastExit.agoMs)} ago`],
      ]),
    ];
    if (actor.state && Object.keys(actor.state).length > 0) {
      made.push(element('pre', 'json', JSON.stringify(actor.state, null, 2)));
    }
    byId('actor').replaceChildren(...made);
  }
}
