/** The worked examples of README.md §1-§4 and §9, computed again; those of §5 and §6 are in firmware-host/crypto.test.ts. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from './bytes.ts';
import { cobsEncode } from './cobs.ts';
import { crc16, crc32 } from './crc.ts';
import { encodeFrame } from './frame.ts';
import { decodeBatch, encodeBatch, encodeOutputs, type RecordBatch, turnsOf } from './record.ts';

const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const of = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const digits = new TextEncoder().encode('123456789');

/** The text of one section, so that an example is looked for where it belongs. */
function section(number: number): string {
  const [, text] = readme.split(`\n## §${number} `);
  return text!.split('\n## ')[0]!;
}

test('§1 primitives', () => {
  const write = (writing: (writer: ByteWriter) => ByteWriter): string =>
    hex(writing(new ByteWriter()).finish());
  expect(section(1)).toContain(`u32 305419896 = \`${write((w) => w.u32(305419896))}\``);
  expect(section(1)).toContain(`300 = \`${write((w) => w.varint(300))}\``);
  expect(section(1)).toContain(`-3 = \`${write((w) => w.signed(-3))}\``);
  expect(section(1)).toContain(`\`aabb\` = \`${write((w) => w.bytes(of('aabb')))}\``);
  expect(section(1)).toContain(`"hi" = \`${write((w) => w.text('hi'))}\``);
  expect(new ByteReader(of('8000')).varint()).toBe(0);
});

test('§2 checks', () => {
  expect(section(2)).toContain(`\`${crc32(digits).toString(16)}\``);
  expect(section(2)).toContain(`\`${crc16(digits).toString(16)}\``);
});

test('§3 COBS', () => {
  const rows = [...section(3).matchAll(/^\| `([0-9a-f]+)` \| `([0-9a-f]+)` \|$/gm)];
  expect(rows).toHaveLength(4);
  for (const [, bytes, encoded] of rows) expect(hex(cobsEncode(of(bytes!)))).toBe(encoded);
});

test('§4 serial frames', () => {
  expect(section(4)).toContain(`\`${hex(encodeFrame(digits, 'crc32'))}\``);
  expect(section(4)).toContain(`\`${hex(encodeFrame(digits, 'crc16'))}\``);
});

test('§9.3 batch', () => {
  const rows = [...section(9).matchAll(/^((?:[0-9a-f]{2,} )+) {2,}\S.*$/gm)].map(([, bytes]) => bytes!);
  expect(rows).toHaveLength(4);
  const nothing = new Uint8Array(0);
  const batch: RecordBatch = {
    firstTurn: 1000,
    records: [
      {
        kind: 'turn',
        timeUs: 1_700_000_000_000_000,
        event: { kind: 'port-data', port: 0, bytes: of('e0100d') },
        values: nothing,
        hasOutputs: true,
        digest: 0x12345678,
      },
      { kind: 'idle', timeUs: 1_700_000_000_001_000, stepUs: 1000, count: 50 },
      {
        kind: 'turn',
        timeUs: 1_700_000_000_050_500,
        event: { kind: 'time' },
        values: of('07'),
        hasOutputs: false,
        digest: 0,
      },
    ],
  };
  expect(hex(encodeBatch(batch))).toBe(rows.join('').replaceAll(' ', ''));
  expect(decodeBatch(of(rows.join('')))).toEqual(batch);
  expect(batch.records.reduce((turns, record) => turns + turnsOf(record), 1000)).toBe(1052);
});

test('§9.4 outputs', () => {
  const outputs = encodeOutputs([
    { kind: 'write', port: 0, bytes: of('e0') },
    { kind: 'exit', code: 1 },
  ]);
  expect(section(9)).toContain('`00 00 01e0 04 02`');
  expect(hex(outputs)).toBe('000001e00402');
});
