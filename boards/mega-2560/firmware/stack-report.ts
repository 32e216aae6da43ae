/**
 * What a build of the firmware needs: flash, static RAM and the worst stack, proven from its machine code.
 *
 *     node stack-report.ts build/understudy-mega-2560.elf build
 *
 * The stack of a function is what its instructions push, those that it jumps to included; a call adds its return address (three bytes
 * on the ATmega2560) and what the called function needs. The worst case is the deepest path from main
 * with the deepest interrupt on top: the firmware's interrupts do not nest, which is checked too. The compiler's own figures
 * (-fstack-usage) are read beside it, and the greater of both counts. Rejected: measuring by painting alone, which knows
 * only the paths that were taken.
 *
 * Ends with code 1 and says why when there is recursion, a call through a pointer, an interrupt that nests, or less room than needed.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** ATmega2560. */
export const ramBytes = 8192;
export const flashBytes = 262_144;
const returnAddressBytes = 3;

interface Instruction {
  mnemonic: string;
  operands: string;
  /** Of a call, jump or branch. */
  target: number | null;
  /** Address of the instruction behind it; null at the end of the image. */
  next: number | null;
}

/** The machine code: instructions by address, and where its functions begin. */
export interface Image {
  instructions: ReadonlyMap<number, Instruction>;
  names: ReadonlyMap<number, string>;
  addresses: ReadonlyMap<string, number>;
}

/** Reads `avr-objdump -d`. Targets are addresses: the names beside them may be those of constants. */
export function parseDisassembly(text: string): Image {
  const instructions = new Map<number, Instruction>();
  const names = new Map<number, string>();
  let before: Instruction | null = null;
  for (const line of text.split('\n')) {
    const heading = /^([0-9a-f]+) <(.+)>:$/.exec(line);
    if (heading !== null) names.set(Number.parseInt(heading[1]!, 16), heading[2]!);
    const parts =
      /^\s+([0-9a-f]+):\t(?:[0-9a-f]{2} )+\s*\t([a-z]+)(?:\t([^;]*))?(?:;\s*(?:0x([0-9a-f]+))?.*)?$/.exec(
        line,
      );
    if (parts === null) continue;
    const address = Number.parseInt(parts[1]!, 16);
    const isFlow = /^(r?call|r?jmp|br[a-z]{2})$/.test(parts[2]!);
    const target = isFlow && parts[4] !== undefined ? Number.parseInt(parts[4], 16) : null;
    const instruction: Instruction = {
      mnemonic: parts[2]!,
      operands: (parts[3] ?? '').trim(),
      target,
      next: null,
    };
    if (before !== null) before.next = address;
    instructions.set(address, instruction);
    before = instruction;
  }
  return { instructions, names, addresses: new Map([...names].map(([address, name]) => [name, address])) };
}

/** What runs from an entry on without a call: jumps are followed, wherever they lead. */
interface Body {
  /** All pushes there are, as if each were on the path. */
  ownBytes: number;
  calls: Set<number>;
  indirect: boolean;
  enablesInterrupts: boolean;
}

