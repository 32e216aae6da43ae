/**
 * Lives a transcript's commands with a quiet pair, under all checkers, and writes the log anew. From a macrotask, as
 * every life (life.ts).
 */

import { assert } from '../../../protocol/assert.ts';
import { everyChecker } from '../../checkers/every-checker.ts';
import { type BoardName, boardNames, type Fault } from '../fault.ts';
import type { Checker, LifeFacts } from '../observation.ts';
import { createQuietPair, Metronome, quietFacts } from '../quiet-pair.ts';
import type { World } from '../world.ts';
import { type Command, parseCommand, type Struck } from './command.ts';
import { EffectLog } from './effect-log.ts';
import type { Block, Transcript } from './transcript.ts';

const tickMsDefault = 40;
/** The device says something so often. */
const inputEveryMs = 50;
const inputBytes = 3;
const reactionBytes = 6;
const openAfterMs = 30;

type Lasting = Extract<Fault, { until: number }>;

class Scene {
  readonly log: EffectLog;
  #world: World | null = null;
  #tickMs = tickMsDefault;
  #isStarted = false;
  #standing: { name: Struck; fault: Lasting }[] = [];
  readonly #facts: LifeFacts;
  readonly #checkers: Checker[];

  constructor(commands: readonly Command[]) {
    this.#facts = factsOf(commands);
    this.#checkers = everyChecker.map((create) => create(this.#facts));
    this.log = new EffectLog(
      () => this.world.time.now,
      () => boardNames.reduce((sum, name) => sum + this.world.boards[name].process, 0),
    );
  }

  /** Made with the first command that needs it. */
  get world(): World {
    this.#world ??= createQuietPair({
      program: { tickMs: this.#tickMs, reactionBytes, openAfterMs },
      firmware: new Metronome(inputEveryMs, inputBytes),
      interference: this.log,
      observe: (observed) => {
        this.log.observe(observed);
        for (const checker of this.#checkers) checker.observe(observed);
      },
    });
    return this.#world;
  }

  run(command: Command): void {
    const { now } = command.kind === 'program' ? { now: 0 } : this.world.time;
    switch (command.kind) {
      case 'program':
        assert(this.#world === null, 'the program is chosen before anything else');
        this.#tickMs = command.tickMs;
        return;
      case 'absent':
        assert(!this.#isStarted, 'a board is absent from the start');
        return this.#strike(command.boards, 'power');
      case 'start':
        this.#isStarted = true;
        return this.world.start();
      case 'run':
        assert(this.#isStarted, 'nothing runs before the start');
        this.world.time.runUntil(now + command.ms);
        return;
      case 'skip':
        this.world.time.runUntil(now + command.ms);
        return this.log.drop();
      case 'kill':
      case 'power':
      case 'pause':
        return this.#strike(command.boards, command.kind);
      case 'cut':
        for (const link of command.links) {
          this.#begin(link, { kind: 'cut', at: now, until: Number.POSITIVE_INFINITY, link, from: null });
        }
        return;
      case 'restore':
        return this.#restore(command.names);
      case 'switchover':
        return this.#blow({ kind: 'switchover', at: now, board: command.board });
      case 'diverge':
        return this.#blow({ kind: 'replica', at: now, board: command.board, how: 'diverges' });
      case 'restart-device':
        return this.#blow({ kind: 'device-restart', at: now, device: 0 });
    }
  }

  #strike(boards: readonly BoardName[], kind: 'kill' | 'power' | 'pause'): void {
    const { now: at } = this.world.time;
    const until = Number.POSITIVE_INFINITY;
    for (const board of boards) {
      this.#begin(
        board,
        kind === 'power' ? { kind, at, until, board, disk: 'kept' } : { kind, at, until, board },
      );
    }
  }

  #begin(name: Struck, fault: Lasting): void {
    this.#standing.push({ name, fault });
    this.#blow(fault);
  }

  #blow(fault: Fault): void {
    this.#facts.faults.push(fault);
    this.world.begin(fault);
  }

  #restore(names: readonly Struck[]): void {
    const isMeant = (name: Struck): boolean => names.length === 0 || names.includes(name);
    const ended = this.#standing.filter(({ name }) => isMeant(name));
    assert(ended.length > 0, 'something is wrong before it is restored');
    this.#standing = this.#standing.filter(({ name }) => !isMeant(name));
    for (const { fault } of ended) {
      fault.until = this.world.time.now;
      this.world.end(fault);
    }
  }

  /** The checkers' last word. */
  finish(): void {
    const end = this.world.finish();
    for (const checker of this.#checkers) checker.end(end);
  }
}

function factsOf(commands: readonly Command[]): LifeFacts {
  const times = { quietAt: 0, endsAt: 0 };
  for (const command of commands) {
    if (command.kind === 'run' || command.kind === 'skip') times.endsAt += command.ms;
    else times.quietAt = times.endsAt;
  }
  return quietFacts(times);
}

/** The same commands, and what is logged of them in this life. Throws the `Violation` of a broken promise. */
export function replayTranscript({ words, blocks }: Transcript): Transcript {
  const script = blocks.map(({ commands }) => ({ commands, parsed: commands.map(parseCommand) }));
  const scene = new Scene(script.flatMap(({ parsed }) => parsed));
  const lived: Block[] = [];
  try {
    for (const { commands, parsed } of script) {
      for (const command of parsed) scene.run(command);
      lived.push({ commands, log: scene.log.take() });
    }
    scene.finish();
  } finally {
    scene.world.abandon();
  }
  return { words, blocks: lived };
}
