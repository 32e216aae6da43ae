/** What came of each mutant, in words. */
import type { Outcome } from './trial.ts';

const messageCharactersMax = 200;
const unsoundNamed = 3;

export function verdictOf({ mutant, caught, lives, seconds, unsound }: Outcome): string {
  const took = `${lives} ${lives === 1 ? 'life' : 'lives'}, ${seconds.toFixed(1)} s`;
  const lines =
    caught === null
      ? [`${mutant.name}: SURVIVED ${took}`, `    ${mutant.breaks} (${mutant.promise})`]
      : [
          `${mutant.name}: ${caught.by}, after ${took} (seed ${caught.seed}, ${caught.scenario})`,
          `    ${caught.message.split('\n', 1)[0]!.slice(0, messageCharactersMax)}`,
        ];
  if (unsound.length > 0) {
    const named = unsound
      .slice(0, unsoundNamed)
      .map(({ seed, scenario, by }) => `${seed} (${scenario}: ${by})`);
    lines.push(
      `    ${unsound.length} seed(s) that the unbroken protocol does not survive either: ${named.join(', ')}`,
    );
  }
  return lines.join('\n');
}

/** A line each, the quickest first, and the sums. */
export function table(outcomes: readonly Outcome[]): string {
  const rows = outcomes
    .toSorted((left, right) => rank(left) - rank(right) || left.mutant.name.localeCompare(right.mutant.name))
    .map(({ mutant, caught, lives, seconds }) => [
      mutant.name,
      String(lives),
      caught?.by ?? 'SURVIVED',
      seconds.toFixed(1),
    ]);
  const head = ['mutant', 'lives', 'caught by', 'seconds'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const isNumber = [false, true, false, true];
  const line = (cells: string[]): string =>
    cells
      .map((cell, column) =>
        isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  const byChecker = new Map<string, number>();
  for (const { caught } of outcomes) {
    if (caught !== null) byChecker.set(caught.by, (byChecker.get(caught.by) ?? 0) + 1);
  }
  const sums = [...byChecker].toSorted((left, right) => right[1] - left[1]);
  const survivors = outcomes.filter(({ caught }) => caught === null).map(({ mutant }) => mutant.name);
  return [
    line(head),
    ...rows.map(line),
    '',
    `${outcomes.length - survivors.length} of ${outcomes.length} mutants caught`,
    ...(sums.length === 0 ? [] : [`  ${sums.map(([by, count]) => `${by} ${count}`).join(', ')}`]),
    ...(survivors.length === 0 ? [] : [`survived: ${survivors.join(', ')}`]),
  ].join('\n');
}

/** Survivors come last. */
function rank({ caught, lives }: Outcome): number {
  return caught === null ? Number.MAX_SAFE_INTEGER : lives;
}
