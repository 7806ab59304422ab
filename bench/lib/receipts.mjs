/** What one client has had of a numbered series, from 1 on, however it comes. */
const [once, late, again] = [1, 2, 3];

export class Receipts {
  /** The highest number so far. */
  last = 0;
  /** Numbers that have come exactly once, and after all lower ones that ever came. */
  exact = 0;
  /** Numbers that have come more than once. */
  doubled = 0;
  /** Numbers that have come at all. */
  different = 0;
  #states = [];

  has(number) {
    return this.#states[number] !== undefined;
  }

  take(number) {
    const before = this.#states[number];
    if (before === undefined) {
      this.different += 1;
      if (number > this.last) this.exact += 1;
      this.#states[number] = number > this.last ? once : late;
      this.last = Math.max(this.last, number);
    } else if (before !== again) {
      if (before === once) this.exact -= 1;
      this.doubled += 1;
      this.#states[number] = again;
    }
  }
}
