/** Virtual time and the one source of randomness of a rig. */

/** mulberry32: uniform in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Event {
  at: number;
  order: number;
  run: () => void;
}

export class VirtualTime {
  now = 1000;
  readonly random: () => number;
  #order = 0;
  /** A binary heap: by time, then by the order of asking. */
  readonly #heap: Event[] = [];

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  after(delayMs: number, run: () => void): void {
    const event = { at: this.now + Math.max(0, delayMs), order: this.#order++, run };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isEarlier(event, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  /** Runs for so long, or until `done` says so. Returns whether it did. */
  run(durationMs: number, done: () => boolean = () => false): boolean {
    const until = this.now + durationMs;
    while (this.#heap.length > 0 && this.#heap[0]!.at <= until) {
      if (done()) return true;
      const event = this.#pop();
      this.now = Math.max(this.now, event.at);
      event.run();
    }
    if (done()) return true;
    this.now = until;
    return false;
  }

  #pop(): Event {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isEarlier(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isEarlier(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isEarlier(left: Event, right: Event): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}
