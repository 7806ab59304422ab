/** The alarms that are set, of all nodes, whichever is shown. Asked for only while the metrics of a node say that there are some. */
import { get, Refused } from './api.js';
import { byId, element, reconcile, setName, setText } from './dom.js';
import { age, count, decimal, milliseconds, percent } from './format.js';

/** How values are written, by unit. */
const amounts = {
  share: percent,
  ms: milliseconds,
  messages: (value) => `${count(value)} messages`,
  number: decimal,
};

export class Alarms {
  /** By node. @type {Map<string, { asked: number, alarms: any[] }>} */
  #alarms = new Map();

  /** @param {Map<string, import('./samples.js').Sample>} samples by node, of all that have just answered */
  async ask(samples) {
    for (const node of this.#alarms.keys()) if (!samples.get(node)?.alarms) this.#alarms.delete(node);
    for (const [node, { alarms: set }] of samples) {
      if (set === 0) continue;
      try {
        const { alarms } = await get('alarms', { node });
        this.#alarms.set(node, { asked: performance.now(), alarms });
      } catch (error) {
        // That node has stopped answering since: the next round has it among the missing.
        if (!(error instanceof Refused) || error.status === 401) throw error;
      }
    }
  }

  /** @param {boolean} isSingle there is no other node */
  show(isSingle) {
    const now = performance.now();
    // The clocks of the nodes and of this machine may differ.
    const set = [...this.#alarms].flatMap(([node, { asked, alarms }]) =>
      alarms.map((alarm) => ({ node, alarm, ageMs: alarm.agoMs + now - asked })),
    );
    byId('alarms-part').hidden = set.length === 0;
    reconcile(
      byId('alarms'),
      set,
      ({ node, alarm }) => `${node} ${alarm.alarm}`,
      ({ node, alarm }) => line(node, alarm.alarm),
      (made, { alarm, ageMs }) => {
        const [where, , value, limit, time] = made.children;
        where.hidden = isSingle;
        const amount = amounts[alarm.unit] ?? decimal;
        setText(value, amount(alarm.value));
        setName(limit, `threshold ${amount(alarm.threshold)}${alarm.of === undefined ? '' : ` · ${alarm.of}`}`);
        setText(time, `for ${age(ageMs)}`);
      },
    );
  }
}

function line(node, name) {
  const where = element('span', 'where');
  setName(where, node);
  const parts = [
    where,
    element('span', 'chip', name),
    element('span', 'value'),
    element('span', 'limit'),
    element('time'),
  ];
  const made = element('li', '', ...parts);
  made.dataset.testid = `alarm ${node} ${name}`;
  return made;
}
