/**
 * A command line as it is typed: words, options, and where each command's table entry says what it takes.
 *
 *   switchover --reason pump service --yes        `--reason` takes every word up to the next option
 *   watch "/dev/ttyACM0.confirmed" --every 500    quotes keep what is between them as one word
 */

export interface CommandLine {
  /** Words that are no options, the command's own name first. */
  words: string[];
  reason: string | null;
  yes: boolean;
  /** Options but `--yes` and `--reason`, with the word that follows each, or null. */
  options: Map<string, string | null>;
}

const tokens = /"([^"]*)"|'([^']*)'|(\S+)/g;

export function parseCommandLine(text: string): CommandLine {
  const line: CommandLine = { words: [], reason: null, yes: false, options: new Map() };
  let option: string | null = null;
  for (const [, double, single, plain] of text.matchAll(tokens)) {
    if (plain?.startsWith('--')) {
      option = plain;
      if (plain === '--yes') {
        line.yes = true;
        option = null;
      } else if (plain === '--reason') line.reason = '';
      else line.options.set(plain, null);
      continue;
    }
    const word = double ?? single ?? plain!;
    if (option === '--reason') line.reason = line.reason === '' ? word : `${line.reason} ${word}`;
    else if (option !== null && line.options.get(option) === null) line.options.set(option, word);
    else line.words.push(word);
  }
  return line;
}

export interface CommandEntry {
  name: string;
  usage: string;
  text: string;
  /** Words that may come first after the name. */
  words: readonly string[];
  options: readonly string[];
  /** It changes something: asks before it is done, needs a reason, and is written down. */
  changes: boolean;
  /** Allowed before a password was given. */
  unlocked?: boolean;
}

const order = (name: string, text: string): CommandEntry => ({
  name,
  usage: `${name} --reason TEXT [--yes]`,
  text,
  words: [],
  options: ['--reason', '--yes'],
  changes: true,
});

const view = (name: string, usage: string, text: string, ...words: string[]): CommandEntry => ({
  name,
  usage,
  text,
  words,
  options: [],
  changes: false,
});

export const logLevels = ['off', 'error', 'warn', 'info'] as const;
export type LogLevel = (typeof logLevels)[number];

export const commands: readonly CommandEntry[] = [
  view('status', 'status', 'this board: role, term, turns, the other board, links, devices'),
  view('links', 'links', 'both links: heard, round trip, traffic, what was discarded'),
  view('devices', 'devices', 'the devices, what each has accepted, and its pins'),
  view('events', 'events [N]', 'the newest N reports (20)'),
  view('journal', 'journal tail [N]', 'the newest N entries of the journal (20)', 'tail'),
  view(
    'explain',
    'explain [N | takeover]',
    'why it happened: the newest incident, or the Nth newest',
    'takeover',
  ),
  {
    ...view(
      'watch',
      'watch [VALUE | off] [--every MS]',
      'tells a value when it changes; without one: their names',
      'off',
    ),
    options: ['--every'],
  },
  order('switchover', 'the backup leads from here on'),
  order('isolate', 'this backup leaves the pair until join'),
  order('join', 'this isolated board is part of the pair again'),
  order('safe', 'stops the program on both boards and lets the devices go to their safe state'),
  order('lead', 'this board, which waits for the other one, leads without it'),
  {
    name: 'log',
    usage: `log ${logLevels.join('|')} [--board --reason TEXT [--yes]]`,
    text: 'which reports are told on this line by themselves; --board: in the board’s log',
    words: logLevels,
    options: ['--board', '--reason', '--yes'],
    changes: false,
  },
  {
    ...view('json', 'json on|off [--status MS]', 'NDJSON for programs', 'on', 'off'),
    options: ['--status'],
    unlocked: true,
  },
  { ...view('version', 'version', 'versions of Understudy, Node and the program'), unlocked: true },
  view('bundle', 'bundle', 'writes one diagnostic file: config without keys, status, events, journal'),
  { ...view('help', 'help [COMMAND]', 'this list'), unlocked: true },
  {
    ...view('login', 'login [PASSWORD]', 'where a password is set: gives the right to all commands'),
    unlocked: true,
  },
  view('logout', 'logout', 'takes it back'),
];

export function commandNamed(name: string): CommandEntry | null {
  return commands.find((entry) => entry.name === name) ?? null;
}

/** The words that may stand where the cursor is. `valueNames`: what can be watched. */
export function completions(before: string, valueNames: readonly string[]): string[] {
  const words = before.split(/\s+/).filter((word) => word !== '');
  const isNewWord = before === '' || /\s$/.test(before);
  const index = isNewWord ? words.length : words.length - 1;
  if (index === 0) return commands.map((entry) => entry.name);
  const entry = commandNamed(words[0]!);
  if (entry === null) return [];
  const { name, options } = entry;
  const unused = options.filter((option) => !words.slice(0, index).includes(option));
  if (index > 1) return [...unused];
  if (name === 'help') return commands.map((each) => each.name);
  const valuesToo = name === 'watch' ? valueNames : [];
  return [...entry.words, ...valuesToo, ...unused];
}
