/** The first difference of a replay, for people and for programs. */
import { visibleText } from '../journal/lines.ts';
import type { Difference } from './replay-run.ts';
import { secondsText } from './signal-export.ts';
import type { TurnInterpreter } from './turn-words.ts';

const kindTexts: Record<Difference['kind'], string> = {
  outputs: 'the program did other things than on the board',
  call: 'the program asked the system for something else than on the board',
  failed: 'the program threw where it went on on the board',
  ended: 'the program ended where it went on on the board',
  hung: 'the program does not end a turn that ended on the board',
};

const stackLinesMax = 6;

function causeText({ turn, lastEqualTurn }: Difference): string {
  if (lastEqualTurn === null)
    return 'no turn before it had a digest to compare: the cause may lie in any of them';
  if (lastEqualTurn === turn - 1) return `turn ${lastEqualTurn} was equal: the cause lies in turn ${turn}`;
  return `turn ${lastEqualTurn} was equal: the cause lies in turns ${lastEqualTurn + 1}..${turn}`;
}

/** Where in the sources the first output was made, or the call: the program's own lines, if there are any among them. */
function framesOf(stacks: readonly string[]): string[] {
  const stack = stacks.find((each) => each.trim() !== '') ?? '';
  const frames = stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !/node:|firmware-host\/|<anonymous>/.test(line))
    .map((line) => line.trim());
  const own = frames.filter((line) => !line.includes('node_modules/'));
  return (own.length > 0 ? own : frames).slice(0, stackLinesMax);
}

/** Every line but the first is indented. `interpreter` has seen all turns before. */
export function differenceLines(
  difference: Difference,
  startedAtUs: number,
  interpreter: TurnInterpreter,
): string[] {
  const { turn, timeUs, event, kind, expected, actual, outputs, stacks } = difference;
  const words = interpreter.interpret(event, outputs ?? []);
  const lines = [
    `DIVERGED at turn ${turn}, ${secondsText(timeUs - startedAtUs)} s: ${kindTexts[kind]}`,
    ...words.event.map((line, index) => `${index === 0 ? '  event     ' : '            '}${line}`),
    `  expected  ${visibleText(expected)}`,
    `  actual    ${visibleText(actual)}`,
    ...words.outputs.map((line) => `            ${line}`),
    `  cause     ${causeText(difference)}`,
  ];
  const frames = framesOf(stacks);
  if (frames.length > 0) {
    lines.push(...frames.map((line, index) => `${index === 0 ? '  where     ' : '            '}${line}`));
  }
  return lines;
}

export function differenceJson(
  difference: Difference,
  interpreter: TurnInterpreter,
): Record<string, unknown> {
  const { event, outputs, ...rest } = difference;
  const words = interpreter.interpret(event, outputs ?? []);
  return {
    ...rest,
    schema: 1,
    kind: 'difference',
    difference: rest.kind,
    event: { kind: event.kind, words: words.event },
    outputs: outputs === null ? null : words.outputs,
    writes:
      outputs === null
        ? null
        : outputs.flatMap((output) =>
            output.kind === 'write'
              ? [{ port: output.port, hex: Buffer.from(output.bytes).toString('hex') }]
              : [],
          ),
  };
}
