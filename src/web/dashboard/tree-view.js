/** The supervision tree on the page: a tree for the keyboard and for screen readers, as WAI-ARIA has them. */
import { byId, element, reconcile, setName, setText } from './dom.js';
import { age, count } from './format.js';
import { keyOf } from './tree.js';

/** How long a restart is to be seen. */
const flashMs = 3000;

export class TreeView {
  #tree;
  #changed;
  #chosen;
  /** @type {any[]} */
  #rows = [];
  /** The row that has, or had, the focus. */
  #current = '';
  #selected = '';
  /** By key of the rows: what they were like, to notice restarts. @type {Map<string, { pid: string | null, restarts: number }>} */
  #former = new Map();
  /** By key: until when a row flashes. @type {Map<string, number>} */
  #flashing = new Map();

  /** `changed`: the user has opened something, ask for it; `chosen(actor)`: the user wants to see an actor. */
  constructor(tree, changed, chosen) {
    this.#tree = tree;
    this.#changed = changed;
    this.#chosen = chosen;
    byId('tree').addEventListener('keydown', (event) => this.#key(event));
    byId('tree').addEventListener('focusin', ({ target }) => {
      if (target instanceof HTMLElement && target.dataset.key) this.#makeCurrent(target.dataset.key);
    });
  }

  /** Draws attention to the actor at that path of crash reports (with the name of the root), or the nearest one that is shown. */
  flash(node, path) {
    const ids = path.split('/').slice(1);
    for (; ; ids.pop()) {
      const key = keyOf(node, ids.join('/'));
      if (this.#rows.some((row) => row.key === key)) return this.#flashing.set(key, performance.now() + flashMs);
      if (ids.length === 0) return;
    }
  }

  /** @param {string[]} nodes */
  show(nodes) {
    this.#rows = this.#tree.rows(nodes);
    this.#noticeRestarts();
    if (!this.#rows.some(({ key }) => key === this.#current)) this.#current = this.#rows[0]?.key ?? '';
    reconcile(
      byId('tree'),
      this.#rows,
      ({ key }) => key,
      (row) => this.#make(row),
      (made, row) => this.#fill(made, row),
    );
  }

  #noticeRestarts() {
    const now = performance.now();
    const present = new Map();
    for (const { type, key, actor, unique } of this.#rows) {
      if (type !== 'actor') continue;
      const former = this.#former.get(key);
      if (former && unique && (actor.restarts > former.restarts || (former.pid && actor.pid !== former.pid))) {
        this.#flashing.set(key, now + flashMs);
      }
      present.set(key, { pid: actor.pid, restarts: actor.restarts });
    }
    this.#former = present;
    for (const [key, until] of this.#flashing) if (until < now) this.#flashing.delete(key);
  }

  // --- rows

  #make(row) {
    const made = element('div', `row ${row.type}`);
    made.setAttribute('role', 'treeitem');
    made.dataset.key = row.key;
    if (row.type === 'actor') {
      const twisty = element('span', 'twisty');
      const title = element('span', 'title', twisty, element('span', 'id'), element('span', 'about'));
      made.append(title, element('span', 'status', element('span', 'chip')));
      for (const name of ['number', 'number peak', 'number restarts', 'number age']) made.append(element('span', name));
    }
    made.addEventListener('click', (event) => {
      this.#focus(row.key);
      const onTwisty = event.target instanceof Element && event.target.classList.contains('twisty');
      if (onTwisty) this.#toggle(row.key);
      else this.#act(row.key);
    });
    return made;
  }

  #fill(made, row) {
    made.tabIndex = row.key === this.#current ? 0 : -1;
    made.setAttribute('aria-level', String(row.level));
    made.style.setProperty('--level', String(row.level - 1));
    if (row.type === 'problem') return setText(made, row.text);
    if (row.type === 'more') return this.#fillMore(made, row);
    const { actor, name, isParent, isOpen } = row;
    made.setAttribute('aria-posinset', String(row.place));
    made.setAttribute('aria-setsize', String(row.places));
    made.setAttribute('aria-selected', String(row.key === this.#selected));
    if (isParent) made.setAttribute('aria-expanded', String(isOpen));
    made.classList.toggle('flash', this.#flashing.has(row.key));
    const [title, status, length, peak, restarts, old] = made.children;
    title.firstElementChild.textContent = isParent ? (isOpen ? '▾' : '▸') : '';
    setName(title.children[1], name);
    setName(title.children[2], aboutOf(row));
    status.firstElementChild.dataset.state = actor.status;
    setText(status.firstElementChild, actor.status);
    setText(length, actor.mailbox ? count(actor.mailbox.length) : '');
    length.classList.toggle('busy', actor.mailbox?.length > 0);
    setText(peak, actor.mailbox ? count(actor.mailbox.peak) : '');
    setText(restarts, count(actor.restarts));
    restarts.classList.toggle('some', actor.restarts > 0);
    setText(old, actor.ageMs === undefined ? '' : age(actor.ageMs));
  }

  #fillMore(made, { shown, count: all, canMore }) {
    const rest = canMore ? 'show 100 more' : 'order by mailbox to see the fullest';
    setText(made, `${count(shown)} of ${count(all)} shown – ${rest}`);
  }

  // --- what the user does

  #focus(key) {
    for (const row of byId('tree').children) {
      if (row instanceof HTMLElement && row.dataset.key === key) row.focus();
    }
  }

  /** The one line of the tree that the tabulator stops at. */
  #makeCurrent(key) {
    this.#current = key;
    for (const row of byId('tree').children) {
      if (row instanceof HTMLElement) row.tabIndex = row.dataset.key === key ? 0 : -1;
    }
  }

  #act(key) {
    const row = this.#rows.find((candidate) => candidate.key === key);
    if (row?.type === 'more' && row.canMore) {
      this.#tree.more(row.parent);
      this.#changed();
    } else if (row?.type === 'actor') {
      this.#selected = key;
      for (const made of byId('tree').children) {
        if (made instanceof HTMLElement) made.setAttribute('aria-selected', String(made.dataset.key === key));
      }
      this.#chosen(row);
    }
  }