function bodyFrom(image: Image, entry: number, compiler: ReadonlyMap<string, number>): Body {
  const body: Body = { ownBytes: 0, calls: new Set(), indirect: false, enablesInterrupts: false };
  /** Pushes by function, for the comparison with the compiler's own figure. */
  const pushed = new Map<string, number>();
  const seen = new Set<number>();
  const open: { address: number; name: string }[] = [{ address: entry, name: '' }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const instruction = image.instructions.get(at.address);
    if (instruction === undefined || seen.has(at.address)) continue;
    seen.add(at.address);
    const name = image.names.get(at.address) ?? at.name;
    const push = (bytes: number) => pushed.set(name, (pushed.get(name) ?? 0) + bytes);
    if (!pushed.has(name)) push(0);
    const { mnemonic, target, next } = instruction;
    if (mnemonic === 'push') push(1);
    // A call of the next instruction is how the compiler makes room for three bytes.
    else if (mnemonic === 'rcall' && instruction.operands === '.+0') push(returnAddressBytes);
    else if (mnemonic.endsWith('call')) {
      if (target === null) body.indirect = true;
      else body.calls.add(target);
    } else if (/^e?ijmp$/.test(mnemonic)) body.indirect = true;
    else if (mnemonic === 'sei') body.enablesInterrupts = true;
    else if (target !== null) open.push({ address: target, name });
    if (next !== null && !/^(ret|reti|r?jmp|e?ijmp)$/.test(mnemonic)) open.push({ address: next, name });
    // An instruction that is skipped over is passed by.
    if (/^(sb[ir][cs]|cpse)$/.test(mnemonic) && next !== null) {
      const behind = image.instructions.get(next)?.next;
      if (behind !== undefined && behind !== null) open.push({ address: behind, name });
    }
  }
  for (const [name, bytes] of pushed) body.ownBytes += Math.max(bytes, compiler.get(name) ?? 0);
  return body;
}

/** Reads the compiler's .su files: bytes by function name, its return address excluded. Names that occur twice: the greater. */
export function parseStackUsage(texts: readonly string[]): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const text of texts) {
    for (const [, name, used, kind] of text.matchAll(/^\S+:\d+:\d+:(\S+)\t(\d+)\t(\S+)$/gm)) {
      assert(kind === 'static', `${name} has a stack frame of ${kind} size`);
      bytes.set(name!, Math.max(bytes.get(name!) ?? 0, Number(used) - returnAddressBytes));
    }
  }
  return bytes;
}

export interface DeepestPath {
  bytes: number;
  path: readonly string[];
}

export type StackFault =
  | { kind: 'recursion'; path: readonly string[] }
  | { kind: 'indirect-call'; name: string }
  | { kind: 'nested-interrupts'; name: string };

export class StackAnalysis {
  readonly faults: StackFault[] = [];
  readonly #image: Image;
  readonly #compiler: ReadonlyMap<string, number>;
  readonly #bodies = new Map<number, Body>();
  readonly #done = new Map<number, DeepestPath>();
  readonly #open: number[] = [];

  constructor(image: Image, compiler: ReadonlyMap<string, number>) {
    this.#image = image;
    this.#compiler = compiler;
  }

  /** Of the function of that name, without its own return address. */
  deepest(name: string): DeepestPath {
    const entry = this.#image.addresses.get(name);
    assert(entry !== undefined, `${name} is not in the image`);
    return this.#deepest(entry);
  }

  #deepest(entry: number): DeepestPath {
    const done = this.#done.get(entry);
    if (done !== undefined) return done;
    const name = this.#nameOf(entry);
    const begin = this.#open.indexOf(entry);
    if (begin >= 0) {
      const path = [...this.#open.slice(begin), entry].map((address) => this.#nameOf(address));
      this.faults.push({ kind: 'recursion', path });
      return { bytes: 0, path: [name] };
    }
    const body = this.#body(entry);
    if (body.indirect) this.faults.push({ kind: 'indirect-call', name });
    this.#open.push(entry);
    let best: DeepestPath = { bytes: body.ownBytes, path: [name] };
    for (const target of body.calls) {
      const below = this.#deepest(target);
      const bytes = body.ownBytes + returnAddressBytes + below.bytes;
      if (bytes > best.bytes) best = { bytes, path: [name, ...below.path] };
    }
    this.#open.pop();
    this.#done.set(entry, best);
    return best;
  }

