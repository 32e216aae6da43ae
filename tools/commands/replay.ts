/** `understudy replay`: a journal from the field, run again on this machine. */
import { type Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../program.ts';

const refuse = (message: string): Error => new InvalidArgumentError(message);
const debuggerPort = 9229;

export interface ReplayCommandOptions {
  until?: number;
  program?: string;
  inspect?: number | true;
  csv?: string;
  vcd?: string;
  json?: true;
}

export function registerReplay(program: Command): void {
  program
    .command('replay')
    .description('run the turns of a journal again, compare every output, and show what the pins did')
    .argument('<journal>', 'journal.usj of a board, or a past one of its ring (state/past/*.usj)')
    .option('--until <turn>', 'stop after this turn and show what it did', wholeNumber(refuse, 0))
    .option(
      '--program <file>',
      'the program, or its bundle (default: what lies beside the journal, or at its path)',
    )
    .option(
      '--inspect [port]',
      'open Node’s debugger and stop in the turn of --until',
      wholeNumber(refuse, 0, 65_535),
    )
    .option('--csv <file>', 'write the signal history as CSV; - for standard output')
    .option('--vcd <file>', 'write it as VCD, for GTKWave; - for standard output')
    .option('--json', 'NDJSON: header, signals, the turn of --until, the difference if there is one, end')
    .addHelpText(
      'after',
      `
Examples:
  understudy replay journal.usj
  understudy replay journal.usj --vcd tank.vcd --csv tank.csv
  understudy replay journal.usj --until 4711
  understudy replay journal.usj --until 4711 --inspect --program ~/greenhouse/main.ts

Exit code 0: every turn was equal. 1: a turn was not; the report says which and what differs. 7: this is not the program that the
journal was made with. 8: the journal is damaged. docs/replay.md has more.`,
    )
    .action(async (journal: string, options: ReplayCommandOptions) => {
      const { replayJournal } = await import('../replay/replay-command.ts');
      const { inspect, until, csv, vcd } = options;
      if (csv === '-' && vcd === '-') {
        program.error('error: only one of --csv and --vcd can be standard output (-)');
      }
      if (options.json === true && (csv === '-' || vcd === '-')) {
        program.error('error: --json and an export to standard output (-) do not go together');
      }
      process.exitCode = await replayJournal(journal, {
        untilTurn: until ?? null,
        program: options.program,
        inspectPort: inspect === undefined ? null : inspect === true ? debuggerPort : inspect,
        csv: csv ?? null,
        vcd: vcd ?? null,
        isJson: options.json === true,
      });
    });
}
