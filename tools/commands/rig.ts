/** `understudy rig`: long scenarios on the local pair, with the figures that docs/reliability.md quotes. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumber } from '../program.ts';

const refuse = (message: string): Error => new InvalidArgumentError(message);

export function registerRig(program: Command): void {
  program
    .command('rig')
    .description('run a long scenario on a local pair and print its figures')
    .argument('<scenario>', 'takeovers, load or cables')
    .option('--count <n>', 'takeovers: how many', wholeNumber(refuse, 1, 100_000), 200)
    .option('--minutes <n>', 'load: how long', wholeNumber(refuse, 1, 1440), 30)
    .option('--seconds <n>', 'cables: how long each cable is out', wholeNumber(refuse, 1, 3600), 60)
    .option('--workers <n>', 'load: busy processes beside the pair', wholeNumber(refuse, 0, 64), 1)
    .option('--program <file>', 'control program', 'examples/tank.js')
    .addOption(
      new Option('--plant <plant>', 'what the device controls').choices(['tank', 'bench']).default('tank'),
    )
    .addOption(
      new Option('--device <kind>', 'simulated, or the firmware on an emulated Arduino Mega')
        .choices(['simulated', 'mega'])
        .default('simulated'),
    )
    .option('--seed <n>', 'of the moments at which faults fall', wholeNumber(refuse, 0), 1)
    .addHelpText(
      'after',
      `
Examples:
  understudy rig takeovers --count 200     kills and freezes the primary in turn, prints the gaps at the device
  understudy rig takeovers --device mega   the same against the firmware's machine code
  understudy rig load --minutes 30         no fault, one core busy: counts false takeovers
  understudy rig cables --seconds 60       Ethernet out, back, serial out, back`,
    )
    .action(async (scenario: string, options: import('../rig/scenarios.ts').RigCommandOptions) => {
      const { runRigScenario } = await import('../rig/scenarios.ts');
      process.exitCode = await runRigScenario(scenario, options);
    });
}
