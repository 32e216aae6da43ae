/**
 * The instructions that make up nearly all of a compiled firmware (AVR Instruction Set Manual, DS40002198), one function each,
 * on avr8js's CPU. decoder.ts chooses the function once for each word of the program; avr8js asks some hundred questions of
 * every instruction each time. What has no function here is left to avr8js.
 *
 * instructions.test.ts holds them to avr8js's registers, flags, memory and cycles, but for what avr8js has wrong: H, V of NEG
 * 0x80, and Z of a subtraction with carry whose borrow reaches 256.
 */
import type { CPU } from 'avr8js';
import { ramStart } from './registers.ts';

/** `first`: register, or bit of SREG. `second`: register, constant, displacement, address, mask or the word to go to. */
export type Instruction = (cpu: CPU, first: number, second: number) => void;

const status = 95;
const stackLow = 93;
const stackHigh = 94;
const carry = 0x01;
const zero = 0x02;
const xPointer = 26;
const yPointer = 28;
const zPointer = 30;
/** What each group of instructions leaves alone in SREG: T and I; these with H and C; these with H. */
const keepForArithmetic = 0xc0;
const keepForLogic = 0xe1;
const keepForShift = 0xe0;

/** N in bit 2, V in bit 3, their exclusive or, S, in bit 4. */
function signFlags(negative: number, overflow: number): number {
  return (negative << 2) | (overflow << 3) | ((negative ^ overflow) << 4);
}

function next(cpu: CPU): void {
  cpu.pc += 1;
  cpu.cycles += 1;
}

function addInto(cpu: CPU, register: number, d: number, r: number, carried: number): void {
  const { data } = cpu;
  const result = (d + r + carried) & 0xff;
  data[register] = result;
  const carries = (d & r) | (r & ~result) | (~result & d);
  const overflow = (((d & r & ~result) | (~d & ~r & result)) >> 7) & 1;
  data[status] =
    (data[status]! & keepForArithmetic) |
    ((carries >> 7) & 1) |
    (result === 0 ? zero : 0) |
    signFlags(result >> 7, overflow) |
    (((carries >> 3) & 1) << 5);
  next(cpu);
}

/** `whenZero`: what Z becomes for a zero result; with a borrow it only stays. Returns the result. */
function subtractFlags(data: Uint8Array, d: number, r: number, borrow: number, whenZero: number): number {
  const result = (d - r - borrow) & 0xff;
  const borrows = (~d & r) | (r & result) | (result & ~d);
  const overflow = (((d & ~r & ~result) | (~d & r & result)) >> 7) & 1;
  data[status] =
    (data[status]! & keepForArithmetic) |
    ((borrows >> 7) & 1) |
    (result === 0 ? whenZero : 0) |
    signFlags(result >> 7, overflow) |
    (((borrows >> 3) & 1) << 5);
  return result;
}

function logicInto(cpu: CPU, register: number, result: number, overflow: number): void {
  const { data } = cpu;
  data[register] = result;
  data[status] =
    (data[status]! & keepForLogic) | (result === 0 ? zero : 0) | signFlags(result >> 7, overflow);
  next(cpu);
}

function shiftInto(cpu: CPU, register: number, result: number, carried: number): void {
  const { data } = cpu;
  const negative = result >> 7;
  data[register] = result;
  data[status] =
    (data[status]! & keepForShift) |
    carried |
    (result === 0 ? zero : 0) |
    signFlags(negative, negative ^ carried);
  next(cpu);
}

function wordOf(data: Uint8Array, low: number): number {
  return data[low]! | (data[low + 1]! << 8);
}

function setWord(data: Uint8Array, low: number, word: number): void {
  data[low] = word & 0xff;
  data[low + 1] = (word >> 8) & 0xff;
}

/** The RAM has no hooks; an address beyond it reads as nothing. */
function read(cpu: CPU, address: number): number {
  return address >= ramStart ? (cpu.data[address] ?? 0) : cpu.readData(address);
}

function write(cpu: CPU, address: number, value: number): void {
  if (address >= ramStart) cpu.data[address] = value;
  else cpu.writeData(address, value);
}

function load(cpu: CPU, register: number, address: number): void {
  cpu.cycles += 1;
  cpu.data[register] = read(cpu, address);
  next(cpu);
}

function store(cpu: CPU, register: number, address: number): void {
  write(cpu, address, cpu.data[register]!);
  cpu.cycles += 1;
  next(cpu);
}

function pushReturn(cpu: CPU, address: number): void {
  const { data } = cpu;
  const stack = wordOf(data, stackLow);
  data[stack] = address & 0xff;
  data[stack - 1] = (address >> 8) & 0xff;
  data[stack - 2] = (address >> 16) & 0xff;
  setWord(data, stackLow, stack - 3);
}

export function isTwoWords(opcode: number): boolean {
  const form = opcode & 0xfe0f;
  return form === 0x9000 || form === 0x9200 || (opcode & 0xfe0c) === 0x940c;
}

function skipIf(cpu: CPU, skips: boolean): void {
  const words = !skips ? 1 : isTwoWords(cpu.progMem[cpu.pc + 1]!) ? 3 : 2;
  cpu.pc += words;
  cpu.cycles += words;
}

