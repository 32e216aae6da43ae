/** One thing that a machine needs, whether it has it, and what to do when it has not. */
export type Verdict =
  | 'ok'
  /** It will run; something is weaker than it could be, or wants a look. */
  | 'warning'
  /** It will not run like this. */
  | 'missing'
  /** Not looked at, and why. */
  | 'skipped';

export interface Check {
  /** Stable, for programs: `node-version`, `port:a:/dev/ttyAMA0`. */
  id: string;
  verdict: Verdict;
  /** What was found. */
  found: string;
  /** What to do; null when there is nothing to do. */
  remedy: string | null;
}

export function ok(id: string, found: string): Check {
  return { id, verdict: 'ok', found, remedy: null };
}

export function warning(id: string, found: string, remedy: string): Check {
  return { id, verdict: 'warning', found, remedy };
}

export function missing(id: string, found: string, remedy: string): Check {
  return { id, verdict: 'missing', found, remedy };
}

export function skipped(id: string, found: string): Check {
  return { id, verdict: 'skipped', found, remedy: null };
}

/** The message of whatever was thrown, on one line. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
