/** `understudy bench`: the measurements that docs/performance.md explains. */
import { type Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../program.ts';

const refuse = (message: string): Error => new InvalidArgumentError(message);

const addTo = (text: string, before: readonly string[]): string[] => [...before, ...text.split(',')];

interface BenchWords {
  only: string[];
  runs?: number;
  minutes?: number;
  contestant: string[];
  fault: string[];
  json?: string;
  html?: string;
  quick?: true;
}

export function registerBench(program: Command): void {
  program
    .command('bench')
    .description(
      'measure this machine: takeover gaps beside other ways to fail over, latency, cost, throughput',
    )
    .option('--only <names>', 'measurements, separated by commas', addTo, [])
    .option('--runs <n>', 'runs of each cell', wholeNumber(refuse, 1, 100_000))
    .option(
      '--minutes <n>',
      'takeover: watch under CPU load for false takeovers; 0: none',
      wholeNumber(refuse, 0, 1440),
    )
    .option('--contestant <names>', 'takeover: only these, separated by commas', addTo, [])
    .option('--fault <names>', 'takeover: only these, separated by commas', addTo, [])
    .option('--json <file>', 'all results, with every sample')
    .option('--html <file>', 'a page with plots, in one file')
    .option('--quick', 'few and short runs: for a first look')
    .addHelpText(
      'after',
      `
Examples:
  npm run bench -- --quick                                   everything, in little time
  npm run bench -- --only takeover --runs 200 --minutes 10 --json takeover.json --html takeover.html
  sudo -E npm run bench -- --only takeover --contestant keepalived-1s,understudy

keepalived and mosquitto: tools/install-debian-packages.sh bench. keepalived runs in network namespaces, which only root
may make. What is missing is reported as skipped.`,
    )
    .action(async (words: BenchWords) => {
      const { runBench } = await import('../bench/run-bench.ts');
      process.exitCode = await runBench({
        quick: words.quick === true,
        runs: words.runs ?? null,
        minutes: words.minutes ?? null,
        contestants: words.contestant,
        faults: words.fault,
        only: words.only,
        jsonFile: words.json ?? null,
        htmlFile: words.html ?? null,
      });
    });
}
