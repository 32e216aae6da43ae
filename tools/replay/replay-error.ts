/** What keeps a journal from being run again at all. What then differs in the run is a result, not an error. */
export type ReplayErrorCode =
  /** No program is there whose bundle the journal was made with. */
  | 'REPLAY_PROGRAM_MISSING'
  /** The program that was named has another bundle. */
  | 'REPLAY_PROGRAM_DIFFERS'
  /** The debugger's port cannot be opened, or does not answer. */
  | 'REPLAY_DEBUGGER_UNAVAILABLE'
  /** A file of results cannot be written. */
  | 'REPLAY_EXPORT_FAILED'
  /** The journal has no such turn. */
  | 'REPLAY_TURN_MISSING';

export class ReplayError extends Error {
  readonly code: ReplayErrorCode;
  constructor(code: ReplayErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'ReplayError';
    this.code = code;
  }
}
