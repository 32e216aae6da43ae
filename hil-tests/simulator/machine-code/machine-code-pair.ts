/**
 * The whole pair in virtual time before the machine code of the fenced board: the real supervisors, sessions, journals and replica
 * runtime (world.ts), whose device is the emulated Mega with the committed hex. The pins are watched by a ledger that knows nothing
 * of the stream.
 *
 * To be driven from a macrotask, as every life (life.ts).
 */
import type { Mega2560 } from '../../../boards/mega-2560/emulator/machine.ts';
import type { BoardStatus } from '../../../firmware-host/supervisor/status.ts';
import { assert } from '../../../protocol/assert.ts';
import { firmwareFor } from '../../rigs/local/emulated-firmware.ts';
import { type BoardName, boardNames, type Fault, otherBoard } from '../fault.ts';
import type { HistoryOfLife, Observed } from '../observation.ts';
import { quietNumbers } from '../quiet-pair.ts';
import { Random } from '../random.ts';
import type { DrawnNumbers } from '../swarm.ts';
import { World } from '../world.ts';
import { EmulatedDevice } from './emulated-device.ts';
import { inputPin, type LetteringOptions, letteringProgram, restPin } from './lettering-program.ts';
import { type Intent, intentOf, messagesOf, PinLedger } from './pin-ledger.ts';

const deviceName = 'machine';
export const holdTimeMs = 1000;
/** As a config file has them by default, but for a program that is restarted sooner. */
const numbers: Omit<DrawnNumbers, 'devices'> = {
  ...quietNumbers,
  detectionTimeoutMs: 200,
  holdTimeMs,
  waitForPeerMs: 500,
  lagTurnsMax: 2000,
  sendBufferBytesMax: 1_048_576,
};
const pollMs = 1;

export interface PairOptions {
  seed: number;
  program?: Partial<Omit<LetteringOptions, 'device'>>;
  numbers?: Partial<typeof numbers>;
  /** Instead of the committed hex. */
  firmware?: Uint8Array;
}

export interface PairReport {
  atMs: number;
  board: BoardName;
  code: string;
  text: string;
}

/** The story of one life, told against the pins. */
export interface PairEnd {
  histories: HistoryOfLife[];
  /** What one uninterrupted run of the program over the first history's records wrote. */
  intent: Intent;
  /** Levels of the input pin as the records gave them to the program, repeats included. */
  inputLevels: number[];
}

export class MachineCodePair {
  readonly world: World;
  readonly device: EmulatedDevice;
  readonly pins: PinLedger;
  readonly random: Random;
  readonly reports: PairReport[] = [];
  readonly attachments: { atMs: number; board: BoardName; term: number; session: number }[] = [];
  readonly sessions: number[] = [];
  /** Refused by the device because the term was old. */
  readonly stale: { atMs: number; board: BoardName; term: number; bytes: number }[] = [];
  /** Pieces of outputs that the device accepted, and from whom. */
  readonly accepted: { atMs: number; board: BoardName; term: number }[] = [];
  readonly portsLost: { atMs: number; board: BoardName }[] = [];
  /** What each board's program wrote, performing, whether or not it ever left the board. */
  readonly drawn: { atMs: number; board: BoardName; bytes: Uint8Array }[] = [];
  edgesApplied = 0;
  #isToggling = false;

  constructor(options: PairOptions) {
    const { seed, program, firmware } = options;
    this.random = new Random(`machine code/${seed}`);
    const code = firmware ?? committedFirmware();
    let built: EmulatedDevice | null = null;
    this.world = new World({
      ...numbers,
      ...options.numbers,
      random: this.random.stream('world'),
      program: letteringProgram({ device: deviceName, letterMs: 20, lettersPerMove: 8, ...program }),
      devices: [
        {
          name: deviceName,
          build: (surroundings) => {
            built = new EmulatedDevice({ program: code }, surroundings);
            return built;
          },
        },
      ],
      observe: (observed) => this.#observe(observed),
    });
    assert(built !== null, 'the world builds its devices');
    this.device = built;
    this.pins = new PinLedger(this.machine);
    this.machine.drive(inputPin, 0);
    this.machine.drive(restPin, 0);
  }

  get machine(): Mega2560 {
    return this.device.machine;
  }

  /** How often a board started the program afresh. */
  get historiesBegun(): number {
    return this.reports.filter(({ code }) => code === 'PROGRAM_STARTED').length;
  }

  get now(): number {
    return this.world.time.now;
  }

