/** Lists of terms and what they are. */
import { element, reconcile } from './dom.js';
import { setLong } from './long.js';

/** Makes a list show these pairs, without those that have no value. What the user has opened in it stays open. */
export function setFacts(list, pairs) {
  const known = pairs.filter(([, value]) => value !== undefined && value !== null && value !== '');
  reconcile(
    list,
    known,
    ([term]) => term,
    ([term]) => element('div', '', element('dt', '', term), element('dd', '')),
    (made, [, value]) => setLong(made.lastElementChild, String(value)),
  );
}

/** A list for them. */
export const facts = () => element('dl', 'facts');
