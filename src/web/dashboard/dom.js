/**
 * What the page does with the document. Whatever came from clients or a configuration is set as text, never as markup, and only
 * as much of it as text.js shows.
 */
import { shown } from './text.js';

/** @param {string} id */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * @param {string} tag
 * @param {string} [className]
 * @param {...(string | Node)} content
 */
export function element(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content.map((part) => (typeof part === 'string' ? shown(part) : part)));
  return made;
}

/** Sets a text, but touches the document only if it is another one. */
export function setText(node, text, most = undefined) {
  const wanted = shown(text, most);
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Sets a text that may have too little room: what there is more of it comes when it is pointed at. */
export function setName(node, text) {
  setText(node, text);
  const whole = shown(text, 1000);
  if (node.title !== whole) node.title = whole;
}

/** @type {WeakMap<Element, Map<string, HTMLElement>>} */
const children = new WeakMap();

/**
 * Makes the children of an element those of a list: keeps the ones that are there already (and with them focus and what is
 * open), makes new ones, removes the others.
 */
export function reconcile(parent, items, keyOf, make, update) {
  const present = children.get(parent) ?? new Map();
  const wanted = new Map(items.map((item) => [keyOf(item), item]));
  const focused = document.activeElement;
  for (const [key, child] of present) {
    if (wanted.has(key)) continue;
    child.remove();
    present.delete(key);
  }
  let at = parent.firstElementChild;
  for (const [key, item] of wanted) {
    let child = present.get(key);
    if (!child) {
      child = make(item);
      present.set(key, child);
    }
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
    update(child, item);
  }
  children.set(parent, present);
  // An element that is moved loses the focus.
  if (focused instanceof HTMLElement && focused !== document.activeElement && parent.contains(focused)) focused.focus();
}

/** A group of radio buttons. Calls `chosen` with the value when the user chooses another one. */
export function choice(id, value, chosen) {
  for (const button of byId(id).querySelectorAll('input')) {
    button.checked = button.value === value;
    button.addEventListener('change', () => chosen(button.value));
  }
}
