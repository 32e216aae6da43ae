/**
 * An assembler for as much of the AVR instruction set as the emulator's tests need (AVR Instruction Set Manual, DS40002198),
 * so that they run where no compiler is installed.
 *
 * One instruction a line, `label:` before it, `;` begins a comment, `.org` takes a word address, numbers are decimal,
 * 0x or 0b. Registers are r0..r31; I/O instructions take the I/O address (data address less 0x20), as in the manual.
 */
import { type MachineOptions, Mega2560 } from './machine.ts';

type Encoder = (
  operands: readonly string[],
  context: { at: number; labels: ReadonlyMap<string, number> },
) => number[];

const number = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value)) throw new Error(`not a number: ${text}`);
  return value;
};
const registerNumber = (text: string): number => {
  const match = /^r(\d+)$/.exec(text);
  if (match === null || Number(match[1]) > 31) throw new Error(`not a register: ${text}`);
  return Number(match[1]);
};
const upper = (text: string): number => {
  const found = registerNumber(text) - 16;
  if (found < 0) throw new Error(`needs r16..r31: ${text}`);
  return found;
};
const immediate =
  (opcode: number): Encoder =>
  ([d, k]) => [opcode | ((number(k!) & 0xf0) << 4) | (upper(d!) << 4) | (number(k!) & 0x0f)];
const two =
  (opcode: number): Encoder =>
  ([d, r]) => {
    const source = registerNumber(r!);
    return [opcode | ((source & 0x10) << 5) | (registerNumber(d!) << 4) | (source & 0x0f)];
  };
const one =
  (opcode: number): Encoder =>
  ([d]) => [opcode | (registerNumber(d!) << 4)];
const bit =
  (opcode: number): Encoder =>
  ([a, b]) => [opcode | (number(a!) << 3) | number(b!)];
const registerBit =
  (opcode: number): Encoder =>
  ([r, b]) => [opcode | (registerNumber(r!) << 4) | number(b!)];
const io = (address: number): number => ((address & 0x30) << 5) | (address & 0x0f);
const fixed =
  (opcode: number): Encoder =>
  () => [opcode];
const target = (label: string, labels: ReadonlyMap<string, number>): number => {
  const found = labels.get(label);
  if (found === undefined) throw new Error(`no such label: ${label}`);
  return found;
};
const branch =
  (opcode: number): Encoder =>
  ([label], { at, labels }) => [opcode | (((target(label!, labels) - at - 1) & 0x7f) << 3)];
const far =
  (opcode: number): Encoder =>
  ([label], { labels }) => [opcode, target(label!, labels)];

const encoders: Record<string, Encoder> = {
  nop: fixed(0x0000),
  sei: fixed(0x9478),
  cli: fixed(0x94f8),
  ret: fixed(0x9508),
  reti: fixed(0x9518),
  sleep: fixed(0x9588),
  wdr: fixed(0x95a8),
  ldi: immediate(0xe000),
  cpi: immediate(0x3000),
  subi: immediate(0x5000),
  ori: immediate(0x6000),
  andi: immediate(0x7000),
  mov: two(0x2c00),
  add: two(0x0c00),
  eor: two(0x2400),
  inc: one(0x9403),
  dec: one(0x940a),
  push: one(0x920f),
  pop: one(0x900f),
  /** st X+, r */
  stx: one(0x920d),
  sbi: bit(0x9a00),
  cbi: bit(0x9800),
  sbic: bit(0x9900),
  sbis: bit(0x9b00),
  sbrc: registerBit(0xfc00),
  sbrs: registerBit(0xfe00),
  breq: branch(0xf001),
  brne: branch(0xf401),
  out: ([a, r]) => [0xb800 | io(number(a!)) | (registerNumber(r!) << 4)],
  in: ([d, a]) => [0xb000 | io(number(a!)) | (registerNumber(d!) << 4)],
  sts: ([a, r]) => [0x9200 | (registerNumber(r!) << 4), number(a!)],
  lds: ([d, a]) => [0x9000 | (registerNumber(d!) << 4), number(a!)],
  rjmp: ([label], { at, labels }) => [0xc000 | ((target(label!, labels) - at - 1) & 0xfff)],
  jmp: far(0x940c),
  call: far(0x940e),
};

interface Line {
  at: number;
  text: string;
  operands: string[];
  encode: Encoder;
}

/** Program memory, low byte first. Throws with the line that is wrong. */
export function assemble(source: string): Uint8Array {
  const labels = new Map<string, number>();
  const lines: Line[] = [];
  let at = 0;
  for (const text of source.split('\n')) {
    const [, label, rest] = /^\s*(?:(\w+):)?\s*([^;]*)/.exec(text)!;
    if (label !== undefined) labels.set(label, at);
    const [mnemonic, ...words] = rest!.trim().split(/[\s,]+/);
    if (mnemonic === undefined || mnemonic === '') continue;
    if (mnemonic === '.org') {
      at = number(words[0]!);
      continue;
    }
    const encode = encoders[mnemonic];
    if (encode === undefined) throw new Error(`no such instruction: ${text}`);
    lines.push({ at, text, operands: words, encode });
    at += ['sts', 'lds', 'jmp', 'call'].includes(mnemonic) ? 2 : 1;
  }
  const words = new Map<number, number>();
  for (const { at: address, operands, encode, text } of lines) {
    try {
      for (const [index, word] of encode(operands, { at: address, labels }).entries())
        words.set(address + index, word);
    } catch (error) {
      throw new Error(`${text.trim()}: ${(error as Error).message}`);
    }
  }
  const bytes = new Uint8Array(2 * (Math.max(...words.keys()) + 1));
  for (const [address, word] of words) {
    bytes[2 * address] = word & 0xff;
    bytes[2 * address + 1] = word >> 8;
  }
  return bytes;
}

/** A machine that has just run the start-up time: the firmware's first instruction comes next. */
export function machineWith(source: string, options: Partial<MachineOptions> = {}): Mega2560 {
  return new Mega2560({ program: assemble(source), startUpMs: 0, ...options });
}
