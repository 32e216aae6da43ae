/** The global console on the replica's streams, its timers in virtual time. */
import { Console } from 'node:console';
import type { Writable } from 'node:stream';

/** As Node prints the time of console.timeEnd. */
export function formatElapsed(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  if (hours > 0) {
    const whole = String(Math.floor(seconds)).padStart(2, '0');
    return `${hours}:${String(minutes).padStart(2, '0')}:${whole} (h:mm:ss)`;
  }
  if (minutes > 0) return `${minutes}:${seconds.toFixed(3).padStart(6, '0')} (m:ss.mmm)`;
  if (seconds >= 1) return `${seconds.toFixed(3)}s`;
  return `${Number(ms.toFixed(3))}ms`;
}

/** Replaces the methods of the one console object, which programs and libraries may have captured. */
export function installConsole(stdout: Writable, stderr: Writable, nowUs: () => number): void {
  const fresh = new Console({ stdout, stderr });
  const startsUs = new Map<string, number>();
  const print = (method: string, label: string, details: unknown[]) => {
    const startUs = startsUs.get(label);
    if (startUs === undefined) {
      process.emitWarning(`No such label '${label}' for console.${method}()`);
      return;
    }
    fresh.log('%s: %s', label, formatElapsed((nowUs() - startUs) / 1000), ...details);
  };
  const timing: Record<string, (label?: string, ...details: unknown[]) => void> = {
    time: (label = 'default') => {
      if (startsUs.has(label)) process.emitWarning(`Label '${label}' already exists for console.time()`);
      else startsUs.set(label, nowUs());
    },
    timeLog: (label = 'default', ...details) => print('timeLog', label, details),
    timeEnd: (label = 'default') => {
      print('timeEnd', label, []);
      startsUs.delete(label);
    },
  };
  const target = console as unknown as Record<string, unknown>;
  for (const name of Object.keys(fresh)) {
    const member = (fresh as unknown as Record<string, unknown>)[name];
    if (typeof member === 'function') target[name] = timing[name] ?? member;
  }
  Object.defineProperty(target, '_stdout', { value: stdout, configurable: true, writable: true });
  Object.defineProperty(target, '_stderr', { value: stderr, configurable: true, writable: true });
}
