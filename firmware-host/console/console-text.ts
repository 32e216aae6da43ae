/** What a console shows to people: items as lines of at most 80 columns. Numbers carry their unit. */
import { commands } from './command-line.ts';
import type {
  ConsoleItem,
  DeviceOnConsole,
  EventOnConsole,
  Incident,
  LinkOnConsole,
  StatusOnConsole,
} from './console-schema.ts';
import { ruleTexts } from './incident-rules.ts';
import type { StatusValue } from './status-values.ts';

const columns = 79;

/** Breaks at spaces; lines after the first are indented. Control characters become visible: a report may quote anything. */
export function wrapped(text: string, indent = ''): string[] {
  const lines: string[] = [];
  const [, lead = '', rest = ''] = /^( *)(.*)$/.exec(visible(text))!;
  let line = lead;
  let isBegun = false;
  for (const word of rest.split(' ')) {
    if (isBegun && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = isBegun ? `${line} ${word}` : `${line}${word}`;
    isBegun = true;
  }
  lines.push(line);
  return lines;
}

export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (each) =>
    each === '\n' ? ' | ' : `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

const ms = (value: number | null, digits = 0): string =>
  value === null ? 'never' : `${value.toFixed(digits)} ms`;

export function statusLines(status: StatusOnConsole): string[] {
  const { board, role, term, turns, executedTurns, releasedTurns, verdict, silentForMs } = status;
  const peer = board === 'a' ? 'b' : 'a';
  const heard = silentForMs === null ? 'not heard yet' : `${verdict}, last heard ${ms(silentForMs)} ago`;
  return [
    `board ${board}: ${role}, term ${term}, ${protection(status)}`,
    `  turns      ${turns} recorded, ${executedTurns} run, ${releasedTurns} released`,
    `  board ${peer}    ${heard}${lagText(status)}`,
    ...linkLines(status.links),
    ...deviceLines(status.devices, false),
  ];
}

function lagText({ lagTurns, lagMs }: StatusOnConsole): string {
  if (lagTurns === null) return '';
  return `; backup ${lagTurns} turns behind${lagMs === null ? '' : `, ${ms(lagMs)}`}`;
}

function protection({ role, protected: isProtected }: StatusOnConsole): string {
  switch (role) {
    case 'primary':
      return isProtected ? 'protected' : 'SOLO: the next failure stops the program';
    case 'backup':
      return 'can take over';
    case 'stopped':
      return 'takes no part in the pair';
    default:
      return 'cannot take over';
  }
}

export function linkLines(links: readonly LinkOnConsole[]): string[] {
  return links.map((link) => {
    const discarded = Object.values(link.discarded).reduce((sum, count) => sum + count, 0);
    const heard = link.silentForMs === null ? 'never heard' : `heard ${ms(link.silentForMs)} ago`;
    const trip = link.roundTripMs === null ? '' : `, trip ${ms(link.roundTripMs, 1)}`;
    return `  ${link.name.padEnd(9)}  ${link.up ? 'up  ' : 'DOWN'}  ${heard}${trip}, ${discarded} discarded`;
  });
}

export function linkDetailLines(links: readonly LinkOnConsole[]): string[] {
  const lines: string[] = [];
  for (const link of links) {
    lines.push(...linkLines([link]));
    lines.push(
      `    sent ${link.sent} (${link.bytesSent} bytes), received ${link.received} (${link.bytesReceived} bytes)`,
    );
    lines.push(`    sent again ${link.retransmitted}, received twice ${link.duplicates}`);
    const discarded = Object.entries(link.discarded).map(([reason, count]) => `${reason} ${count}`);
    if (discarded.length > 0) lines.push(...wrapped(`    discarded: ${discarded.join(', ')}`, '      '));
  }
  return lines;
}

export function deviceLines(devices: readonly DeviceOnConsole[], withPins: boolean): string[] {
  const lines: string[] = [];
  for (const device of devices) {
    const { name, kind, open, attached, produced, confirmed, inputs, inputsLost } = device;
    const held = !open
      ? 'port CLOSED'
      : kind === 'plain'
        ? 'port open'
        : attached
          ? 'held by this board'
          : 'port open';
    lines.push(`  ${visible(name)}  ${kind}${device.arbiter ? ', arbiter' : ''}, ${held}`);
    lines.push(
      `    outputs ${confirmed} of ${produced} bytes accepted, inputs ${inputs} bytes, ${inputsLost} lost`,
    );
    if (!withPins) continue;
    const pins = (device.pins ?? []).map(
      (pin) => `${pin.name}=${pin.value}${pin.mode === null ? '' : ` ${pin.mode}`}`,
    );
    if (pins.length > 0) lines.push(...wrapped(`    pins ${pins.join(', ')}`, '      '));
  }
  return lines;
}

const levels = { info: 'info ', warning: 'WARN ', alarm: 'ALARM' } as const;

export function eventLines({ wallTimeMs, report }: EventOnConsole): string[] {
  const time = new Date(wallTimeMs).toISOString().slice(11, 23);
  return wrapped(`${time} ${levels[report.level]} ${report.code} ${report.text}`, '             ');
}

export function incidentLines(incident: Incident, index: number, count: number): string[] {
  const lines = [`incident ${index} of ${count}, newest first: ${incident.outcome}`];
  for (const [at, sentence] of incident.sentences.entries()) {
    lines.push(...wrapped(`  ${at + 1}. ${sentence}`, '     '));
  }
  lines.push(...wrapped(`  cause  ${incident.cause}`));
  lines.push(
    ...wrapped(`  rule   ${incident.rule}: ${ruleTexts[incident.rule]} (${incident.section})`, '         '),
  );
  const { kernelNoticeMsBefore, events } = incident.evidence;
  if (kernelNoticeMsBefore !== null)
    lines.push(`  kernel said that the process is gone ${ms(kernelNoticeMsBefore)} before the verdict`);
  lines.push(...wrapped(`  seen in events ${events.join(', ')}`, '    '));
  return lines;
}

export function helpLines(name: string | null): string[] {
  const lines: string[] = [];
  for (const entry of commands) {
    if (name !== null && entry.name !== name) continue;
    lines.push(`  ${entry.usage}`, ...wrapped(`      ${entry.text}`, '      '));
  }
  if (name === null) lines.push('  Tab completes, arrows edit and recall, Ctrl-C drops what was begun.');
  return lines;
}

/** Words side by side. */
export function columnLines(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 2 + word.length > columns) lines.push(`  ${word}`);
    else lines[lines.length - 1] = `${last}  ${word}`;
  }
  return lines;
}

export function valueText(name: string, value: StatusValue): string {
  return `${visible(name)} = ${value === null ? 'unknown' : visible(String(value))}`;
}

/** What an item looks like to people; no lines for what only programs need. */
export function itemLines(item: ConsoleItem): string[] {
  switch (item.kind) {
    case 'status':
      return statusLines(item);
    case 'report':
      return eventLines(item);
    case 'events':
      return item.events.length === 0 ? ['nothing has been reported'] : item.events.flatMap(eventLines);
    case 'links':
      return linkDetailLines(item.links);
    case 'devices':
      return deviceLines(item.devices, true);
    case 'journal':
      if (item.lines.length === 0) return ['nothing has been journalled since this process began'];
      return item.lines.flatMap(({ turn, kind, text }) => wrapped(`${turn} ${kind} ${text}`, '    '));
    case 'explain':
      if (item.incident === null) return ['nothing of the kind has happened since this board’s start'];
      return incidentLines(item.incident, item.index, item.count);
    case 'value':
      return [valueText(item.name, item.value)];
    case 'version':
      return [
        `understudy ${item.version}, node ${item.node}, program ${item.programHash.slice(0, 16)}, console schema ${item.schema}`,
      ];
    case 'bundle':
      return wrapped(`${item.bytes} bytes written: ${item.path}`);
    case 'confirm':
      return [...wrapped(item.text), 'Type yes to go on:'];
    case 'done':
      return wrapped(item.text);
    case 'error':
      return wrapped(`error: ${item.text}`);
    case 'dropped':
      return [`(${item.items} left out: this line could not take them)`];
    case 'hello':
    case 'help':
      return [];
  }
}
