/** Lists of which the first are shown, and all of them when the user wants: none has a scroll bar of its own that cuts its rows. */
import { byId, setText } from './dom.js';

export class Few {
  #button;
  #most;
  #isWhole = false;

  /** `redraw` is called when the user wants to see all, or few again. @param {string} button its id */
  constructor(button, most, redraw) {
    this.#button = byId(button);
    this.#most = most;
    this.#button.addEventListener('click', () => {
      this.#isWhole = !this.#isWhole;
      redraw();
    });
  }

  /** What is to be shown of a list. @template Item @param {Item[]} items */
  of(items) {
    const rest = items.length - this.#most;
    this.#button.hidden = rest <= 0;
    setText(this.#button, this.#isWhole ? 'Show fewer' : `Show ${rest} more`);
    return this.#isWhole ? items : items.slice(0, this.#most);
  }
}