  #observe(observed: Observed): void {
    const atMs = observed.at;
    switch (observed.kind) {
      case 'report': {
        const { board, report } = observed;
        this.reports.push({ atMs, board, code: report.code, text: report.text });
        return;
      }
      case 'device-attached': {
        const { board, term, session } = observed;
        this.attachments.push({ atMs, board, term, session });
        return;
      }
      case 'device-output':
        this.accepted.push({ atMs, board: observed.board, term: observed.term });
        return;
      case 'device-session':
        this.sessions.push(observed.session);
        return;
      case 'device-stale':
        this.stale.push({ atMs, board: observed.board, term: observed.term, bytes: observed.bytes });
        return;
      case 'turn': {
        const { board, event } = observed;
        if (observed.mode !== 'perform') return;
        if (event?.kind === 'port-lost') this.portsLost.push({ atMs, board });
        for (const output of observed.outputs) {
          if (output.kind === 'write') this.drawn.push({ atMs, board, bytes: output.bytes });
        }
        return;
      }
      default:
    }
  }

  // ---------------------------------------------------------------- time

  run(ms: number): void {
    this.world.time.runUntil(this.now + ms);
  }

  /** Fails, with what the boards said last, when it does not come true. Returns how long it took. */
  until(what: string, condition: () => boolean, limitMs = 10_000): number {
    const from = this.now;
    while (!condition()) {
      if (this.now - from > limitMs) throw new Error(`within ${limitMs} ms: ${what}\n${this.story()}`);
      this.run(pollMs);
    }
    return this.now - from;
  }

  msOf(cycle: number): number {
    return (cycle / this.machine.clockHz) * 1000;
  }

  /**
   * Waits until the pins show nothing; returns how long after `since`, which is asked for at the end, the last one fell. They must show
   * something first.
   */
  untilSafe(limitMs: number, since: () => number): number {
    assert(this.pins.isShowing, 'pins that are low already cannot be seen to fall');
    this.until('safe pins', () => !this.pins.isShowing, limitMs);
    return this.pins.movedAtMs - since();
  }

  /** The last reports, for whoever has to find out why. */
  story(lines = 30): string {
    const told = this.reports.slice(-lines);
    return told
      .map(({ atMs, board, code, text }) => `${atMs.toFixed(1)} ${board} ${code} ${text}`)
      .join('\n');
  }

  // ---------------------------------------------------------------- boards

  status(board: BoardName): BoardStatus | null {
    const { supervisor, now } = this.world.boards[board];
    return supervisor?.status(now) ?? null;
  }

  /** The board that leads and may act: up, not frozen, holding the device; null: none or two. */
  get primary(): BoardName | null {
    const leading = boardNames.filter((name) => {
      const status = this.world.boards[name].isRunning ? this.status(name) : null;
      return status?.role === 'primary' && status.devices[0]!.attached;
    });
    return leading.length === 1 ? leading[0]! : null;
  }

  get isProtected(): boolean {
    const { primary } = this;
    if (primary === null || !this.status(primary)!.protected) return false;
    const backup = otherBoard(primary);
    return this.world.boards[backup].isRunning && this.status(backup)?.role === 'backup';
  }

  /** Both boards are one pair again and the program acts. */
  awaitProtected(limitMs = 10_000): number {
    const { length } = this.pins.letters;
    return this.until(
      'a protected pair that writes letters',
      () => this.isProtected && this.pins.letters.length > length,
      limitMs,
    );
  }

  start(): void {
    this.world.start();
    this.awaitProtected();
    this.run(100);
  }

  begin<F extends Fault>(fault: F): F {
    this.world.begin(fault);
    return fault;
  }

  end(fault: Fault): void {
    this.world.end(fault);
  }

  // ---------------------------------------------------------------- inputs

  /** The world toggles the input pin from now on, at times of its own. */
  toggleInput(range = { leastMs: 6, mostMs: 40 }): void {
    const random = this.random.stream(`input ${this.edgesApplied}`);
    this.#isToggling = true;
    const toggle = (): void => {
      if (!this.#isToggling) return;
      this.edgesApplied += 1;
      this.machine.drive(inputPin, (this.edgesApplied & 1) as 0 | 1);
      this.world.time.after(random.between(range.leastMs, range.mostMs), toggle);
    };
    toggle();
  }

  /** No more edges and, when what is under way has been done, no more letters: what was meant can be compared with what was done. */
  rest(): void {
    this.#isToggling = false;
    this.run(100);
    this.machine.drive(restPin, 1);
    this.until('the program rests', () => this.machine.timeMs - this.pins.movedAtMs > 400);
  }

  // ---------------------------------------------------------------- the end

  finish(): PairEnd {
    const { histories } = this.world.finish();
    const first = histories[0];
    assert(first !== undefined, 'a life has a history');
    const inputs = messagesOf(Buffer.concat(first.inputs.map(({ bytes }) => bytes)));
    const inputLevels = inputs
      .filter(([kind]) => kind === (0x90 | (inputPin >> 3)))
      .map((message) => ((message[1]! | (message[2]! << 7)) >> (inputPin & 7)) & 1);
    const intent = intentOf(Buffer.concat(first.writes.map(({ bytes }) => bytes)));
    return { histories, intent, inputLevels };
  }
}

export function committedFirmware(): Uint8Array {
  const result = firmwareFor({ holdTimeMs });
  assert(result.kind === 'program', result.kind === 'fault' ? result.text : 'the committed hex');
  return result.bytes;
}
