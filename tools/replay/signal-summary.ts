/**
 * The signals of a replay in a table: the last value of each, how often it was told, and its range. How pins were set up, and
 * messages that are no values, are left to the exports.
 */
import { secondsText, type TimedChange } from './signal-export.ts';

interface SignalLine {
  device: string;
  signal: string;
  direction: string;
  value: number | string;
  changes: number;
  least: number;
  greatest: number;
  lastUs: number;
}

const valueCharactersMax = 32;

export class SignalSummary {
  readonly #signals = new Map<string, SignalLine>();

  add({ device, signal, direction, value, timeUs }: TimedChange): void {
    if (signal.endsWith('.mode') || signal.startsWith('sysex.')) return;
    const key = `${device} ${signal} ${direction}`;
    const line = this.#signals.get(key) ?? {
      device,
      signal,
      direction,
      value,
      changes: 0,
      least: Number.POSITIVE_INFINITY,
      greatest: Number.NEGATIVE_INFINITY,
      lastUs: 0,
    };
    this.#signals.set(key, line);
    line.value = value;
    line.changes += 1;
    line.lastUs = timeUs;
    if (typeof value !== 'number') return;
    line.least = Math.min(line.least, value);
    line.greatest = Math.max(line.greatest, value);
  }

  /** In the order of devices and signals; none when nothing changed. */
  lines(startedAtUs: number): string[] {
    const signals = [...this.#signals.values()].toSorted(
      (left, right) =>
        left.device.localeCompare(right.device, 'en') ||
        left.signal.localeCompare(right.signal, 'en', { numeric: true }),
    );
    if (signals.length === 0) return [];
    const cells = signals.map((line) => [
      line.device,
      line.signal,
      line.direction,
      shortened(String(line.value)),
      typeof line.value === 'number' ? `${line.least}..${line.greatest}` : '',
      String(line.changes),
      secondsText(line.lastUs - startedAtUs),
    ]);
    const table = [['device', 'signal', '', 'last', 'range', 'times', 'last at s'], ...cells];
    const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
    return table.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
  }
}

function shortened(text: string): string {
  return text.length > valueCharactersMax ? `${text.slice(0, valueCharactersMax - 1)}…` : text;
}
