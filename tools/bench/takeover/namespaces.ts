/**
 * Two boards and the switch between them, as network namespaces: keepalived needs a network of its own for each.
 *
 *     a: us0 (10.77.0.2) --veth-- switch: bridge --veth-- b: us0 (10.77.0.3)
 *
 * With a switch in between, a board that is cut off goes silent, and the other one keeps its carrier. The names hold the
 * pid of who made them, so that what a killed bench has left is found and removed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import type { BoardName } from '../../../hil-tests/rigs/local/rig-contract.ts';
import { programFound } from './program-found.ts';

const prefix = 'us-bench-';
const namespaceFolder = '/run/netns';
export const boardInterface = 'us0';
export const addresses: Record<BoardName, string> = { a: '10.77.0.2', b: '10.77.0.3' };

/** On the switch. */
const portOf = (board: BoardName): string => `board-${board}`;

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Null, or why this process may make none. */
export function namespacesMissing(): string | null {
  if (process.geteuid?.() !== 0) return 'network namespaces need root';
  return programFound('ip');
}

/** Of benches that are gone. */
function removeLeftOver(): void {
  if (!existsSync(namespaceFolder)) return;
  for (const name of readdirSync(namespaceFolder)) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) ip('netns', 'delete', name);
  }
}

let instances = 0;

export class Namespaces {
  readonly #number = instances++;
  readonly #made: string[] = [];

  nameOf(place: BoardName | 'switch'): string {
    return `${prefix}${process.pid}-${this.#number}-${place}`;
  }

  open(): void {
    removeLeftOver();
    // However this process ends, short of SIGKILL.
    process.once('exit', this.#close);
    for (const place of ['switch', 'a', 'b'] as const) {
      ip('netns', 'add', this.nameOf(place));
      this.#made.push(this.nameOf(place));
    }
    const bridge = this.nameOf('switch');
    ip('-n', bridge, 'link', 'add', 'bridge', 'type', 'bridge');
    ip('-n', bridge, 'link', 'set', 'bridge', 'up');
    for (const board of ['a', 'b'] as const) {
      const inside = this.nameOf(board);
      ip(
        '-n',
        bridge,
        'link',
        'add',
        'name',
        portOf(board),
        'type',
        'veth',
        'peer',
        'name',
        boardInterface,
        'netns',
        inside,
      );
      ip('-n', bridge, 'link', 'set', 'dev', portOf(board), 'master', 'bridge', 'up');
      ip('-n', inside, 'addr', 'add', `${addresses[board]}/24`, 'dev', boardInterface);
      ip('-n', inside, 'link', 'set', boardInterface, 'up');
      ip('-n', inside, 'link', 'set', 'lo', 'up');
    }
  }

  /** Takes the board's cable out of the switch. The board's own interface keeps its carrier. */
  cut(board: BoardName): void {
    ip('-n', this.nameOf('switch'), 'link', 'set', 'dev', portOf(board), 'nomaster');
  }

  restore(board: BoardName): void {
    ip('-n', this.nameOf('switch'), 'link', 'set', 'dev', portOf(board), 'master', 'bridge');
  }

  /** The interfaces go with their namespaces. */
  close(): void {
    process.off('exit', this.#close);
    this.#close();
  }

  readonly #close = (): void => {
    for (const name of this.#made.splice(0)) ip('netns', 'delete', name);
  };
}
