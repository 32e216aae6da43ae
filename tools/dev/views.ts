/** The three ways to watch a pair: a live picture, lines, NDJSON. */
import type { ReadStream, WriteStream } from 'node:tty';
import { Terminal, type TerminalAbilities } from '../terminal/terminal.ts';
import type { ScreenModel } from './model.ts';
import type { PairObserver, WatchedFault } from './observer.ts';
import type { PairRig, RigEvent } from './pair-rig.ts';
import { drawScreen } from './screen.ts';
import { faultJson, faultRow, type Outcome, summaryJson, summaryLines } from './summary.ts';
import { Telling } from './words.ts';

const frameIntervalMs = 100;
const statusIntervalMs = 1000;
const schema = 1;

/** What the run itself adds to the model of the pair. */
export type Surroundings = Pick<ScreenModel, 'script' | 'notice' | 'isHelpShown'>;

export interface View {
  event(event: RigEvent): void;
  fault(watched: WatchedFault): void;
  step(text: string): void;
  /** Leaves the live picture, for what is said after it. */
  close(): void;
  say(line: string): void;
  summary(outcome: Outcome): void;
}

type Write = (text: string) => void;

export class LinesView implements View {
  readonly #write: Write;
  readonly #telling = new Telling();

  constructor(write: Write) {
    this.#write = write;
  }

  event(event: RigEvent): void {
    const said = this.#telling.tell(event);
    if (said === null) return;
    const time = `${(event.atMs / 1000).toFixed(3)} s`.padStart(10);
    this.#write(`${time}  ${event.level === 'alarm' ? '!' : ' '} ${said.text}\n`);
  }

  fault(watched: WatchedFault): void {
    const [name, takeover, output] = faultRow(watched);
    this.#write(
      `            = ${name}: takeover: ${takeover}${output === '-' ? '' : `, next output after ${output}`}\n`,
    );
  }

  step(text: string): void {
    this.#write(`            > ${text}\n`);
  }

  close(): void {}

  say(line: string): void {
    this.#write(`${line}\n`);
  }

  summary(outcome: Outcome): void {
    for (const line of summaryLines(outcome)) this.say(line);
  }
}

export class JsonView implements View {
  readonly #write: Write;
  readonly #rig: PairRig;
  readonly #timer: NodeJS.Timeout;
  readonly #clock: () => number;

  constructor(write: Write, rig: PairRig, clock: () => number) {
    this.#write = write;
    this.#rig = rig;
    this.#clock = clock;
    this.#timer = setInterval(() => this.status(), statusIntervalMs);
  }

  #line(kind: string, fields: Record<string, unknown>): void {
    this.#write(`${JSON.stringify({ schema, kind, ...fields })}\n`);
  }

  status(): void {
    const { boards, cables, device, plant, pins } = this.#rig;
    const board = ({ running, frozen, exitCode, status }: PairRig['boards']['a']): unknown => ({
      ...{ running, frozen, exitCode, status },
    });
    this.#line('status', {
      atMs: this.#clock(),
      protected: this.#rig.isProtected(),
      primary: this.#rig.primary(),
      boards: { a: board(boards.a), b: board(boards.b) },
      ...{ cables, device, plant, pins },
    });
  }

  event(event: RigEvent): void {
    this.#line('event', { ...event });
  }

  fault(watched: WatchedFault): void {
    this.#line('fault', faultJson(watched));
  }

  step(): void {}

  close(): void {
    clearInterval(this.#timer);
  }

  say(): void {}

  summary(outcome: Outcome): void {
    this.#line('summary', summaryJson(outcome));
  }
}

export class ScreenView implements View {
  readonly #terminal: Terminal;
  readonly #lines: LinesView;
  readonly #timer: NodeJS.Timeout;

  constructor(
    output: WriteStream,
    input: ReadStream | null,
    abilities: TerminalAbilities,
    observer: PairObserver,
    clock: () => number,
    surroundings: () => Surroundings,
    onKey: (key: string) => void,
  ) {
    this.#terminal = new Terminal(output, input, onKey);
    this.#lines = new LinesView((text) => output.write(text));
    this.#terminal.open();
    this.#timer = setInterval(() => {
      observer.sample(clock());
      const model = { ...observer.model(clock()), ...surroundings() };
      this.#terminal.show(drawScreen(model, { ...this.#terminal.size, ...abilities }));
    }, frameIntervalMs);
  }

  event(): void {}
  fault(): void {}
  step(): void {}

  close(): void {
    clearInterval(this.#timer);
    this.#terminal.close();
  }

  say(line: string): void {
    this.#lines.say(line);
  }

  summary(outcome: Outcome): void {
    this.#lines.summary(outcome);
  }
}
