/**
 * What the pair costs: processor and memory of each process, and bytes on the bus, with a slow program and a fast one.
 *
 * The bus is counted twice: as the links count it (sealed, with acknowledgements and heartbeats), and record by record
 * as the codec writes it, beside the encodings that people would use instead (encodings.ts).
 */
import { fileURLToPath } from 'node:url';
import { bundleProgram } from '../../firmware-host/bundle/bundler.ts';
import { encodeBatch, type JournalRecord, type ReplicaEvent, turnsOf } from '../../protocol/record.ts';
import { type BenchPair, startProtectedPair } from './bench-pair.ts';
import { cbor, json, messagePack, protocolBuffers, recordAsMessage, recordAsObject } from './encodings.ts';
import { FastForward } from './fast-forward.ts';
import type { Figure, Measurement, MeasureOptions, Part } from './measurement.ts';
import { memoryOf, processorSeconds } from './process-cost.ts';

const tank = fileURLToPath(new URL('../../examples/tank.js', import.meta.url));
const fast = fileURLToPath(new URL('./programs/control-loop-1khz.js', import.meta.url));
const mebibyte = 2 ** 20;
/** Until V8 has compiled what runs a hundred times a second: it waits for some thousand calls. */
const warmUpMs = 60_000;
/** Records that one batch holds on a busy bus; one alone is the other extreme. */
const batchRecords = 20;
const processorShareMax = 10;
const residentMebibytesMax = 120;
const overheadBytesMax = 8;
const jsonShareMax = 0.2;

type BoardName = 'a' | 'b';

interface Snapshot {
  atMs: number;
  processor: Record<string, number>;
  turns: number;
  busBytes: Record<string, number>;
}

/** The processes of the pair by the names under which they are shown. */
function processesOf(pair: BenchPair): [name: string, board: BoardName, pid: number][] {
  return (['a', 'b'] as const).flatMap((board) => {
    const status = pair.boards[board].status!;
    const role = status.role === 'primary' ? 'primary' : 'backup';
    const found: [string, BoardName, number][] = [[`supervisor, ${role}`, board, status.pid]];
    if (status.replicaPid !== null) found.push([`replica, ${role}`, board, status.replicaPid]);
    return found;
  });
}

async function snapshot(pair: BenchPair): Promise<Snapshot> {
  const status = await pair.freshStatus('a');
  const other = await pair.freshStatus('b');
  const busBytes: Record<string, number> = {};
  for (const { name, bytesSent } of [...status.links, ...other.links]) {
    busBytes[name] = (busBytes[name] ?? 0) + bytesSent;
  }
  return {
    atMs: performance.now(),
    processor: Object.fromEntries(processesOf(pair).map(([name, , pid]) => [name, processorSeconds(pid)])),
    turns: Math.max(status.turns, other.turns),
    busBytes,
  };
}

