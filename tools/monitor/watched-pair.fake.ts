/** A pair as the monitor sees it, some seconds long: board a leads, b follows, then whatever a test adds. */
import type { ConsoleItem } from '../../firmware-host/console/console-schema.ts';
import { event, hello, link, status, told, wallTimeMs } from './console-items.fake.ts';
import type { MonitorModel } from './model.ts';
import { PairWatch } from './watch.ts';

/** How far the boards' clocks are from ours. */
export const zero = { a: 50_000, b: 900_000 };

export class WatchedPair {
  readonly watch = new PairWatch(['/dev/ttyUSB0', '/dev/ttyUSB1']);
  now = 0;
  #received = 1000;

  constructor() {
    for (const [port, board] of (['a', 'b'] as const).entries()) {
      this.watch.phase(0, port, 'opening', 'opens the port');
      this.watch.phase(0, port, 'live', 'attached');
      this.watch.item(1, port, hello(board, zero[board]));
      this.watch.roundTrip(board, 0, zero[board] + 0.5, 1);
    }
    const b = (index: number, atMs: number, code: string, text: string): void =>
      this.watch.item(1, 1, told('b', event(index, zero.b + atMs, code, text)));
    const a = (index: number, atMs: number, code: string, text: string): void =>
      this.watch.item(1, 0, told('a', event(index, zero.a + atMs, code, text)));
    a(1, -9000, 'PAIR_CLAIM', 'cold start: asking the device for term 3 (cold-start)');
    a(2, -8988, 'PAIR_PRIMARY', 'primary of term 3 (cold-start)');
    b(1, -8100, 'PAIR_FOLLOWING', 'joining');
    b(2, -8000.2, 'PAIR_BACKUP', 'backup of term 3');
    a(3, -8000, 'PAIR_PROTECTED', 'the backup has every turn');
  }

  /** Statuses ten times a second, one turn a millisecond; b's program is 8 turns behind. `changed`: null for a silent board. */
  run(untilMs: number, changed: Partial<Record<'a' | 'b', object | null>> = {}): this {
    for (; this.now <= untilMs; this.now += 100) {
      this.#received += 10;
      const links = [
        link('ethernet', { received: this.#received }),
        link('serial', { received: this.#received >> 1 }),
      ];
      const turns = 12_000 + this.now;
      const a = { turns, executedTurns: turns, releasedTurns: turns, links };
      const b = { turns, executedTurns: turns - 8, lagTurns: 8, links };
      if (changed.a !== null) this.say(0, status('a', zero.a + this.now, { ...a, ...changed.a }));
      if (changed.b !== null) this.say(1, status('b', zero.b + this.now, { ...b, ...changed.b }));
    }
    return this;
  }

  say(port: number, item: ConsoleItem): void {
    this.watch.item(this.now + 0.5, port, item);
  }

  get model(): MonitorModel {
    return this.watch.model(this.now, wallTimeMs + this.now);
  }
}
