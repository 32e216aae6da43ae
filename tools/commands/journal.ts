/** `understudy journal`: what a board has recorded, read from its file, on any machine. */
import { once } from 'node:events';
import { type Command, InvalidArgumentError } from 'commander';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { JournalError } from '../../firmware-host/journal/entry.ts';
import { type JournalReading, readJournal } from '../../firmware-host/journal/reader.ts';
import { WireError } from '../../protocol/bytes.ts';
import { decodeBatch, type RecordBatch, turnsOf } from '../../protocol/record.ts';
import { headerLines, noteLine, recordJson, recordLine, tailLine } from '../journal/lines.ts';
import { verifyJournal } from '../journal/verify.ts';
import { wholeNumber } from '../program.ts';

const refuse = (message: string): Error => new InvalidArgumentError(message);

interface ShowOptions {
  json?: true;
  turn: number;
  limit?: number;
}

export function registerJournal(program: Command): void {
  const journal = program.command('journal').description("look into a board's journal (journal.usj)");
  journal
    .command('show')
    .description('print the header, the notes, and the turns: what began each, and what is recorded of it')
    .argument('<file>', 'the journal; reading it while its board runs is allowed')
    .option('--turn <number>', 'begin at this turn', wholeNumber(refuse, 0), 0)
    .option('--limit <count>', 'print at most so many records', wholeNumber(refuse, 1))
    .option('--json', 'NDJSON: one header, then notes, turns and idle runs, then one end')
    .addHelpText(
      'after',
      `
Examples:
  understudy journal show /var/lib/understudy/journal.usj --limit 50
  understudy journal show journal.usj --turn 1200 --limit 1 --json`,
    )
    .action(async (file: string, options: ShowOptions) => {
      await show(file, options);
    });
  journal
    .command('verify')
    .description(
      'read the whole journal: checksums, encoding, turn numbers without gaps, time never backwards',
    )
    .argument('<file>')
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  understudy journal verify /var/lib/understudy/journal.usj

A torn tail (the last entry was being written when the power failed) is no fault: the board cuts it off when it starts.`,
    )
    .action(async (file: string, options: { json?: true }) => {
      process.exitCode = await verify(file, options.json === true);
    });
}

/** Waits for a slow reader: a day's journal does not fit into memory. */
async function print(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
}

async function show(file: string, options: ShowOptions): Promise<void> {
  const isJson = options.json === true;
  const reading = await readJournal(file);
  try {
    if (isJson) await print(JSON.stringify({ schema: 1, kind: 'header', file, ...reading.header }));
    else for (const line of headerLines(file, reading.header)) await print(line);
    await showEntries(reading, options, isJson);
  } finally {
    await reading.close();
  }
}

function decodeEntry(bytes: Uint8Array, atByte: number): RecordBatch {
  try {
    return decodeBatch(bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new JournalError(
      'JOURNAL_DAMAGED',
      `the batch at byte ${atByte} cannot be read: ${error.message}`,
      error,
    );
  }
}

async function showEntries(reading: JournalReading, options: ShowOptions, isJson: boolean): Promise<void> {
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  for await (const { entry, startByte } of reading.entries) {
    if (entry.kind === 'note') {
      // `kind` of a note is its own: 'term', 'device'.
      await print(
        isJson ? JSON.stringify({ schema: 1, kind: 'note', note: entry.note }) : noteLine(entry.note),
      );
    }
    if (entry.kind !== 'batch') continue;
    const batch = decodeEntry(entry.bytes, startByte);
    let turn = batch.firstTurn;
    for (const record of batch.records) {
      const endTurn = turn + turnsOf(record);
      if (endTurn > options.turn) {
        if (left-- === 0) return;
        await print(isJson ? JSON.stringify(recordJson(turn, startByte, record)) : recordLine(turn, record));
      }
      turn = endTurn;
    }
  }
  const { tail } = reading;
  if (isJson) await print(JSON.stringify({ schema: 1, kind: 'end', tail }));
  else if (tail !== null) await print(tailLine(tail));
}

async function verify(file: string, isJson: boolean): Promise<number> {
  const result = await verifyJournal(file);
  const isGood = result.faults.length === 0;
  if (isJson) await print(JSON.stringify({ schema: 1, kind: 'verify', file, good: isGood, ...result }));
  else {
    for (const fault of result.faults) await print(`${fault.code} ${fault.text}`);
    const seconds = ((result.lastTimeUs - result.firstTimeUs) / 1e6).toFixed(1);
    await print(
      `${result.entries} entries, ${result.notes} notes, ${result.turns} turns (${result.idleTurns} idle), ` +
        `${seconds} s, ${result.bytes} bytes`,
    );
    if (result.tail !== null) await print(tailLine(result.tail));
    await print(isGood ? 'good' : 'DAMAGED');
  }
  return isGood ? exitCodes.ok.code : exitCodes.journal.code;
}
