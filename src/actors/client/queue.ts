/** First in, first out, without moving what is in it at each turn. */
export class Queue<Item> {
  #items: (Item | undefined)[] = [];
  #head = 0;

  push(item: Item): void {
    this.#items.push(item);
  }

  get first(): Item | undefined {
    return this.#items[this.#head];
  }

  shift(): void {
    if (this.#head === this.#items.length) return;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    // Copies as many as were taken, at most: constant cost per item.
    if (this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  find(wanted: (item: Item) => boolean): Item | undefined {
    for (const item of this) if (wanted(item)) return item;
    return undefined;
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let at = this.#head; at < this.#items.length; at += 1) yield this.#items[at]!;
  }
}
