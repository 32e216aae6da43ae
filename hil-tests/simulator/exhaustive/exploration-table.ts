/** The count of the lives of an exhaustive run, by crash point. */
import { type CrashPoint, crashPointNames, crashPoints } from './crash-case.ts';
import type { Exploration } from './explore.ts';

interface Row {
  crashes: number;
  noLoss: number;
  singleLoss: number;
  heartbeatLoss: number;
  doubleLoss: number;
  lives: number;
  unstruck: number;
  failed: number;
}

const columns: readonly { of: keyof Row; title: string }[] = [
  { of: 'crashes', title: 'crashes' },
  { of: 'noLoss', title: 'no loss' },
  { of: 'singleLoss', title: 'single' },
  { of: 'heartbeatLoss', title: 'heartbeat' },
  { of: 'doubleLoss', title: 'double' },
  { of: 'lives', title: 'lives' },
  { of: 'unstruck', title: 'unstruck' },
  { of: 'failed', title: 'failed' },
];

export function rowOf(explorations: readonly Exploration[]): Row {
  const row: Row = {
    crashes: 0,
    noLoss: 0,
    singleLoss: 0,
    heartbeatLoss: 0,
    doubleLoss: 0,
    lives: 0,
    unstruck: 0,
    failed: 0,
  };
  for (const { lives, unstruck, failures } of explorations) {
    row.crashes += 1;
    for (const kind of ['noLoss', 'singleLoss', 'heartbeatLoss', 'doubleLoss'] as const) {
      row[kind] += lives[kind];
      row.lives += lives[kind];
    }
    row.unstruck += unstruck;
    row.failed += failures.length;
  }
  return row;
}

export function tableOf(explorations: readonly Exploration[]): string[] {
  const width = 10;
  const nameWidth = 16;
  const line = (name: string, cells: (string | number)[]): string =>
    [name.padEnd(nameWidth), ...cells.map((cell) => String(cell).padStart(width))].join('');
  const lineOf = (name: string, of: readonly Exploration[]): string => {
    const row = rowOf(of);
    return line(
      name,
      columns.map((column) => row[column.of]),
    );
  };
  const at = (point: CrashPoint): Exploration[] => explorations.filter(({ crash }) => crash.point === point);
  return [
    line(
      'crash point',
      columns.map(({ title }) => title),
    ),
    ...crashPointNames.map((point) => lineOf(point, at(point))),
    lineOf('all', explorations),
    '',
    ...crashPointNames.map((point) => `${point.padEnd(nameWidth)} ${crashPoints[point]}`),
    `${'heartbeat'.padEnd(nameWidth)} lives that lose one bare heartbeat`,
    `${'unstruck'.padEnd(nameWidth)} lives in which the losses moved the point out of reach`,
  ];
}
