/** The last crashes of all nodes that are shown, and handlers that never returned. Asked for only when there are new ones. */
import { get } from './api.js';
import { breakable, byId, element, facts, reconcile, setText } from './dom.js';
import { age, count } from './format.js';

const mostShown = 64;

export class Crashes {
  /** Reports and handlers by node, with the count at which they were asked for. @type {Map<string, { count: number, asked: number, reports: any[] }>} */
  #crashes = new Map();
  /** @type {Map<string, any[]>} */
  #abandoned = new Map();
  #told;
  #first = true;

  /** `told(node, report)` hears of each crash that is new. */
  constructor(told) {
    this.#told = told;
  }

  /** @param {Map<string, import('./samples.js').Sample>} samples by node, of those that are shown */
  async ask(samples) {
    for (const [node, { crashes, abandoned }] of samples) {
      const known = this.#crashes.get(node);
      if (crashes !== (known?.count ?? 0)) {
        const { crashes: reports } = await get('crashes', { node });
        if (!this.#first) this.#tellNew(node, reports, known?.reports[0]);
        this.#crashes.set(node, { count: crashes, asked: performance.now(), reports: reports.slice(0, mostShown) });
      }
      if (abandoned > 0) this.#abandoned.set(node, (await get('abandoned', { node })).abandoned);
      else this.#abandoned.delete(node);
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

  /** @param {string[]} nodes */
  show(nodes) {
    // The clocks of the nodes and of this machine may differ.
    const now = performance.now();
    const all = nodes.flatMap((node) => {
      const { reports = [], asked = 0 } = this.#crashes.get(node) ?? {};
      return reports.map((report) => ({ node, report, agoMs: report.agoMs + now - asked }));
    });
    const shown = all.sort((a, b) => a.agoMs - b.agoMs).slice(0, mostShown);
    byId('no-crashes').hidden = shown.length > 0;
    reconcile(byId('crashes'), shown, keyOf, crash, (made, { agoMs }) => {
      setText(made.querySelector('time'), `${age(agoMs)} ago`);
    });
    const handlers = nodes.flatMap((node) => (this.#abandoned.get(node) ?? []).map((handler) => ({ node, handler })));
    byId('abandoned-part').hidden = handlers.length === 0;
    reconcile(
      byId('abandoned'),
      handlers.slice(0, mostShown),
      ({ handler }) => handler.pid,
      abandoned,
      (made, { handler }) => setText(made.querySelector('time'), `for ${age(handler.ageMs)}`),
    );
  }
}

function keyOf({ node, report }) {
  return `${node} ${report.at} ${report.pid}`;
}

function crash({ node, report }) {
  const [reason] = report.reason.split('\n');
  const summary = element(
    'summary',
    '',
    element('b', 'mono', report.label),
    element('span', 'reason', reason),
    element('span', 'where', node),
    element('time', ''),
  );
  const made = element(
    'details',
    'crash',
    summary,
    facts([
      ['When', new Date(report.at).toLocaleString()],
      ['Address', report.pid],
      ['Path', breakable(report.path)],
      ['Reason', report.reason],
      ['Last message', report.lastMessage],
      ['Mailbox', `${count(report.mailbox)} waiting`],
      ['Age', age(report.ageMs)],
      ['Restarts before', count(report.restarts)],
    ]),
  );
  if (report.stack) made.append(element('pre', 'json', report.stack));
  return made;
}

function abandoned({ node, handler }) {
  return element(
    'li',
    'handler',
    element('b', 'mono', handler.label),
    element('span', 'reason', `${handler.lastMessage ?? ''} · ${handler.pid}`),
    element('span', 'where', node),
    element('time', ''),
  );
}
