/** What happened too often to be told one by one: counted, and told in one line with the time since when. */

export class Tally {
  #from: number | null = null;
  readonly #groups = new Map<string, Map<string, number>>();

  /** Time of the first thing counted since the last `take`; null: nothing was. */
  get from(): number | null {
    return this.#from;
  }

  add(at: number, group: string, what: string, count = 1): void {
    this.#from ??= at;
    let counts = this.#groups.get(group);
    if (counts === undefined) {
      counts = new Map();
      this.#groups.set(group, counts);
    }
    counts.set(what, (counts.get(what) ?? 0) + count);
  }

  /** Everything since the last time, in the order of the names: `group: 3 these, 4 those; group: ...`. */
  take(): string {
    const byName = ([left]: [string, unknown], [right]: [string, unknown]): number => (left < right ? -1 : 1);
    const groups = [...this.#groups].sort(byName).map(([group, counts]) => {
      const parts = [...counts].sort(byName).map(([what, count]) => `${count} ${what}`);
      return `${group}: ${parts.join(', ')}`;
    });
    this.#groups.clear();
    this.#from = null;
    return groups.join('; ');
  }
}