function branchIf(cpu: CPU, taken: boolean, target: number): void {
  cpu.pc = taken ? target : cpu.pc + 1;
  cpu.cycles += taken ? 2 : 1;
}

// ---------------------------------------------------------------- arithmetic and logic

export const nop: Instruction = (cpu) => next(cpu);
export const add: Instruction = (cpu, d, r) => addInto(cpu, d, cpu.data[d]!, cpu.data[r]!, 0);
export const adc: Instruction = (cpu, d, r) =>
  addInto(cpu, d, cpu.data[d]!, cpu.data[r]!, cpu.data[status]! & carry);
export const sub: Instruction = (cpu, d, r) => {
  const { data } = cpu;
  data[d] = subtractFlags(data, data[d]!, data[r]!, 0, zero);
  next(cpu);
};
export const sbc: Instruction = (cpu, d, r) => {
  const { data } = cpu;
  data[d] = subtractFlags(data, data[d]!, data[r]!, data[status]! & carry, data[status]! & zero);
  next(cpu);
};
export const cp: Instruction = (cpu, d, r) => {
  subtractFlags(cpu.data, cpu.data[d]!, cpu.data[r]!, 0, zero);
  next(cpu);
};
export const cpc: Instruction = (cpu, d, r) => {
  const { data } = cpu;
  subtractFlags(data, data[d]!, data[r]!, data[status]! & carry, data[status]! & zero);
  next(cpu);
};
export const subi: Instruction = (cpu, d, k) => {
  cpu.data[d] = subtractFlags(cpu.data, cpu.data[d]!, k, 0, zero);
  next(cpu);
};
export const sbci: Instruction = (cpu, d, k) => {
  const { data } = cpu;
  data[d] = subtractFlags(data, data[d]!, k, data[status]! & carry, data[status]! & zero);
  next(cpu);
};
export const cpi: Instruction = (cpu, d, k) => {
  subtractFlags(cpu.data, cpu.data[d]!, k, 0, zero);
  next(cpu);
};
export const neg: Instruction = (cpu, d) => {
  cpu.data[d] = subtractFlags(cpu.data, 0, cpu.data[d]!, 0, zero);
  next(cpu);
};
export const and: Instruction = (cpu, d, r) => logicInto(cpu, d, cpu.data[d]! & cpu.data[r]!, 0);
export const or: Instruction = (cpu, d, r) => logicInto(cpu, d, cpu.data[d]! | cpu.data[r]!, 0);
export const eor: Instruction = (cpu, d, r) => logicInto(cpu, d, cpu.data[d]! ^ cpu.data[r]!, 0);
export const andi: Instruction = (cpu, d, k) => logicInto(cpu, d, cpu.data[d]! & k, 0);
export const ori: Instruction = (cpu, d, k) => logicInto(cpu, d, cpu.data[d]! | k, 0);
export const inc: Instruction = (cpu, d) => {
  const result = (cpu.data[d]! + 1) & 0xff;
  logicInto(cpu, d, result, result === 0x80 ? 1 : 0);
};
export const dec: Instruction = (cpu, d) => {
  const result = (cpu.data[d]! - 1) & 0xff;
  logicInto(cpu, d, result, result === 0x7f ? 1 : 0);
};
export const com: Instruction = (cpu, d) => {
  logicInto(cpu, d, ~cpu.data[d]! & 0xff, 0);
  cpu.data[status] = cpu.data[status]! | carry;
};
export const lsr: Instruction = (cpu, d) => shiftInto(cpu, d, cpu.data[d]! >> 1, cpu.data[d]! & 1);
export const ror: Instruction = (cpu, d) => {
  const before = cpu.data[d]!;
  shiftInto(cpu, d, (before >> 1) | ((cpu.data[status]! & carry) << 7), before & 1);
};
export const asr: Instruction = (cpu, d) => {
  const before = cpu.data[d]!;
  shiftInto(cpu, d, (before >> 1) | (before & 0x80), before & 1);
};
export const swap: Instruction = (cpu, d) => {
  const before = cpu.data[d]!;
  cpu.data[d] = (before >> 4) | ((before << 4) & 0xf0);
  next(cpu);
};
export const mul: Instruction = (cpu, d, r) => {
  const { data } = cpu;
  const product = data[d]! * data[r]!;
  setWord(data, 0, product);
  data[status] = (data[status]! & 0xfc) | (product === 0 ? zero : 0) | (product >> 15);
  cpu.cycles += 1;
  next(cpu);
};

function wordInto(cpu: CPU, d: number, result: number, overflow: number, carried: number): void {
  const { data } = cpu;
  setWord(data, d, result);
  data[status] =
    (data[status]! & keepForShift) | carried | (result === 0 ? zero : 0) | signFlags(result >> 15, overflow);
  cpu.cycles += 1;
  next(cpu);
}

