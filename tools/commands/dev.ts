/** `understudy dev`: a whole pair on this computer, to watch and to break. `npm start` is this. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ScriptFault, scriptFaults } from '../dev/script.ts';

interface Options {
  plant: 'tank' | 'bench';
  device: 'simulated' | 'mega';
  faults: readonly ScriptFault[];
  keep?: true;
  script?: true;
  json?: true;
  directory?: string;
}

function faultList(text: string): ScriptFault[] {
  return text.split(',').map((word) => {
    const fault = scriptFaults.find((each) => each === word.trim());
    if (fault === undefined) {
      throw new InvalidArgumentError(`each must be one of ${scriptFaults.join(', ')} (got ${word.trim()})`);
    }
    return fault;
  });
}

/** As the user would type it. */
function defaultProgram(): string {
  const file = fileURLToPath(new URL('../../examples/tank.js', import.meta.url));
  const typed = relative(process.cwd(), file);
  return typed.startsWith('..') ? file : typed;
}

export function registerDev(program: Command): void {
  program
    .command('dev')
    .description(
      'a whole pair on this computer: two boards, their cables, a simulated device; watch it and break it',
    )
    .argument('[program]', 'a johnny-five program (.js, .mjs, .cjs, .ts)', defaultProgram())
    .addOption(
      new Option('--plant <name>', 'what the simulated device controls')
        .choices(['tank', 'bench'])
        .default('tank'),
    )
    .addOption(
      new Option(
        '--device <kind>',
        'the device: simulated, or its firmware as machine code on an emulated Arduino Mega',
      )
        .choices(['simulated', 'mega'])
        .default('simulated'),
    )
    .addOption(
      new Option('--faults <list>', `what the script does, comma separated: ${scriptFaults.join(', ')}`)
        .argParser(faultList)
        .default(scriptFaults, 'all of them'),
    )
    .option('--keep', 'go on after the script, until q or Ctrl-C')
    .option('--script', 'lines instead of the live picture, as without a terminal')
    .option('--json', 'NDJSON: events, a status each second, faults, a summary')
    .option('--directory <path>', 'keep journals and logs here; must be new or empty')
    .addHelpText(
      'after',
      `
Examples:
  npm start                                             the water tank, live
  understudy dev my-program.js --plant bench            your own program, with inputs that move
  understudy dev --script --faults kill,cut-ethernet    as lines
  understudy dev --device mega                          the device's firmware, instruction by instruction
  understudy dev --json | jq 'select(.kind == "fault")'

Left alone it plays a script: kill the primary, freeze it, cut one cable, then the other, switch over. Any key stops the
script and gives you the keys: k kill, f freeze, s cut serial, e cut Ethernet, b both, r repair, w switch over, q end.
Exit code 0 only if the device saw nothing lost, nothing repeated, and the programs did not diverge; otherwise 1.`,
    )
    .action(async (file: string, options: Options) => {
      const { ownSurroundings, runDev } = await import('../dev/session.ts');
      const { plant, device, faults, directory } = options;
      process.exitCode = await runDev(
        {
          ...{ program: file, plant, device, faults },
          keep: options.keep === true,
          script: options.script === true,
          json: options.json === true,
          ...(directory === undefined ? {} : { directory }),
        },
        ownSurroundings(),
      );
    });
}