  #toggle(key) {
    const row = this.#rows.find((candidate) => candidate.key === key);
    if (!row?.isParent) return;
    if (row.isOpen) this.#tree.close(key);
    else this.#tree.open(row.node, row.path);
    this.#changed();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const at = this.#rows.findIndex(({ key }) => key === this.#current);
    const row = this.#rows[at];
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const go = (index) => this.#rows[index] && this.#focus(this.#rows[index].key);
    const deeds = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      Home: () => go(0),
      End: () => go(this.#rows.length - 1),
      Enter: () => this.#act(row.key),
      ' ': () => this.#act(row.key),
      ArrowRight: () => (row.isOpen ? go(at + 1) : this.#toggle(row.key)),
      ArrowLeft: () => {
        if (row.isOpen) return this.#toggle(row.key);
        go(this.#rows.findLastIndex(({ level }, i) => i < at && level < row.level));
      },
    };
    if (!Object.hasOwn(deeds, event.key)) return;
    event.preventDefault();
    deeds[event.key]();
  }
}

/** What distinguishes an actor from its siblings. */
function aboutOf({ actor, path, unique }) {
  if (actor.strategy) {
    const where = actor.partitions ? ` in ${count(actor.partitions)} partitions` : '';
    const parts = [`${actor.strategy} of ${count(actor.count)}${where}`];
    const { used, allowed } = actor.intensity;
    if (used > 0) parts.push(`${used} of ${allowed} restarts`);
    if (path === '') parts.unshift(actor.id);
    return parts.join(' · ');
  }
  if (!unique) return actor.pid ?? '';
  return actor.lastExit ? `last: ${actor.lastExit.reason.split('\n')[0]}` : '';
}
