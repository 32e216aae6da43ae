/** Figures as a table for the terminal. */
import { type Figure, isWithinBound, type Part } from './measurement.ts';

/** Three figures that count, without an exponent. */
export function valueText(value: number | null, unit: string): string {
  if (value === null) return '-';
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return unit === '' ? text : `${text} ${unit}`;
}

export function boundText(figure: Figure): string {
  const { bound, unit } = figure;
  if (bound === undefined) return '';
  const isMet = isWithinBound(figure);
  const verdict = isMet === null ? 'not measured' : isMet ? 'met' : 'MISSED';
  return `${bound.kind} ${valueText(bound.value, unit)}: ${verdict}`;
}

export function tableOf(part: Part): string[] {
  const rows = part.figures.map((figure) => [
    figure.text,
    valueText(figure.value, figure.unit),
    boundText(figure),
    figure.floor === undefined ? '' : `floor ${valueText(figure.floor, figure.unit)}`,
    figure.note ?? '',
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        if (column === 1) return cell.padStart(widths[1]!);
        return column < widths.length ? cell.padEnd(widths[column]!) : cell;
      })
      .filter((_, column) => column === 4 || widths[column]! > 0)
      .join('  ')
      .trimEnd(),
  );
  return [
    '',
    part.title,
    '-'.repeat(part.title.length),
    ...lines,
    ...part.remarks.map((text) => `  * ${text}`),
  ];
}
