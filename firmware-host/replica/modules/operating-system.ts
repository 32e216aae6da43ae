/**
 * `os` as the program sees it: the pair's name and user, not the board's. What belongs to the machine that runs
 * (load, memory, interfaces) is recorded.
 */
import os from 'node:os';
import { refusedFunction } from '../refusal.ts';
import type { TurnContext } from '../turn-context.ts';

/** Where programs put temporary files, on every board. */
const temporaryFolder = '/tmp';

export function createOperatingSystem(context: TurnContext): typeof os {
  const { env, hostname } = context.start;
  const recorded = <T>(name: string, perform: () => T) => {
    const call = (): T => context.value(`os.${name}()`, perform);
    // As in Node: `${os.hostname}` gives the value.
    return Object.assign(call, { [Symbol.toPrimitive]: call });
  };
  const fixed = <T>(value: T) => Object.assign(() => value, { [Symbol.toPrimitive]: () => value });
  const startUs = context.nowUs();
  return {
    ...os,
    hostname: fixed(hostname),
    homedir: fixed(env.HOME ?? '/root'),
    tmpdir: fixed(temporaryFolder),
    userInfo: (options?: { encoding?: string }) => {
      const text = (value: string): string | Buffer =>
        options?.encoding === 'buffer' ? Buffer.from(value) : value;
      return {
        uid: 1000,
        gid: 1000,
        username: text(env.USER ?? 'pi'),
        homedir: text(env.HOME ?? '/root'),
        shell: text(env.SHELL ?? '/bin/sh'),
      };
    },
    cpus: recorded('cpus', () => os.cpus()),
    availableParallelism: recorded('availableParallelism', () => os.availableParallelism()),
    freemem: recorded('freemem', () => os.freemem()),
    totalmem: recorded('totalmem', () => os.totalmem()),
    loadavg: recorded('loadavg', () => os.loadavg()),
    networkInterfaces: recorded('networkInterfaces', () => os.networkInterfaces()),
    release: recorded('release', () => os.release()),
    version: recorded('version', () => os.version()),
    machine: recorded('machine', () => os.machine()),
    // Of the pair, which has been up since the program started: board uptimes differ, and jump at a takeover.
    uptime: () => Math.floor((context.nowUs() - startUs) / 10_000) / 100,
    getPriority: (processId?: number) =>
      context.value(`os.getPriority(${processId ?? 0})`, () => os.getPriority(processId ?? 0)),
    setPriority: refusedFunction('os.setPriority', {
      reason: 'the pair decides how its processes are scheduled.',
      remedy: "Use systemd's Nice= for the whole service.",
    }),
  } as unknown as typeof os;
}
