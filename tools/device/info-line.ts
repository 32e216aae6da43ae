/**
 * The line that the firmware prints for `?` (boards/mega-2560/firmware/README.md, Console): `understudy` and `key=value`
 * pairs, here as values. A line that lacks one of the keys was torn on its way and counts as none; keys that a later
 * firmware adds are kept as they came.
 */
import { z } from 'zod';

const count = z.coerce.number().int().min(0).max(0xffff_ffff);
const port = z.enum(['a', 'b', '-']).transform((text) => (text === '-' ? null : text));

const headSchema = z.object({
  firmware: z.string().regex(/^\d+\.\d+\.\d+\S*$/),
  stream: count,
  term: count,
  port,
  session: count,
  attached: port,
  safe: z.enum(['0', '1']).transform((text) => text === '1'),
  hold_ms: count,
  malformed: count,
  last_reset: z.enum(['power', 'external', 'brown-out', 'watchdog', 'unknown']),
  resets_power: count,
  resets_external: count,
  resets_brown_out: count,
  resets_watchdog: count,
  stack_unused: count,
});

const lineKeys = [
  'received',
  'transmitted',
  'overruns',
  'framing_errors',
  'discarded',
  'stale',
  'stale_bytes',
  'untransmitted',
] as const;

/** Since the device's reset; bytes for the first two, see the firmware's README. */
export type LineCounters = Record<(typeof lineKeys)[number], number>;

export type DeviceInfo = z.output<typeof headSchema> & {
  lines: { a: LineCounters; b: LineCounters };
  /** What this version does not know. */
  other: Record<string, string>;
};

const linesSchema = z.object(
  Object.fromEntries(lineKeys.flatMap((key) => [`${key}_a`, `${key}_b`]).map((key) => [key, count])),
);

const begin = 'understudy firmware=';

/** Null: not an info line, or not a whole one. Whatever stands before its beginning is noise. */
export function parseInfoLine(line: string): DeviceInfo | null {
  const at = line.lastIndexOf(begin);
  if (at < 0) return null;
  const values: Record<string, string> = {};
  for (const word of line.slice(at).trim().split(/\s+/).slice(1)) {
    const [key, value, ...more] = word.split('=');
    // Doubled keys are two answers run together.
    if (!key || value === undefined || value === '' || more.length > 0 || Object.hasOwn(values, key))
      return null;
    values[key] = value;
  }
  const head = headSchema.safeParse(values);
  const lines = linesSchema.safeParse(values);
  if (!head.success || !lines.success) return null;
  const counters = (board: 'a' | 'b'): LineCounters =>
    Object.fromEntries(lineKeys.map((key) => [key, lines.data[`${key}_${board}`]])) as LineCounters;
  const known = new Set([...Object.keys(headSchema.shape), ...Object.keys(linesSchema.shape)]);
  const other = Object.fromEntries(Object.entries(values).filter(([key]) => !known.has(key)));
  return { ...head.data, lines: { a: counters('a'), b: counters('b') }, other };
}

/** The table for people: two columns, then the two lines side by side. */
export function infoTable(info: DeviceInfo): string {
  const rows: [string, string][] = [
    ['firmware', `${info.firmware}, stream ${info.stream}, hold time ${info.hold_ms} ms`],
    ['term', `${info.term}, ${info.port === null ? 'granted to nobody' : `granted to board ${info.port}`}`],
    ['session', `${info.session} (boot id)`],
    ['attached', info.attached === null ? 'nobody' : `board ${info.attached}`],
    ['outputs', info.safe ? 'in their safe state' : 'as the controller drives them'],
    ['last reset', info.last_reset],
    [
      'resets',
      `power ${info.resets_power}, external ${info.resets_external}, brown-out ${info.resets_brown_out}, watchdog ${info.resets_watchdog}`,
    ],
    ['malformed', `${info.malformed} Firmata messages`],
    ['stack unused', `${info.stack_unused} bytes`],
    ...Object.entries(info.other),
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(16)} ${value}`);
  lines.push('', `${'since the reset'.padEnd(16)} ${'board a'.padStart(10)} ${'board b'.padStart(10)}`);
  for (const key of lineKeys) {
    const [a, b] = [info.lines.a[key], info.lines.b[key]];
    lines.push(`${key.replaceAll('_', ' ').padEnd(16)} ${String(a).padStart(10)} ${String(b).padStart(10)}`);
  }
  return lines.join('\n');
}
