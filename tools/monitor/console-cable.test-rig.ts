/**
 * A console cable for tests: two names in a folder, one for the board and one for the monitor, that stay while the
 * pseudo-terminals behind them come and go, as `/dev/serial/by-id` does with an adapter.
 */
import { rmSync, symlinkSync } from 'node:fs';
import { openSerialCable, type SerialCable } from '../../hil-tests/rigs/local/serial-cable.ts';

export class ConsoleCable {
  readonly boardPath: string;
  readonly monitorPath: string;
  #cable: SerialCable | null = null;

  constructor(folder: string, name: string) {
    this.boardPath = `${folder}/tty-board-${name}`;
    this.monitorPath = `${folder}/tty-${name}`;
    this.plugIn();
  }

  plugIn(): void {
    if (this.#cable !== null) return;
    this.#cable = openSerialCable({ baudRate: 115_200 });
    symlinkSync(this.#cable.pathA, this.boardPath);
    symlinkSync(this.#cable.pathB, this.monitorPath);
  }

  pullOut(): void {
    if (this.#cable === null) return;
    rmSync(this.boardPath, { force: true });
    rmSync(this.monitorPath, { force: true });
    this.#cable.close();
    this.#cable = null;
  }
}
