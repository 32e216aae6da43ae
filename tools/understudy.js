#!/usr/bin/env node
// The door for any Node: understudy.ts needs one that strips types, and an older one would only say "unknown file
// extension". So this file is plain JavaScript, finds the Node that npm installed beside us and goes on in that.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = fileURLToPath(new URL('../node_modules', import.meta.url));
const name = `node-${process.platform}-${process.arch}`;
const binary = join(packages, name, 'bin/node');
const entry = fileURLToPath(new URL('understudy.ts', import.meta.url));
const words = process.argv.slice(2);

// A board runs for years beside little memory: a young generation of 16 MiB, Node's own choice, would cost it 25 MiB.
const flags = words[0] === 'run' ? ['--max-semi-space-size=4'] : [];
// Compiled modules are kept from one start to the next: less than half the time to start, and 25 MiB less of memory.
const { NODE_COMPILE_CACHE = process.env.CACHE_DIRECTORY ?? join(packages, '.cache/understudy') } =
  process.env;
const environment = { ...process.env, NODE_COMPILE_CACHE };

if (!existsSync(binary)) {
  console.error(
    `understudy: the package ${name}, which holds the Node that Understudy runs under, is not installed.\n` +
      'Run "npm ci" without --omit=optional, on linux x64 or linux arm64.',
  );
  process.exitCode = 12; // exit-codes.ts: machine
} else if (typeof process.execve === 'function') {
  process.execve(binary, [binary, ...flags, entry, ...words], environment);
} else {
  const child = spawn(binary, [...flags, entry, ...words], { stdio: 'inherit', env: environment });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
