/**
 * What must be equal on two boards for the same bundle to compute the same values.
 *
 * Sorting, dates and number formatting come from V8, ICU and the time zone data; a difference there is a
 * divergence days later. So the boards compare these when they meet, and a mismatch is refused, never patched
 * around (DESIGN.md section 3).
 */
import { endianness } from 'node:os';

export interface RuntimeIdentity {
  node: string;
  v8: string;
  icu: string;
  /** Version of the time zone database. */
  tz: string;
  unicode: string;
  /** `process.arch`: floating point libraries and JIT differ between architectures. */
  arch: string;
  platform: string;
  endianness: string;
  /** The zone that the program computes in, as ICU resolved it: TZ or the system's. */
  timeZone: string;
  /** The locale that the program formats in. */
  locale: string;
}

export function runtimeIdentity(): RuntimeIdentity {
  const { versions } = process;
  const resolved = new Intl.DateTimeFormat().resolvedOptions();
  return {
    node: versions.node,
    v8: versions.v8,
    icu: versions.icu ?? 'none',
    tz: versions.tz ?? 'none',
    unicode: versions.unicode ?? 'none',
    arch: process.arch,
    platform: process.platform,
    endianness: endianness(),
    timeZone: resolved.timeZone,
    locale: resolved.locale,
  };
}

const words: Record<keyof RuntimeIdentity, { what: string; remedy: string }> = {
  node: { what: 'Node.js version', remedy: 'Install the same Understudy release on both boards.' },
  v8: { what: 'V8 version', remedy: 'Install the same Node.js build on both boards.' },
  icu: { what: 'ICU version', remedy: 'Install the same Node.js build on both boards.' },
  tz: { what: 'time zone database', remedy: 'Install the same Node.js build, with no NODE_ICU_DATA set.' },
  unicode: { what: 'Unicode version', remedy: 'Install the same Node.js build on both boards.' },
  arch: { what: 'processor architecture', remedy: 'Use two boards of one architecture.' },
  platform: { what: 'operating system', remedy: 'Use the same operating system on both boards.' },
  endianness: { what: 'byte order', remedy: 'Use two boards of one architecture.' },
  timeZone: { what: 'time zone', remedy: 'Set the same zone on both boards (timedatectl set-timezone).' },
  locale: { what: 'locale', remedy: 'Set the same LANG on both boards.' },
};

/** One sentence for each difference; empty when replicas may run as a pair. */
export function compareIdentities(a: RuntimeIdentity, b: RuntimeIdentity): string[] {
  return (Object.keys(words) as (keyof RuntimeIdentity)[])
    .filter((key) => a[key] !== b[key])
    .map(
      (key) =>
        `${words[key].what} differs: ${a[key]} on one board, ${b[key]} on the other. ${words[key].remedy}`,
    );
}
