/** What can be done to a pair: by a key or by the script, with the same means. */
import { boardNames, cableNames, type PairRig } from './pair-rig.ts';

const thawAfterMs = 3000;

export class Faults {
  readonly #rig: PairRig;
  #thaw: NodeJS.Timeout | null = null;

  constructor(rig: PairRig) {
    this.#rig = rig;
  }

  /** Does what the key stands for and says what it did; null: no key of ours. */
  press(key: string): string | null {
    switch (key) {
      case 'k':
        return this.#atPrimary('kill', (primary) => this.#rig.kill(primary));
      case 'f':
        return this.#atPrimary('freeze', (primary) => {
          this.#rig.freeze(primary);
          this.#thaw = setTimeout(() => this.thaw(), thawAfterMs);
        });
      case 's':
        return this.#cut('serial');
      case 'e':
        return this.#cut('ethernet');
      case 'b':
        return `${this.#cut('serial')}; ${this.#cut('ethernet')}`;
      case 'r':
        return this.repair() ? 'repaired' : 'nothing is broken';
      case 'w':
        return this.#rig.isProtected()
          ? this.#atPrimary('switch over from', () => this.#rig.switchover())
          : 'no switchover: there is no backup that could take over';
      default:
        return null;
    }
  }

  #atPrimary(verb: string, act: (primary: 'a' | 'b') => void): string {
    const primary = this.#rig.primary();
    if (primary === null) return `nothing to ${verb}: no board is in control`;
    act(primary);
    return `${verb} board ${primary.toUpperCase()}`;
  }

  #cut(cable: 'serial' | 'ethernet'): string {
    const name = cable === 'serial' ? 'serial' : 'Ethernet';
    if (this.#rig.cables[cable] === 'cut') return `the ${name} cable is cut already`;
    this.#rig.cut(cable);
    return `cut the ${name} cable`;
  }

  thaw(): void {
    if (this.#thaw !== null) clearTimeout(this.#thaw);
    this.#thaw = null;
    for (const name of boardNames) if (this.#rig.boards[name].frozen) this.#rig.thaw(name);
  }

  /** Cables up, frozen boards thawed, dead ones started. True if anything was broken. */
  repair(): boolean {
    const broken =
      cableNames.some((cable) => this.#rig.cables[cable] === 'cut') ||
      boardNames.some((name) => this.#rig.boards[name].frozen || !this.#rig.boards[name].running);
    for (const cable of cableNames) this.#rig.restore(cable);
    this.thaw();
    for (const name of boardNames) if (!this.#rig.boards[name].running) this.#rig.restart(name);
    return broken;
  }

  stop(): void {
    if (this.#thaw !== null) clearTimeout(this.#thaw);
  }
}
