/** The last crashes of all nodes that are shown, and handlers that never returned. Asked for only when there are new ones. */
import { get, Refused } from './api.js';
import { byId, element, reconcile, setName, setText } from './dom.js';
import { facts, setFacts } from './facts.js';
import { Few } from './few.js';
import { age, count } from './format.js';
import { setLong } from './long.js';

const mostShown = 64;
const mostOfStack = 5000;
const fewShown = 10;
const noCrash =
  'No actor has crashed. Should one do so, its report appears here: where it was, why, and what it was doing.';

export class Crashes {
  /** Reports and handlers by node, with the count at which they were asked for. @type {Map<string, { count: number, asked: number, reports: any[] }>} */
  #crashes = new Map();
  /** @type {Map<string, any[]>} */
  #abandoned = new Map();
  #told;
  #first = true;
  #redraw = () => {};
  #few = new Few('all-crashes', fewShown, () => this.#redraw());
  #fewAbandoned = new Few('all-abandoned', fewShown, () => this.#redraw());

  /** `told(node, report)` hears of each crash that is new. */
  constructor(told) {
    this.#told = told;
  }

  /** @param {Map<string, import('./samples.js').Sample>} samples by node, of those that are shown */
  async ask(samples) {
    for (const [node, { crashes, abandoned }] of samples) {
      const known = this.#crashes.get(node);
      try {
        if (crashes !== (known?.count ?? 0)) {
          const { crashes: reports } = await get('crashes', { node });
          if (!this.#first) this.#tellNew(node, reports, known?.reports[0]);
          this.#crashes.set(node, { count: crashes, asked: performance.now(), reports: reports.slice(0, mostShown) });
        }
        if (abandoned > 0) this.#abandoned.set(node, (await get('abandoned', { node })).abandoned);
        else this.#abandoned.delete(node);
      } catch (error) {
        // That node, of several, has just stopped answering: the next round has it among the missing.
        if (!(error instanceof Refused) || error.status === 401) throw error;
      }
    }
    this.#first = false;
  }

  #tellNew(node, reports, newest) {
    const last = newest ? keyOf({ node, report: newest }) : undefined;
    for (const report of reports) {
      if (keyOf({ node, report }) === last) return;
      this.#told(node, report);
    }
  }

  /** @param {string[]} nodes @param {boolean} isSilent the node that should be shown does not answer */
  show(nodes, isSilent) {
    this.#redraw = () => this.show(nodes, isSilent);
    // The clocks of the nodes and of this machine may differ.
    const now = performance.now();
    const all = nodes.flatMap((node) => {
      const { reports = [], asked = 0 } = this.#crashes.get(node) ?? {};
      return reports.map((report) => ({ node, report, agoMs: report.agoMs + now - asked }));
    });
    const shown = all.sort((a, b) => a.agoMs - b.agoMs).slice(0, mostShown);
    byId('no-crashes').hidden = shown.length > 0;
    setText(byId('no-crashes'), isSilent ? 'This node does not answer.' : noCrash);
    reconcile(byId('crashes'), this.#few.of(shown), keyOf, crash, (made, { agoMs }) => {
      setText(made.querySelector('time'), `${age(agoMs)} ago`);
    });
    const handlers = nodes.flatMap((node) => (this.#abandoned.get(node) ?? []).map((handler) => ({ node, handler })));
    byId('abandoned-part').hidden = handlers.length === 0;
    reconcile(
      byId('abandoned'),
      this.#fewAbandoned.of(handlers.slice(0, mostShown)),
      ({ handler }) => handler.pid,
      abandoned,
      (made, { handler }) => setText(made.querySelector('time'), `for ${age(handler.ageMs)}`),
    );
  }
}

function keyOf({ node, report }) {
  return `${node} ${report.at} ${report.pid}`;
}

/** A line of a list: who, why, on which node, and a time that is set later. */
function line(tag, className, label, reason, node) {
  const made = element(tag, className);
  for (const [name, text] of [
    ['mono label', label],
    ['reason', reason],
    ['where', node],
  ]) {
    const part = element('span', name);
    setName(part, text);
    made.append(part);
  }
  made.append(element('time'));
  return made;
}

function crash({ node, report }) {
  const made = element('details', 'crash', line('summary', '', report.label, report.reason.split('\n')[0], node));
  const list = facts();
  made.append(list);
  setFacts(list, [
    ['When', new Date(report.at).toLocaleString()],
    ['Address', report.pid],
    ['Path', report.path],
    ['Reason', report.reason],
    ['Last message', report.lastMessage],
    ['Mailbox', `${count(report.mailbox)} waiting`],
    ['Age', age(report.ageMs)],
    ['Restarts before', count(report.restarts)],
  ]);
  if (!report.stack) return made;
  const stack = element('pre', 'json');
  setLong(stack, report.stack, mostOfStack);
  made.append(stack);
  return made;
}

function abandoned({ node, handler }) {
  return line('li', 'handler', handler.label, `${handler.lastMessage ?? ''} · ${handler.pid}`, node);
}
