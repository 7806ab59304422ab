/**
 * The answers to hooks by their `Idempotency-Key`: a call that is repeated gets the answer of the first one, and has no second
 * effect. What comes later than the last `maxAnswers` calls, or `maxSize` of their answers, is not recognised any more.
 */
const maxAnswers = 10_000;
const maxSize = 16_000_000; // characters

export class Answers {
  #kept = new Map(); // key -> { answer: promise of text, size }, oldest first
  #size = 0;

  /**
   * The answer to the call with this key: what `make` resolves with, which is called once, even if two calls come at the same
   * time. If it fails, nothing is kept: a repetition is a new attempt.
   */
  async once(key, make) {
    const known = this.#kept.get(key);
    if (known) return known.answer;
    const entry = { answer: make(), size: 0 };
    this.#kept.set(key, entry);
    try {
      const text = await entry.answer;
      if (this.#kept.get(key) === entry) this.#grow(entry, text.length);
      return text;
    } catch (error) {
      this.#drop(key, entry);
      throw error;
    }
  }

  #grow(entry, size) {
    entry.size = size;
    this.#size += size;
    for (const [key, oldest] of this.#kept) {
      if (this.#kept.size <= maxAnswers && this.#size <= maxSize) return;
      this.#drop(key, oldest);
    }
  }

  #drop(key, entry) {
    if (this.#kept.get(key) !== entry) return;
    this.#kept.delete(key);
    this.#size -= entry.size;
  }
}
