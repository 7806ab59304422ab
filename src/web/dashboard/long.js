/** Values of any length, of which the beginning is shown, and more if the user wants. What was opened stays open while it is shown. */
import { element, setText } from './dom.js';
import { few, fewCharacters, jsonText, lengthOf, many, shown } from './text.js';

/** A button that says what it does, and whether it has been done. */
function opener(toggle) {
  const button = element('button', 'quiet more');
  button.setAttribute('type', 'button');
  button.addEventListener('click', toggle);
  return button;
}

/** A value of JSON that changes now and then; where the user has scrolled to, and what is selected, stays. */
export class JsonView {
  element;
  #value;
  #isOpen = false;
  #text = element('pre', 'json');
  #button = opener(() => {
    this.#isOpen = !this.#isOpen;
    this.show(this.#value);
  });

  constructor() {
    this.element = element('div', '', this.#text, this.#button);
  }

  show(value) {
    this.#value = value;
    const { text, isCut } = jsonText(value, this.#isOpen ? many : few);
    // It is cut already.
    if (this.#text.textContent !== text) this.#text.textContent = text;
    this.#button.hidden = !isCut && !this.#isOpen;
    setText(this.#button, this.#isOpen ? 'Show less' : 'Show more');
  }
}

/** A text in an element of its own. */
class LongText {
  #element;
  #most;
  #text;
  #isOpen = false;

  constructor(parent, most) {
    this.#element = parent;
    this.#most = most;
  }

  show(text) {
    if (text === this.#text) return;
    this.#text = text;
    this.#draw();
  }

  #draw() {
    const text = this.#text;
    const isLong = text.length > this.#most;
    const parts = breakable(shown(text, this.#isOpen ? many.characters : this.#most));
    if (isLong) {
      const button = opener(() => {
        this.#isOpen = !this.#isOpen;
        this.#draw();
      });
      setText(button, this.#isOpen ? 'Show less' : `Show all ${lengthOf(text)}`);
      parts.push(' ', button);
    }
    this.#element.replaceChildren(...parts);
  }
}

/** @type {WeakMap<Element, LongText>} */
const texts = new WeakMap();

/** Shows a text of any length in an element. */
export function setLong(parent, text, most = fewCharacters) {
  const long = texts.get(parent) ?? new LongText(parent, most);
  texts.set(parent, long);
  long.show(text);
}

/** A text (a path, often) that may go on in the next line behind each of its slashes; a very long one breaks anywhere. */
function breakable(text) {
  if (text.length > 2 * fewCharacters) return [text];
  return text.split(/(?<=\/)/).flatMap((part) => [part, element('wbr', '')]);
}
