/** Reports of a program that fails or ends: it is handed over, or started afresh, and the pair is busy with that meanwhile. */
export const programEvents: ReadonlySet<string> = new Set([
  'PROGRAM_EXITED',
  'PROGRAM_THREW',
  'PROGRAM_HANGS',
  'PROGRAM_FAULT',
  'REPLICA_EXITED',
]);
