#!/usr/bin/env node
/**
 * The command line: `understudy COMMAND`. One file a command, read only when it is asked for, so that `understudy key`
 * does not wait for a bundler.
 */
import type { Command } from 'commander';
import { enterPinnedNode } from './pinned-node.ts';

type Register = (program: Command) => void;

/** In the order in which `--help` lists them. */
const commands: Record<string, () => Promise<Register>> = {
  dev: async () => (await import('./commands/dev.ts')).registerDev,
  run: async () => (await import('./commands/run.ts')).registerRun,
  journal: async () => (await import('./commands/journal.ts')).registerJournal,
  replay: async () => (await import('./commands/replay.ts')).registerReplay,
  monitor: async () => (await import('./commands/monitor.ts')).registerMonitor,
  doctor: async () => (await import('./commands/doctor.ts')).registerDoctor,
  device: async () => (await import('./commands/device.ts')).registerDevice,
  key: async () => (await import('./commands/key.ts')).registerKey,
  console: async () => (await import('./commands/console.ts')).registerConsole,
  rig: async () => (await import('./commands/rig.ts')).registerRig,
  bench: async () => (await import('./commands/bench.ts')).registerBench,
  simulate: async () => (await import('./commands/simulate.ts')).registerSimulate,
};

async function main(words: string[]): Promise<number> {
  const wrongNode = enterPinnedNode();
  const { exitCodes } = await import('../firmware-host/exit-codes.ts');
  if (wrongNode !== null) {
    process.stderr.write(`understudy: ${wrongNode}\n`);
    return exitCodes.machine.code;
  }
  const { CommanderError } = await import('commander');
  const { createProgram } = await import('./program.ts');
  const { describeFault } = await import('./fault.ts');
  const program = createProgram();
  const named = commands[words[0] ?? ''];
  const wanted = named === undefined ? Object.values(commands) : [named];
  try {
    for (const load of wanted) (await load())(program);
    await program.parseAsync(words, { from: 'user' });
    return Number(process.exitCode ?? exitCodes.ok.code);
  } catch (error) {
    // Commander has printed what is wrong; `--help` and `--version` come this way too, with its exit code 0.
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code;
    const fault = describeFault(error);
    process.stderr.write(`understudy: ${fault.text}\n`);
    return fault.exitCode;
  }
}

// `understudy journal show FILE | head`: a reader that has seen enough is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
});
process.exitCode = await main(process.argv.slice(2));
