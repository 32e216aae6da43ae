/**
 * The language of the transcripts, one command a line:
 *
 *     program ticks 10 ms      what the program does, before `start`; default 40 ms
 *     absent b                 before `start`: this board has no power yet
 *     start                    power for everything
 *     run 200                  so many milliseconds go by
 *     skip 500                 the same, and of what happens only the number of lines is logged (cold-start.txt has them)
 *     kill a | power a b | pause a | cut ethernet serial
 *     restore | restore a b | resume a
 *                              ends what was done to these boards and links; without a name, to all
 *     switchover b             somebody asks board b for a switchover
 *     diverge b                the replica of board b computes something else from here on
 *     restart device
 */
import { type BoardName, boardNames, type LinkName, linkNames } from '../fault.ts';

export type Struck = BoardName | LinkName;

export type Command =
  | { kind: 'program'; tickMs: number }
  | { kind: 'absent'; boards: BoardName[] }
  | { kind: 'start' }
  | { kind: 'run' | 'skip'; ms: number }
  | { kind: 'kill' | 'power' | 'pause'; boards: BoardName[] }
  | { kind: 'cut'; links: LinkName[] }
  /** Empty: everything. */
  | { kind: 'restore'; names: Struck[] }
  | { kind: 'switchover' | 'diverge'; board: BoardName }
  | { kind: 'restart-device' };

/** Throws with the line when it is none of the language. */
export function parseCommand(line: string): Command {
  const [verb, ...words] = line.trim().split(/\s+/);
  const wrong = (): never => {
    throw new SyntaxError(`a transcript has no command ${JSON.stringify(line)}`);
  };
  const boards = (): BoardName[] => namesAmong(boardNames, words) ?? wrong();
  const number = (text: string | undefined): number => {
    const value = Number(text);
    return Number.isInteger(value) && value >= 1 && value <= 60_000 ? value : wrong();
  };
  switch (verb) {
    case 'program':
      if (words.length !== 3 || words[0] !== 'ticks' || words[2] !== 'ms') return wrong();
      return { kind: 'program', tickMs: number(words[1]) };
    case 'start':
      return words.length === 0 ? { kind: 'start' } : wrong();
    case 'run':
    case 'skip':
      return words.length === 1 ? { kind: verb, ms: number(words[0]) } : wrong();
    case 'absent':
    case 'kill':
    case 'power':
    case 'pause':
      return { kind: verb, boards: boards() };
    case 'resume':
      return { kind: 'restore', names: boards() };
    case 'cut':
      return { kind: verb, links: namesAmong(linkNames, words) ?? wrong() };
    case 'restore':
      if (words.length === 0) return { kind: verb, names: [] };
      return { kind: verb, names: namesAmong([...boardNames, ...linkNames], words) ?? wrong() };
    case 'switchover':
    case 'diverge':
      return words.length === 1 ? { kind: verb, board: boards()[0]! } : wrong();
    case 'restart':
      return words.length === 1 && words[0] === 'device' ? { kind: 'restart-device' } : wrong();
    default:
      return wrong();
  }
}

function namesAmong<T extends string>(names: readonly T[], words: readonly string[]): T[] | null {
  const found = words.flatMap((word) => names.filter((name) => name === word));
  return words.length > 0 && found.length === words.length ? found : null;
}
