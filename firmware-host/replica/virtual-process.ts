/**
 * The `process` object as the control program sees it: the real object, with everything that differs between
 * two boards replaced. Libraries and Node's own modules (`repl`, `domain`) hold the same object.
 */
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import type { Hrtime } from './performance.ts';
import { RefusedError, refusedFunction } from './refusal.ts';
import { ConsoleStream, StandardInput } from './standard-streams.ts';
import type { TurnRunner } from './turn-runner.ts';

const virtualPid = 1000;
const virtualParentPid = 999;
const execPath = '/usr/bin/node';

export interface VirtualProcess {
  stdout: ConsoleStream;
  stderr: ConsoleStream;
}

function define(name: string, value: unknown): void {
  Object.defineProperty(process, name, { value, writable: true, configurable: true, enumerable: true });
}

/** Called at the start event, before any module of the program or of a library is loaded. */
export function installProcess(runner: TurnRunner, hrtime: Hrtime, originUs: number): VirtualProcess {
  const { start, boot } = runner;
  define('pid', virtualPid);
  define('ppid', virtualParentPid);
  define('title', 'node');
  define('execPath', execPath);
  define('execArgv', []);
  define('argv', [execPath, boot.programFile, ...start.argv]);
  define('hrtime', hrtime);
  define('uptime', () => (runner.nowUs() - originUs) / 1_000_000);
  installEnvironment(start.env);
  installWorkingDirectory(dirname(boot.programFile));
  installMeasurements(runner);
  installIdentity();
  installRefusals();
  installSignals(runner);
  return installStreams(runner);
}

/** `process.env` stays Node's own object, which also sets the time zone when TZ is assigned. */
function installEnvironment(env: Record<string, string>): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  // Without TZ, the machine's own zone would show: the supervisor puts the pair's zone into the start event.
  Object.assign(process.env, { TZ: 'UTC', ...env });
}

function installWorkingDirectory(initial: string): void {
  let directory = initial;
  define('cwd', () => directory);
  define('chdir', (path: string) => {
    directory = resolve(directory, path);
  });
  define('umask', () => 0o22);
}

/** Values that only the machine knows: carried out on the primary and recorded. */
function installMeasurements(runner: TurnRunner): void {
  const memoryUsage = process.memoryUsage.bind(process);
  const rss = process.memoryUsage.rss;
  define(
    'memoryUsage',
    Object.assign(() => runner.value('process.memoryUsage()', () => ({ ...memoryUsage() })), {
      rss: () => runner.value('process.memoryUsage.rss()', rss),
    }),
  );
  for (const name of ['resourceUsage', 'constrainedMemory', 'availableMemory'] as const) {
    const real = process[name].bind(process) as () => unknown;
    define(name, () => runner.value(`process.${name}()`, real));
  }
  for (const name of ['cpuUsage', 'threadCpuUsage'] as const) {
    const real = process[name].bind(process) as (previous?: NodeJS.CpuUsage) => NodeJS.CpuUsage;
    define(name, (previous?: NodeJS.CpuUsage) =>
      runner.value(`process.${name}(${JSON.stringify(previous ?? null)})`, () => ({ ...real(previous) })),
    );
  }
  define('getActiveResourcesInfo', () => []);
  define('_getActiveHandles', () => []);
  define('_getActiveRequests', () => []);
}

function installIdentity(): void {
  for (const name of ['getuid', 'geteuid', 'getgid', 'getegid']) define(name, () => 1000);
  define('getgroups', () => [1000]);
  define('debugPort', 9229);
  const real = process.finalization;
  define('finalization', { ...real, register() {}, registerBeforeExit() {}, unregister() {} });
}

