/** `understudy run`: one board of the pair, in the foreground. */
import { type Command, Option } from 'commander';

export function registerRun(program: Command): void {
  program
    .command('run')
    .description(
      'run one board of the pair: its supervisor and, in a process of its own, the control program',
    )
    .addOption(
      new Option('--board <a|b>', 'which board of the config this machine is')
        .choices(['a', 'b'])
        .makeOptionMandatory(),
    )
    .requiredOption('--config <file>', 'the pair: docs/config.md; the same file may lie on both boards')
    .option('--json', 'log as NDJSON')
    .option('--until-stdin-ends', 'end at once when standard input ends, for rigs')
    .addHelpText(
      'after',
      `
Examples:
  understudy run --board a --config pair.yaml         on one machine
  understudy run --board b --config pair.yaml         on the other
  understudy run --board a --config pair.yaml --json 2> events.ndjson

The log goes to standard error, the program's own output to standard output. SIGTERM and SIGINT end the board in
order: a primary hands the reign over first.`,
    )
    .action(async (options: { board: 'a' | 'b'; config: string; json?: true; untilStdinEnds?: true }) => {
      const { runBoard } = await import('../../firmware-host/main.ts');
      process.exitCode = await runBoard({
        board: options.board,
        configFile: options.config,
        json: options.json === true,
        untilStdinEnds: options.untilStdinEnds === true,
      });
    });
}
