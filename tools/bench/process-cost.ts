/** What a process costs the machine, as the kernel counts it: /proc/PID/stat and /proc/PID/smaps_rollup (proc(5)). */
import { readFileSync } from 'node:fs';

/** The kernel's USER_HZ: 100 on every architecture that we run on. */
const ticksPerSecond = 100;
const kibibyte = 1024;

/** Processor time so far, in user and kernel mode. */
export function processorSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may contain anything; fields are counted after its end.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

export interface Memory {
  residentBytes: number;
  /** Shared pages, such as the text of Node's binary, divided by those who share them. */
  proportionalBytes: number;
}

export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * kibibyte;
  return { residentBytes: bytes('Rss'), proportionalBytes: bytes('Pss') };
}
