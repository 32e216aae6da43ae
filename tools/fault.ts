/** From whatever was thrown to what the user is told and the code that the process ends with. */
import { type ExitCode, exitCodeFor, exitCodes } from '../firmware-host/exit-codes.ts';

export interface Fault {
  text: string;
  exitCode: number;
}

/** Our errors carry a stable string code; anything else is a mistake of ours and shows its stack. */
export function describeFault(error: unknown): Fault {
  if (!(error instanceof Error)) return { text: String(error), exitCode: exitCodes.internal.code };
  const { code } = error as Error & { code?: unknown };
  const exitCode = exitCodeFor(typeof code === 'string' ? code : undefined);
  if (exitCode === exitCodes.internal.code) return { text: error.stack ?? error.message, exitCode };
  return { text: `${String(code)}: ${error.message}`, exitCode };
}

/** The table for `--help`, in the order of the numbers. */
export function exitCodeTexts(): { code: number; text: string }[] {
  return Object.values<ExitCode>(exitCodes)
    .map(({ code, meaning }) => ({ code, text: meaning }))
    .toSorted((left, right) => left.code - right.code);
}
