/** Was everything done at the pins that was meant, once and in order, and everything seen that was applied? */
import type { MachineCodePair, PairEnd } from './machine-code-pair.ts';
import type { Intent, Letter } from './pin-ledger.ts';

/** What is known of a life that has come to rest. */
export interface Evidence {
  histories: number;
  sessions: number;
  isReplayable: boolean;
  intent: Intent;
  /** At the pins. */
  done: Intent;
  edgesApplied: number;
  /** Levels of the input pin as they were given to the program; the first is the level as it was found. */
  inputLevels: readonly number[];
}

export interface Judgement {
  letters: { intended: number; atPins: number };
  steps: { intended: number; atPins: number };
  edges: { applied: number; reported: number };
  /** Every way in which pins and intent differ. */
  complaints: string[];
}

/** Ends the life of a pair that rests. `look`: at what came out besides. */
export function judge(pair: MachineCodePair, look: (end: PairEnd) => void = () => {}): Judgement {
  const { pins, edgesApplied } = pair;
  const end = pair.finish();
  look(end);
  const { histories, intent, inputLevels } = end;
  const complaints = complaintsOf({
    histories: histories.length,
    sessions: pair.sessions.length,
    isReplayable: histories.every(({ divergedAtTurn }) => divergedAtTurn === null),
    intent,
    done: pins,
    edgesApplied,
    // The last report is of the pin beside it, which asks for rest.
    inputLevels: inputLevels.slice(0, -1),
  });
  return {
    letters: { intended: intent.letters.length, atPins: pins.letters.length },
    steps: { intended: intent.steps, atPins: pins.steps },
    edges: { applied: edgesApplied, reported: inputLevels.length - 2 },
    complaints,
  };
}

export function complaintsOf(evidence: Evidence): string[] {
  const { histories, sessions, isReplayable, intent, done, edgesApplied, inputLevels } = evidence;
  const complaints: string[] = [];
  const require = (holds: boolean, complaint: string): void => {
    if (!holds) complaints.push(complaint);
  };
  require(histories === 1, `${histories} histories: the program was started afresh`);
  require(isReplayable, 'the history does not run again as it ran');
  require(sessions === 1, `the device began ${sessions} sessions`);
  const differs = intent.letters.findIndex((letter, index) => !isSameLetter(letter, done.letters[index]));
  require(differs < 0, `letter ${differs} at the pins is not the one that was meant`);
  const [shown, meant] = [done.letters.length, intent.letters.length];
  require(shown === meant, `${shown} letters, meant ${meant}`);
  require(done.steps === intent.steps, `${done.steps} steps, meant ${intent.steps}`);
  require(done.changes ===
    intent.changes, `${done.changes} changes of the letters' pins, meant ${intent.changes}`);
  const reported = inputLevels.slice(1);
  const isOnce = inputLevels.every((level, index) => level === (index & 1));
  require(isOnce, 'an input edge was lost, repeated or reordered');
  require(reported.length ===
    edgesApplied, `${reported.length} input edges reported, applied ${edgesApplied}`);
  // What the program counted, modulo the eight pins on which it shows its count.
  const seen = done.letters.at(-1)?.edges ?? 0;
  require(seen ===
    edgesApplied % 256, `the program counts ${seen} edges modulo 256, applied ${edgesApplied}`);
  return complaints;
}

export function isSameLetter(one: Letter, other: Letter | undefined): boolean {
  return (
    other !== undefined &&
    one.drawn === other.drawn &&
    one.number === other.number &&
    one.edges === other.edges
  );
}
