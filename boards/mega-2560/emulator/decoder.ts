/**
 * Which function of instructions.ts stands behind each word of the program: found when the word is first run and kept.
 */
import { avrInstruction, type CPU } from 'avr8js';
import type { Instruction } from './instructions.ts';
import * as on from './instructions.ts';

export interface Decoded {
  instructions: Instruction[];
  /** The operands, as the instruction takes them. */
  first: Uint8Array;
  second: Int32Array;
}

const programWords = 131_072;

const leaveToAvr8js: Instruction = (cpu) => avrInstruction(cpu);

/** For one program: nothing of it is decoded yet. */
export function emptyDecoded(): Decoded {
  const decoded: Decoded = {
    instructions: [],
    first: new Uint8Array(programWords),
    second: new Int32Array(programWords),
  };
  const decodeAndRun: Instruction = (cpu) => {
    const { pc, progMem } = cpu;
    const [instruction, first, second] = decodeForm(progMem[pc]!, progMem[(pc + 1) % programWords]!, pc);
    decoded.instructions[pc] = instruction;
    decoded.first[pc] = first;
    decoded.second[pc] = second;
    instruction(cpu, first, second);
  };
  for (let word = 0; word < programWords; word++) decoded.instructions.push(decodeAndRun);
  return decoded;
}

/** Carries out the instruction that the program counter stands at. */
export function execute(cpu: CPU, decoded: Decoded): void {
  const { pc } = cpu;
  decoded.instructions[pc]!(cpu, decoded.first[pc]!, decoded.second[pc]!);
}

type Form = readonly [instruction: Instruction, first: number, second: number];

const signed = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits);
const wrap = (word: number): number => (word + programWords) % programWords;

const twoRegisters = new Map<number, Instruction>([
  [0x0c00, on.add],
  [0x1c00, on.adc],
  [0x1800, on.sub],
  [0x0800, on.sbc],
  [0x2000, on.and],
  [0x2800, on.or],
  [0x2400, on.eor],
  [0x2c00, on.mov],
  [0x1400, on.cp],
  [0x0400, on.cpc],
  [0x1000, on.cpse],
  [0x9c00, on.mul],
]);
const immediates = new Map<number, Instruction>([
  [0xe000, on.ldi],
  [0x3000, on.cpi],
  [0x5000, on.subi],
  [0x4000, on.sbci],
  [0x7000, on.andi],
  [0x6000, on.ori],
]);
/** By the low four bits and bit 9 of 1001 00xd dddd nnnn. */
const memoryForms = new Map<number, Instruction>([
  [0x900c, on.ldX],
  [0x900d, on.ldXPlus],
  [0x9009, on.ldYPlus],
  [0x9001, on.ldZPlus],
  [0x920c, on.stX],
  [0x920d, on.stXPlus],
  [0x9209, on.stYPlus],
  [0x9201, on.stZPlus],
  [0x900f, on.pop],
  [0x920f, on.push],
  [0x9405, on.asr],
  [0x9400, on.com],
  [0x9403, on.inc],
  [0x940a, on.dec],
  [0x9406, on.lsr],
  [0x9407, on.ror],
  [0x9402, on.swap],
  [0x9401, on.neg],
]);

function decodeForm(opcode: number, next: number, pc: number): Form {
  const d = (opcode >> 4) & 0x1f;
  const two = twoRegisters.get(opcode & 0xfc00);
  if (two !== undefined) return [two, d, (opcode & 0x0f) | ((opcode >> 5) & 0x10)];
  const immediate = immediates.get(opcode & 0xf000);
  if (immediate !== undefined) return [immediate, 16 + (d & 0x0f), (opcode & 0x0f) | ((opcode >> 4) & 0xf0)];
  const memory = memoryForms.get(opcode & 0xfe0f);
  if (memory !== undefined) return [memory, d, 0];
  switch (opcode & 0xf000) {
    case 0xc000:
      return [on.jump2, 0, wrap(pc + 1 + signed(opcode & 0xfff, 12))];
    case 0xd000:
      return [on.rcall, 0, wrap(pc + 1 + signed(opcode & 0xfff, 12))];
    case 0xb000:
      return [opcode & 0x0800 ? on.outIo : on.inIo, d, 0x20 + ((opcode & 0x0f) | ((opcode >> 5) & 0x30))];
    case 0xf000:
      return decodeBits(opcode, pc, d);
    case 0x8000:
    case 0xa000: {
      const displacement = (opcode & 7) | ((opcode >> 7) & 0x18) | ((opcode >> 8) & 0x20);
      const isStore = (opcode & 0x0200) !== 0;
      if (opcode & 0x08) return [isStore ? on.stdY : on.lddY, d, displacement];
      return [isStore ? on.stdZ : on.lddZ, d, displacement];
    }
  }
  return decodeRest(opcode, next, d);
}

function decodeBits(opcode: number, pc: number, d: number): Form {
  const bit = opcode & 7;
  const target = wrap(pc + 1 + signed((opcode >> 3) & 0x7f, 7));
  switch (opcode & 0x0c00) {
    case 0x0000:
      return [on.branchIfSet, 1 << bit, target];
    case 0x0400:
      return [on.branchIfClear, 1 << bit, target];
    case 0x0c00:
      if (opcode & 0x08) return [leaveToAvr8js, 0, 0];
      return [opcode & 0x0200 ? on.sbrs : on.sbrc, d, 1 << bit];
    default:
      return [leaveToAvr8js, 0, 0];
  }
}

function decodeRest(opcode: number, next: number, d: number): Form {
  if (opcode === 0) return [on.nop, 0, 0];
  if (opcode === 0x9508) return [on.ret, 0, 0];
  switch (opcode & 0xff00) {
    case 0x0100:
      return [on.movw, (opcode >> 3) & 0x1e, (opcode << 1) & 0x1e];
    case 0x9600:
    case 0x9700: {
      const constant = (opcode & 0x0f) | ((opcode >> 2) & 0x30);
      return [opcode & 0x0100 ? on.sbiw : on.adiw, 24 + ((opcode >> 3) & 6), constant];
    }
  }
  if ((opcode & 0xfe0f) === 0x9000) return [on.lds, d, next];
  if ((opcode & 0xfe0f) === 0x9200) return [on.sts, d, next];
  const far = next | ((opcode & 1) << 16);
  if ((opcode & 0xfffe) === 0x940c) return [on.jump3, 0, far];
  if ((opcode & 0xfffe) === 0x940e) return [on.call, 0, far];
  return [leaveToAvr8js, 0, 0];
}
