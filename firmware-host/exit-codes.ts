/**
 * How the command line ends: one number for each kind of end, so that a script or systemd can tell what to do.
 *
 * docs/exit-codes.md shows this table; a test keeps the two equal. `isRetried` says whether starting again by itself
 * (systemd: Restart=on-failure with RestartPreventExitStatus) can help without anyone changing something first.
 */
export interface ExitCode {
  readonly code: number;
  readonly meaning: string;
  readonly isRetried: boolean;
  /** Beginnings of the error codes that end so; the longest that fits decides. */
  readonly errorCodes: readonly string[];
}

function ends(code: number, meaning: string, isRetried: boolean, ...errorCodes: string[]): ExitCode {
  return { code, meaning, isRetried, errorCodes };
}

export const exitCodes = {
  ok: ends(0, 'All is well: the command did what it was asked.', false),
  failed: ends(
    1,
    'A run ended with outputs lost or repeated, or with replicas that diverged.',
    false,
    'RUN_',
  ),
  usage: ends(
    2,
    'The command line was not understood, or names what cannot be used.',
    false,
    'USAGE_',
    'REPLAY_TURN_MISSING',
    'DEVICE_HEX_',
  ),
  config: ends(3, 'The configuration cannot be read or breaks a rule.', false, 'CONFIG_'),
  bundle: ends(4, 'The control program cannot be read, parsed or bundled.', false, 'BUNDLE_'),
  program: ends(
    5,
    'The control program threw, hung or ended, on both boards, as often as the policy allows.',
    false,
    'PROGRAM_',
    'REPLICA_',
  ),
  pairKey: ends(
    6,
    'The pair key is missing, malformed, open to everyone, or not the other board’s.',
    false,
    'CONFIG_KEY_',
    'PAIR_KEY_',
    'SESSION_KEY_',
  ),
  mismatch: ends(
    7,
    'The other board, or the journal to be replayed, has another program, runtime, architecture or configuration.',
    false,
    'PAIR_MISMATCH',
    'REPLAY_PROGRAM_',
  ),
  journal: ends(
    8,
    'The journal is damaged in the middle, foreign, or of another version.',
    false,
    'JOURNAL_',
  ),
  device: ends(9, 'A device’s port is missing, locked or does not answer as configured.', true, 'DEVICE_'),
  link: ends(10, 'A link’s address or port cannot be used at all.', true, 'LINK_'),
  disk: ends(
    11,
    'The state directory, or a file of results, cannot be written: disk full, read-only, no permission.',
    true,
    'JOURNAL_DISK_FULL',
    'JOURNAL_WRITE_FAILED',
    'STATE_',
    'REPLAY_EXPORT_FAILED',
  ),
  machine: ends(
    12,
    'This machine lacks something that is needed: the Node version, a package, /dev/ptmx.',
    false,
    'MACHINE_',
    'REPLAY_DEBUGGER_UNAVAILABLE',
  ),
  console: ends(13, 'No supervisor answers at the console socket.', true, 'CONSOLE_'),
  internal: ends(70, 'A mistake in this software: please report it with the message.', true),
  interrupted: ends(130, 'Ended by SIGINT (Ctrl-C).', false),
  terminated: ends(143, 'Ended by SIGTERM.', false),
} as const satisfies Record<string, ExitCode>;

/** The exit code for a stable error code such as CONFIG_INVALID; `internal` for what is none of ours. */
export function exitCodeFor(errorCode: string | undefined): number {
  let best: ExitCode = exitCodes.internal;
  let bestLength = 0;
  for (const end of Object.values<ExitCode>(exitCodes)) {
    for (const beginning of end.errorCodes) {
      if (errorCode?.startsWith(beginning) && beginning.length > bestLength) {
        best = end;
        bestLength = beginning.length;
      }
    }
  }
  return best.code;
}

/** The table of docs/exit-codes.md. */
export function exitCodesTable(): string {
  const rows = Object.entries<ExitCode>(exitCodes).map(([name, end]) => {
    const errors = end.errorCodes
      .map((code) => (code.endsWith('_') ? `\`${code}*\`` : `\`${code}\``))
      .join(', ');
    return `| ${end.code} | ${name} | ${end.meaning} | ${errors} | ${end.isRetried ? 'yes' : 'no'} |`;
  });
  return [
    '| code | name | meaning | error codes | worth a restart |',
    '| ---: | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
