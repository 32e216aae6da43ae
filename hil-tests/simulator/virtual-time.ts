/** Virtual time: what is to happen, in order. Milliseconds since the life began. */

interface Entry {
  at: number;
  order: number;
  run: () => void;
}

export class VirtualTime {
  now = 0;
  #order = 0;
  /** A binary heap: by time, then by the order of asking. */
  readonly #heap: Entry[] = [];

  after(delayMs: number, run: () => void): void {
    this.at(this.now + (delayMs > 0 ? delayMs : 0), run);
  }

  at(at: number, run: () => void): void {
    const entry: Entry = { at, order: this.#order++, run };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent]!;
      // Of equal times the one that is there already is the earlier.
      if (above.at <= at) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  /** Runs up to that time, or until `done` says so. Returns whether it did. */
  runUntil(until: number, done?: () => boolean): boolean {
    const heap = this.#heap;
    while (heap.length > 0 && heap[0]!.at <= until) {
      if (done?.()) return true;
      const entry = this.#pop();
      if (entry.at > this.now) this.now = entry.at;
      entry.run();
    }
    if (until > this.now) this.now = until;
    return done?.() ?? false;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    const count = heap.length;
    if (count === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= count) break;
      if (child + 1 < count && isEarlier(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isEarlier(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isEarlier(left: Entry, right: Entry): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}

/**
 * One wish to be woken, of which the latest counts. Wishes change at every step and mostly move later, so a wake that
 * comes too early asks again, instead of every wish being an entry of its own.
 */
export class Alarm {
  readonly #time: VirtualTime;
  readonly #ring: () => void;
  #wishedAt = Number.POSITIVE_INFINITY;
  #entryAt = Number.POSITIVE_INFINITY;
  #generation = 0;

  constructor(time: VirtualTime, ring: () => void) {
    this.#time = time;
    this.#ring = ring;
  }

  set(at: number): void {
    this.#wishedAt = at;
    if (at >= this.#entryAt) return;
    this.#ask(at);
  }

  cancel(): void {
    this.#wishedAt = Number.POSITIVE_INFINITY;
  }

  #ask(at: number): void {
    this.#generation += 1;
    const generation = this.#generation;
    this.#entryAt = at;
    this.#time.at(at, () => {
      if (generation !== this.#generation) return;
      this.#entryAt = Number.POSITIVE_INFINITY;
      if (this.#wishedAt === Number.POSITIVE_INFINITY) return;
      if (this.#wishedAt > this.#time.now) {
        this.#ask(this.#wishedAt);
        return;
      }
      this.#wishedAt = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }
}
