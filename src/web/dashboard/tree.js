/**
 * What is known of the supervision trees, without partitions: each supervisor that is open is asked for its children, and for no more of them
 * than are shown, so that a node with 100,000 clients costs no more than one with ten.
 */
import { get, Refused } from './api.js';

const fewChildren = 100;
/** More of one supervisor are never listed: those with the fullest mailboxes can be had first instead. */
const mostChildren = 500;

const separator = '\n';
/** @returns {string} the name of an actor among all nodes */
export const keyOf = (node, path) => node + separator + path;

export class Tree {
  /** By key: what is open. @type {Map<string, { node: string, path: string, limit: number, found: any, problem: string }>} */
  #open = new Map();
  /** The roots by node. @type {Map<string, any>} */
  #roots = new Map();
  /** What is fullest first: `mailbox`, or nothing. */
  sort = '';

  isOpen(key) {
    return this.#open.has(key);
  }

  open(node, path) {
    const key = keyOf(node, path);
    if (!this.#open.has(key)) this.#open.set(key, { node, path, limit: fewChildren, found: undefined, problem: '' });
  }

  close(key) {
    for (const open of [...this.#open.keys()]) if (open === key || open.startsWith(below(key))) this.#open.delete(open);
  }

  more(key) {
    const open = this.#open.get(key);
    if (open) open.limit = Math.min(mostChildren, open.limit + fewChildren);
  }

  /** Asks for everything that is open on these nodes. `goOn` false ends it early. @param {string[]} nodes */
  async ask(nodes, goOn) {
    const { trees } = await get('supervision', { cluster: 'true', depth: 0, flat: 'true' });
    this.#roots = new Map(Object.entries(trees));
    /** Nodes that have just stopped answering: the rest of their supervisors would be waited for, one after the other. */
    const silent = new Set();
    for (const [key, open] of [...this.#open]) {
      if (!goOn()) return;
      if (silent.has(open.node)) continue;
      if (nodes.includes(open.node)) {
        await this.#ask(key, open);
        if (open.problem) silent.add(open.node);
      } else if (!this.#roots.has(open.node)) open.found = undefined;
    }
  }

  async #ask(key, open) {
    const { node, path, limit } = open;
    try {
      open.found = await get('supervision', { node, path, depth: 1, limit, sort: this.sort, flat: 'true' });
      open.problem = '';
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401) throw error;
      // An actor that has ended is not there any more, nor is what was under it.
      if (error.status === 404 && path !== '') return this.close(key);
      open.found = undefined;
      open.problem = error.message;
    }
  }

  /** What is shown, line by line. @param {string[]} nodes */
  rows(nodes) {
    const rows = [];
    for (const [i, node] of nodes.entries()) {
      const root = this.#open.get(keyOf(node, ''))?.found ?? this.#roots.get(node);
      if (root) this.#add(rows, { node, path: '', actor: root, level: 1, place: i + 1, places: nodes.length });
    }
    return rows;
  }

  #add(rows, { node, path, actor, level, place, places, unique = true }) {
    const key = unique ? keyOf(node, path) : keyOf(node, actor.pid);
    const isParent = actor.kind === 'supervisor' && unique;
    const open = isParent ? this.#open.get(key) : undefined;
    const name = path === '' ? node : actor.id;
    rows.push({
      type: 'actor',
      key,
      node,
      path,
      name,
      actor,
      level,
      place,
      places,
      unique,
      isParent,
      isOpen: open !== undefined,
    });
    if (!open) return;
    const { children = [], count = 0 } = open.found ?? {};
    const rest = count - children.length;
    const ids = new Map();
    for (const { id } of children) ids.set(id, (ids.get(id) ?? 0) + 1);
    for (const [i, child] of children.entries()) {
      this.#add(rows, {
        node,
        path: path === '' ? child.id : `${path}/${child.id}`,
        actor: child,
        level: level + 1,
        place: i + 1,
        places: count,
        // Clients, say: many of one name. They are known by their addresses.
        unique:
          child.partition === undefined &&
          ids.get(child.id) === 1 &&
          !child.id.includes('/') &&
          (child.kind === 'supervisor' || rest === 0),
      });
    }
    if (open.problem) rows.push({ type: 'problem', key: `${key}!`, level: level + 1, text: open.problem });
    else if (rest > 0) {
      const canMore = children.length < mostChildren;
      rows.push({
        type: 'more',
        key: `${key}+`,
        parent: key,
        level: level + 1,
        shown: children.length,
        count,
        canMore,
      });
    }
  }
}

/** How the keys of all actors below one begin. */
function below(key) {
  return key.endsWith(separator) ? key : `${key}/`;
}
