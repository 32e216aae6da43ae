/** What all commands share: the program's name, version, manner of refusing, and the table of exit codes in its help. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { exitCodeTexts } from './fault.ts';

export function createProgram(): Command {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
    description: string;
  };
  const program = new Command('understudy')
    .description(manifest.description)
    .version(manifest.version, '-V, --version')
    .showHelpAfterError('(--help shows what is possible)')
    .exitOverride();
  program.addHelpText(
    'after',
    `
Examples:
  npm start                                        a whole pair on this computer, to watch and to break
  node tools/understudy.js run --board a --config pair.yaml
  node tools/understudy.js doctor --config pair.yaml
  node tools/understudy.js journal show state-a/journal.usj --limit 20

Exit codes:
${exitCodeTexts()
  .map(({ code, text }) => `  ${String(code).padStart(3)}  ${text}`)
  .join('\n')}

Colours are left out when NO_COLOR is set or the output is no terminal.`,
  );
  return program;
}

/** A whole number option; the message states the rule. For commander's `option(flags, text, parser)`. */
export function wholeNumber(
  refuse: (message: string) => Error,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !(value >= least && value <= most)) {
      const rule = most === Number.MAX_SAFE_INTEGER ? `at least ${least}` : `${least}..${most}`;
      throw refuse(`must be a whole number, ${rule} (got ${text})`);
    }
    return value;
  };
}
