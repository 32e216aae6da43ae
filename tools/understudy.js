#!/usr/bin/env node
// The door for any Node: understudy.ts needs one that strips types, and an older one would only say "unknown file
// extension". So this file is plain JavaScript, finds the Node that npm installed beside us and goes on in that.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const name = `node-${process.platform}-${process.arch}`;
const binary = fileURLToPath(new URL(`../node_modules/${name}/bin/node`, import.meta.url));
const entry = fileURLToPath(new URL('understudy.ts', import.meta.url));

if (existsSync(binary)) {
  const child = spawn(binary, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
} else {
  console.error(
    `understudy: the package ${name}, which holds the Node that Understudy runs under, is not installed.\n` +
      'Run "npm ci" without --omit=optional, on linux x64 or linux arm64.',
  );
  process.exitCode = 12; // exit-codes.ts: machine
}