async function costOf(id: string, text: string, program: string, options: MeasureOptions): Promise<Figure[]> {
  const pair = await startProtectedPair({ program, device: { mode: 'fenced', baudRate: 0, plant: 'tank' } });
  try {
    const seconds = options.quick ? 10 : 60;
    options.tell(`cost: ${text}, ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, options.quick ? 3_000 : warmUpMs));
    const before = await snapshot(pair);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const after = await snapshot(pair);
    return costFigures(id, text, pair, before, after);
  } finally {
    await pair.stop();
  }
}

function costFigures(id: string, text: string, pair: BenchPair, before: Snapshot, after: Snapshot): Figure[] {
  const elapsedS = (after.atMs - before.atMs) / 1000;
  const isTank = id === 'tank';
  const figures: Figure[] = [];
  const perBoard: Record<BoardName, { processor: number; resident: number; proportional: number }> = {
    a: { processor: 0, resident: 0, proportional: 0 },
    b: { processor: 0, resident: 0, proportional: 0 },
  };
  for (const [name, board, pid] of processesOf(pair)) {
    const share = (100 * (after.processor[name]! - before.processor[name]!)) / elapsedS;
    const { residentBytes, proportionalBytes } = memoryOf(pid);
    perBoard[board].processor += share;
    perBoard[board].resident += residentBytes / mebibyte;
    perBoard[board].proportional += proportionalBytes / mebibyte;
    const stem = `cost.${id}.${name.replace(', ', '-')}`;
    figures.push(
      { id: `${stem}.processor`, text: `${text}: ${name}, processor`, value: share, unit: '% of a core' },
      {
        id: `${stem}.resident`,
        text: `${text}: ${name}, resident`,
        value: residentBytes / mebibyte,
        unit: 'MiB',
      },
    );
  }
  for (const board of ['a', 'b'] as const) {
    const role = pair.boards[board].status!.role;
    const { processor, resident, proportional } = perBoard[board];
    const stem = `cost.${id}.board-${role}`;
    const most = (value: number): Pick<Figure, 'bound'> =>
      isTank ? { bound: { kind: 'at most', value } } : {};
    figures.push(
      {
        id: `${stem}.processor`,
        text: `${text}: whole ${role} board, processor`,
        value: processor,
        unit: '% of a core',
        ...most(processorShareMax),
      },
      {
        id: `${stem}.resident`,
        text: `${text}: whole ${role} board, resident`,
        value: resident,
        unit: 'MiB',
        ...most(residentMebibytesMax),
      },
      {
        id: `${stem}.proportional`,
        text: `${text}: whole ${role} board, resident, shared pages divided`,
        value: proportional,
        unit: 'MiB',
      },
    );
  }
  const turns = after.turns - before.turns;
  figures.push({ id: `cost.${id}.turns`, text: `${text}: turns`, value: turns / elapsedS, unit: '1/s' });
  for (const [link, bytes] of Object.entries(after.busBytes)) {
    const sent = bytes - (before.busBytes[link] ?? 0);
    figures.push({
      id: `cost.${id}.bus-${link}`,
      text: `${text}: ${link} link, both ways, sealed, with heartbeats`,
      value: sent / elapsedS,
      unit: 'B/s',
    });
  }
  return figures;
}

/** What of a record is the event's own: the bytes that the world sent, and no encoding can leave out. */
export function ownBytes(event: ReplicaEvent): number {
  switch (event.kind) {
    case 'port-data':
    case 'stdin':
      return event.bytes.length;
    case 'completed':
      return event.result.length;
    case 'start':
      return JSON.stringify(event).length;
    default:
      return 0;
  }
}

export interface RecordBytes {
  records: number;
  own: number;
  batched: number;
  alone: number;
  json: number;
  messagePack: number;
  cbor: number;
  protocolBuffers: number;
}

/** The start is left out: it is there once. */
export function bytesOfRecords(all: readonly JournalRecord[]): RecordBytes {
  const sum: RecordBytes = {
    records: 0,
    own: 0,
    batched: 0,
    alone: 0,
    json: 0,
    messagePack: 0,
    cbor: 0,
    protocolBuffers: 0,
  };
  let turn = 0;
  let batch: JournalRecord[] = [];
  let batchTurn = 0;
  const close = (): void => {
    if (batch.length > 0) sum.batched += encodeBatch({ firstTurn: batchTurn, records: batch }).length;
    batch = [];
  };
  for (const record of all) {
    if (record.kind !== 'turn' || record.event.kind !== 'start') {
      if (batch.length === 0) batchTurn = turn;
      batch.push(record);
      const object = recordAsObject(turn, record);
      sum.records += 1;
      sum.own += record.kind === 'turn' ? ownBytes(record.event) : 0;
      sum.alone += encodeBatch({ firstTurn: turn, records: [record] }).length;
      sum.json += json(object).length;
      sum.messagePack += messagePack(object).length;
      sum.cbor += cbor(object).length;
      sum.protocolBuffers += protocolBuffers(recordAsMessage(turn, record)).length;
      if (batch.length === batchRecords) close();
    }
    turn += turnsOf(record);
  }
  close();
  return sum;
}

async function encodingFigures(
  id: string,
  text: string,
  program: string,
  options: MeasureOptions,
): Promise<Figure[]> {
  const seconds = options.quick ? 60 : 600;
  options.tell(`cost: records of ${seconds} s of ${text} in several encodings`);
  const { code } = await bundleProgram(program);
  const forward = new FastForward(code, program);
  try {
    await forward.runTo(seconds * 1000);
  } finally {
    await forward.stop();
  }
  const sum = bytesOfRecords(forward.records);
  const each = (bytes: number): number => bytes / sum.records;
  const figure = (name: string, what: string, value: number, bound?: number): Figure => ({
    id: `cost.${id}.record-${name}`,
    text: `${text}: ${what}`,
    value,
    unit: name.endsWith('share') ? '' : 'B',
    ...(bound === undefined ? {} : { bound: { kind: 'at most', value: bound } }),
  });
  return [
    figure('own', "the event's own bytes, a record", each(sum.own)),
    figure('batched', `our record, in batches of ${batchRecords}, before sealing`, each(sum.batched)),
    figure(
      'overhead',
      "of which beyond the event's own bytes",
      each(sum.batched - sum.own),
      overheadBytesMax,
    ),
    figure('alone', 'our record, one a batch, before sealing', each(sum.alone)),
    figure('json', 'the same as JSON', each(sum.json)),
    figure('messagepack', 'the same as MessagePack', each(sum.messagePack)),
    figure('cbor', 'the same as CBOR', each(sum.cbor)),
    figure('protobuf', 'the same as Protocol Buffers', each(sum.protocolBuffers)),
    figure('json-share', 'our record beside JSON', sum.batched / sum.json, jsonShareMax),
  ];
}

async function run(options: MeasureOptions): Promise<Part> {
  const programs = [
    ['tank', 'tank', tank],
    ['fast', '1 kHz loop', fast],
  ] as const;
  const figures: Figure[] = [];
  for (const [id, text, program] of programs) {
    figures.push(...(await costOf(id, text, program, options)));
    figures.push(...(await encodingFigures(id, text, program, options)));
  }
  return {
    id: 'cost',
    title: 'Cost: processor, memory, bytes on the bus',
    figures,
    plots: [],
    remarks: [
      'Resident counts the pages of the Node binary in every process; divided shows what one more process takes.',
      'Records of the encodings table come from the same program in virtual time, on an otherwise empty machine.',
      'JSON, MessagePack and CBOR say field names, as without a schema; Protocol Buffers numbers the fields.',
    ],
  };
}

export const cost: Measurement = { id: 'cost', title: 'Cost', run };
