/**
 * The order in which timers fall due: by due time, then by the order of their (re)starting.
 *
 * A binary heap in which each entry knows its place, so that programs which set and clear a timeout for every
 * message (firmata-io does) leave nothing behind.
 */
export interface HeapEntry {
  dueUs: number;
  /** Order of starting, unique. */
  sequence: number;
  /** Place in the heap; -1: not in it. Kept by the heap. */
  place: number;
}

export class TimerHeap<T extends HeapEntry> {
  #entries: T[] = [];

  get first(): T | undefined {
    return this.#entries[0];
  }

  get size(): number {
    return this.#entries.length;
  }

  add(entry: T): void {
    entry.place = this.#entries.length;
    this.#entries.push(entry);
    this.#rise(entry.place);
  }

  /** Does nothing when the entry is not in the heap. */
  remove(entry: T): void {
    const place = entry.place;
    if (place < 0) return;
    entry.place = -1;
    const last = this.#entries.pop()!;
    if (last === entry) return;
    this.#put(last, place);
    this.#rise(place);
    this.#sink(last.place);
  }

  #put(entry: T, place: number): void {
    this.#entries[place] = entry;
    entry.place = place;
  }

  #rise(from: number): void {
    let place = from;
    const entry = this.#entries[place]!;
    while (place > 0) {
      const parentPlace = (place - 1) >> 1;
      const parent = this.#entries[parentPlace]!;
      if (!comesBefore(entry, parent)) break;
      this.#put(parent, place);
      place = parentPlace;
    }
    this.#put(entry, place);
  }

  #sink(from: number): void {
    let place = from;
    const entry = this.#entries[place]!;
    for (;;) {
      let childPlace = place * 2 + 1;
      if (childPlace >= this.#entries.length) break;
      const right = this.#entries[childPlace + 1];
      if (right !== undefined && comesBefore(right, this.#entries[childPlace]!)) childPlace += 1;
      const child = this.#entries[childPlace]!;
      if (!comesBefore(child, entry)) break;
      this.#put(child, place);
      place = childPlace;
    }
    this.#put(entry, place);
  }
}

function comesBefore(one: HeapEntry, other: HeapEntry): boolean {
  return one.dueUs < other.dueUs || (one.dueUs === other.dueUs && one.sequence < other.sequence);
}