export const adiw: Instruction = (cpu, d, k) => {
  const word = wordOf(cpu.data, d);
  const result = (word + k) & 0xffff;
  wordInto(cpu, d, result, ((~word & result) >> 15) & 1, ((~result & word) >> 15) & 1);
};
export const sbiw: Instruction = (cpu, d, k) => {
  const word = wordOf(cpu.data, d);
  const result = (word - k) & 0xffff;
  wordInto(cpu, d, result, ((word & ~result) >> 15) & 1, ((result & ~word) >> 15) & 1);
};

// ---------------------------------------------------------------- data

export const mov: Instruction = (cpu, d, r) => {
  cpu.data[d] = cpu.data[r]!;
  next(cpu);
};
export const movw: Instruction = (cpu, d, r) => {
  cpu.data[d] = cpu.data[r]!;
  cpu.data[d + 1] = cpu.data[r + 1]!;
  next(cpu);
};
export const ldi: Instruction = (cpu, d, k) => {
  cpu.data[d] = k;
  next(cpu);
};
export const inIo: Instruction = (cpu, d, address) => {
  cpu.data[d] = cpu.readData(address);
  next(cpu);
};
export const outIo: Instruction = (cpu, r, address) => {
  cpu.writeData(address, cpu.data[r]!);
  next(cpu);
};
export const lds: Instruction = (cpu, d, address) => {
  load(cpu, d, address);
  cpu.pc += 1;
};
export const sts: Instruction = (cpu, r, address) => {
  store(cpu, r, address);
  cpu.pc += 1;
};
export const lddY: Instruction = (cpu, d, q) => load(cpu, d, wordOf(cpu.data, yPointer) + q);
export const lddZ: Instruction = (cpu, d, q) => load(cpu, d, wordOf(cpu.data, zPointer) + q);
export const stdY: Instruction = (cpu, r, q) => store(cpu, r, wordOf(cpu.data, yPointer) + q);
export const stdZ: Instruction = (cpu, r, q) => store(cpu, r, wordOf(cpu.data, zPointer) + q);
export const ldX: Instruction = (cpu, d) => load(cpu, d, wordOf(cpu.data, xPointer));
export const stX: Instruction = (cpu, r) => store(cpu, r, wordOf(cpu.data, xPointer));

/** The pointer is read before and moved after; what lies in it then is what counts. */
const loadAndAdvance =
  (pointer: number): Instruction =>
  (cpu, d) => {
    const address = wordOf(cpu.data, pointer);
    load(cpu, d, address);
    setWord(cpu.data, pointer, address + 1);
  };
const storeAndAdvance =
  (pointer: number): Instruction =>
  (cpu, r) => {
    const address = wordOf(cpu.data, pointer);
    store(cpu, r, address);
    setWord(cpu.data, pointer, address + 1);
  };
export const ldXPlus = loadAndAdvance(xPointer);
export const ldYPlus = loadAndAdvance(yPointer);
export const ldZPlus = loadAndAdvance(zPointer);
export const stXPlus = storeAndAdvance(xPointer);
export const stYPlus = storeAndAdvance(yPointer);
export const stZPlus = storeAndAdvance(zPointer);

export const push: Instruction = (cpu, r) => {
  const { data } = cpu;
  const stack = wordOf(data, stackLow);
  data[stack] = data[r]!;
  setWord(data, stackLow, stack - 1);
  cpu.cycles += 1;
  next(cpu);
};
export const pop: Instruction = (cpu, d) => {
  const { data } = cpu;
  const stack = wordOf(data, stackLow) + 1;
  setWord(data, stackLow, stack);
  data[d] = data[stack]!;
  cpu.cycles += 1;
  next(cpu);
};

// ---------------------------------------------------------------- flow

export const jump2: Instruction = (cpu, _, target) => {
  cpu.pc = target;
  cpu.cycles += 2;
};
export const jump3: Instruction = (cpu, _, target) => {
  cpu.pc = target;
  cpu.cycles += 3;
};
export const rcall: Instruction = (cpu, _, target) => {
  pushReturn(cpu, cpu.pc + 1);
  cpu.pc = target;
  cpu.cycles += 4;
};
export const call: Instruction = (cpu, _, target) => {
  pushReturn(cpu, cpu.pc + 2);
  cpu.pc = target;
  cpu.cycles += 5;
};
export const ret: Instruction = (cpu) => {
  const { data } = cpu;
  const stack = data[stackLow]! + (data[stackHigh]! << 8) + 3;
  setWord(data, stackLow, stack);
  cpu.pc = ((data[stack - 2]! << 16) | (data[stack - 1]! << 8) | data[stack]!) & 0x1_ffff;
  cpu.cycles += 5;
};
export const branchIfSet: Instruction = (cpu, mask, target) =>
  branchIf(cpu, (cpu.data[status]! & mask) !== 0, target);
export const branchIfClear: Instruction = (cpu, mask, target) =>
  branchIf(cpu, (cpu.data[status]! & mask) === 0, target);
export const cpse: Instruction = (cpu, d, r) => skipIf(cpu, cpu.data[d] === cpu.data[r]);
export const sbrc: Instruction = (cpu, r, mask) => skipIf(cpu, (cpu.data[r]! & mask) === 0);
export const sbrs: Instruction = (cpu, r, mask) => skipIf(cpu, (cpu.data[r]! & mask) !== 0);
