/**
 * First in, first out, each in constant time. An array's `shift` moves all that is left once it is long (some ten thousand
 * entries in V8), so a join that sends its replica a hundred thousand turns ahead would take time by their square.
 */
export class Fifo<T> {
  #entries: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** The one that has waited longest; undefined when there is none. */
  get first(): T | undefined {
    return this.#entries[this.#head];
  }

  push(entry: T): void {
    this.#entries.push(entry);
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const first = this.#entries[this.#head];
    this.#entries[this.#head++] = undefined;
    // Half of it at a time: each entry is moved once on average.
    if (this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }

  clear(): void {
    this.#entries = [];
    this.#head = 0;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let index = this.#head; index < this.#entries.length; index++) yield this.#entries[index] as T;
  }
}