function installRefusals(): void {
  const refuse = (names: string[], reason: string, remedy: string) => {
    for (const name of names) define(name, refusedFunction(`process.${name}`, { reason, remedy }));
  };
  refuse(
    ['binding', '_linkedBinding', 'dlopen'],
    'it gives native code, which no record can replay.',
    'Use a package without native code.',
  );
  refuse(
    ['setuid', 'setgid', 'seteuid', 'setegid', 'setgroups', 'initgroups', 'execve'],
    'it changes the process, which belongs to the supervisor.',
    'Set the identity of the service that runs the board.',
  );
  refuse(
    ['_kill', '_debugProcess', '_debugEnd', '_startProfilerIdleNotifier', '_stopProfilerIdleNotifier'],
    'it acts on the real process.',
    'Debug the program outside the pair.',
  );
  refuse(['loadEnvFile'], 'the environment is part of the history.', 'Set variables in the configuration.');
  // Node's own `domain` writes to this object.
  define('report', { reportOnUncaughtException: false });
}

function installSignals(runner: TurnRunner): void {
  // Node's own listeners would catch real signals and deliver them outside of turns.
  process.removeAllListeners('newListener');
  process.removeAllListeners('removeListener');
  const numbers = constants.signals as Record<string, number>;
  const deliver = (signal: string) => {
    const number = numbers[signal];
    const handled = signal !== 'SIGKILL' && (process as EventEmitter).emit(signal, signal, number);
    if (handled || number === undefined || ignoredByDefault.has(signal)) return;
    runner.exit(128 + number);
  };
  runner.on('signal', (event) => deliver(event.signal));
  define('kill', (pid: number, signal: string | number = 'SIGTERM') => {
    const name =
      typeof signal === 'number' ? Object.keys(numbers).find((key) => numbers[key] === signal) : signal;
    if (signal !== 0 && (name === undefined || numbers[name] === undefined)) {
      throw Object.assign(new TypeError(`Unknown signal: ${signal}`), { code: 'ERR_UNKNOWN_SIGNAL' });
    }
    if (pid !== virtualPid && pid !== 0) {
      throw new RefusedError(
        `process.kill(${pid})`,
        'no other process is in its world.',
        'Signal process.pid.',
      );
    }
    if (signal !== 0) runner.completeSoon(() => deliver(name!));
    return true;
  });
  define('abort', () => runner.exit(128 + numbers.SIGABRT!));
  define('reallyExit', (code?: number) => runner.exit(Number(code ?? 0) | 0));
}

const ignoredByDefault = new Set([
  'SIGCHLD',
  'SIGURG',
  'SIGWINCH',
  'SIGCONT',
  'SIGIO',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
]);

function installStreams(runner: TurnRunner): VirtualProcess {
  const stdin = new StandardInput(runner.start.stdinIsTerminal);
  const stdout = new ConsoleStream(1, (bytes) => runner.output({ kind: 'console', stream: 'stdout', bytes }));
  const stderr = new ConsoleStream(2, (bytes) => runner.output({ kind: 'console', stream: 'stderr', bytes }));
  define('stdin', stdin);
  define('stdout', stdout);
  define('stderr', stderr);
  define('openStdin', () => stdin.resume());
  runner.on('stdin', (event) => stdin.feed(event.bytes));
  runner.on('stdin-end', () => stdin.feedEnd());
  runner.aliveWhile(() => stdin.listening);

  const tty = createRequire(import.meta.url)('node:tty') as { isatty: (fd: number) => boolean };
  tty.isatty = (fd) => fd === 0 && runner.start.stdinIsTerminal;

  define('_rawDebug', (...parts: unknown[]) => stderr.write(`${parts.join(' ')}\n`));
  process.removeAllListeners('warning');
  let hintShown = false;
  process.on('warning', function onWarning(warning: Error & { code?: string; detail?: string }) {
    if (!(warning instanceof Error)) return;
    const deprecation = warning.name === 'DeprecationWarning';
    if (deprecation && process.noDeprecation) return;
    let text = `(node:${virtualPid}) ${warning.code ? `[${warning.code}] ` : ''}${warning}`;
    if (typeof warning.detail === 'string') text += `\n${warning.detail}`;
    if (!hintShown) {
      hintShown = true;
      const flag = deprecation ? '--trace-deprecation' : '--trace-warnings';
      text += `\n(Use \`${basename(execPath)} ${flag} ...\` to show where the warning was created)`;
    }
    stderr.write(`${text}\n`);
  });
  return { stdout, stderr };
}