  /** The deepest interrupt with its return address; `names`: vectors that are in use. */
  deepestInterrupt(names: readonly string[]): DeepestPath {
    let best: DeepestPath = { bytes: 0, path: [] };
    for (const name of names) {
      const path = this.deepest(name);
      for (const reached of this.#reachable(this.#image.addresses.get(name)!)) {
        if (!this.#body(reached).enablesInterrupts) continue;
        this.faults.push({ kind: 'nested-interrupts', name: this.#nameOf(reached) });
      }
      const bytes = path.bytes + returnAddressBytes;
      if (bytes > best.bytes) best = { bytes, path: path.path };
    }
    return best;
  }

  #body(entry: number): Body {
    const known = this.#bodies.get(entry);
    if (known !== undefined) return known;
    const body = bodyFrom(this.#image, entry, this.#compiler);
    this.#bodies.set(entry, body);
    return body;
  }

  #nameOf(entry: number): string {
    return this.#image.names.get(entry) ?? `0x${entry.toString(16)}`;
  }

  #reachable(from: number): Set<number> {
    const reached = new Set([from]);
    for (const entry of reached) for (const next of this.#body(entry).calls) reached.add(next);
    return reached;
  }
}

/** Bytes of each section by `avr-objdump -h`. */
export function parseSections(text: string): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const [, name, size] of text.matchAll(/^\s+\d+ (\.\S+)\s+([0-9a-f]{8})/gm))
    bytes.set(name!, Number.parseInt(size!, 16));
  return bytes;
}

function describe(fault: StackFault): string {
  switch (fault.kind) {
    case 'recursion':
      return `recursion: ${fault.path.join(' > ')}`;
    case 'indirect-call':
      return `${fault.name} calls or jumps through a pointer: its stack cannot be proven`;
    case 'nested-interrupts':
      return `${fault.name} runs in an interrupt and lets others in: interrupts must not nest`;
  }
}

export interface BuildReport {
  lines: string[];
  faults: string[];
}

export function reportBuild(
  disassembly: string,
  sections: string,
  stackUsage: readonly string[],
): BuildReport {
  const image = parseDisassembly(disassembly);
  const analysis = new StackAnalysis(image, parseStackUsage(stackUsage));
  const main = analysis.deepest('main');
  const vectors = [...image.addresses.keys()].filter((name) => /^__vector_\d+$/.test(name));
  const interrupt = analysis.deepestInterrupt(vectors);
  const bytes = parseSections(sections);
  const of = (name: string) => bytes.get(name) ?? 0;
  const flash = of('.text') + of('.data');
  const ram = of('.data') + of('.bss') + of('.noinit');
  const stack = returnAddressBytes + main.bytes + interrupt.bytes;
  const faults = analysis.faults.map(describe);
  if (flash > flashBytes) faults.push(`flash must be at most ${flashBytes} bytes (needs ${flash})`);
  if (ram + stack > ramBytes) {
    faults.push(`static RAM and worst stack must be at most ${ramBytes} bytes (need ${ram} + ${stack})`);
  }
  return {
    lines: [
      `flash       ${flash} of ${flashBytes} bytes`,
      `static RAM  ${ram} of ${ramBytes} bytes`,
      `worst stack ${stack} bytes (main ${main.bytes + returnAddressBytes}, interrupt ${interrupt.bytes})`,
      `RAM free    ${ramBytes - ram - stack} bytes at the worst`,
      `main        ${main.path.join(' > ')}`,
      `interrupt   ${interrupt.path.join(' > ')}`,
    ],
    faults,
  };
}

if (import.meta.main) {
  const [elf, directory] = process.argv.slice(2);
  if (elf === undefined || directory === undefined) {
    console.error('usage: node stack-report.ts <elf> <directory of .su files>');
    process.exit(2);
  }
  const objdump = (option: string) =>
    execFileSync('avr-objdump', [option, elf], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const usage = readdirSync(directory)
    .filter((name) => name.endsWith('.su'))
    .map((name) => readFileSync(join(directory, name), 'utf8'));
  const report = reportBuild(objdump('-d'), objdump('-h'), usage);
  for (const line of report.lines) console.log(line);
  for (const fault of report.faults) console.error(`error: ${fault}`);
  process.exitCode = report.faults.length > 0 ? 1 : 0;
}
