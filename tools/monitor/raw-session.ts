/** One run of `understudy monitor --raw`: bytes between a port and a terminal, and nothing understood of them. */
import type { ReadStream } from 'node:tty';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import type { ConsolePort } from './console-port.ts';
import type { LogFile } from './log-file.ts';
import { type RawEffect, RawView } from './raw-view.ts';
import type { MonitorSurroundings } from './session.ts';
import type { Target } from './targets.ts';

const reopenMs = 500;
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface RawSessionOptions {
  target: Target;
  isHex: boolean;
  hasTimestamps: boolean;
  reconnect: boolean;
  log: LogFile | null;
}

/** Resolves with the process's exit code. */
export async function runRaw(options: RawSessionOptions, surroundings: MonitorSurroundings): Promise<number> {
  const { target, isHex, hasTimestamps, reconnect, log } = options;
  const { input, output, open, wallTimeMs } = surroundings;
  const keys = input.isTTY ? (input as ReadStream) : null;
  const view = new RawView({ label: target.label, isHex, hasTimestamps, hasMenu: keys !== null });
  const ended = Promise.withResolvers<number>();
  let port: ConsolePort | null = null;
  let isOpen = false;
  let refusal = '';
  let timer: NodeJS.Timeout | undefined;

  const carryOut = (effects: readonly RawEffect[]): void => {
    for (const effect of effects) {
      if (effect.kind === 'screen') output.write(effect.bytes);
      else if (effect.kind === 'port') port?.write(effect.bytes);
      else if (effect.kind === 'log') log?.line(wallTimeMs(), effect.line);
      else if (effect.kind === 'quit') ended.resolve(exitCodes.ok.code);
      else if (effect.kind === 'reconnect') again(0);
      else if (log === null) say('no log file: begin with --log FILE');
      else say(log.toggle() ? `log on: ${log.path}` : 'log off');
    }
  };
  const say = (text: string): void => carryOut([view.say(text)]);
  if (log !== null) log.onError = say;

  const again = (delayMs: number): void => {
    port?.close();
    port = null;
    isOpen = false;
    clearTimeout(timer);
    timer = setTimeout(connect, delayMs);
  };
  const lost = (text: string): void => {
    // A missing port is told of once, not at every attempt.
    if (isOpen || refusal !== text) say(`${target.label} ${text}`);
    refusal = text;
    if (reconnect) again(reopenMs);
    else ended.resolve(exitCodes.console.code);
  };
  const connect = (): void => {
    port = open(target, {
      opened: () => {
        isOpen = true;
        refusal = '';
        say(`${target.label} is open${keys === null ? '' : '; Ctrl-T q ends, Ctrl-T ? helps'}`);
      },
      refused: lost,
      closed: lost,
      bytes: (bytes) => carryOut(view.received(wallTimeMs(), bytes)),
    });
  };

  const onTyped = (bytes: Buffer): void => carryOut(view.typed(bytes));
  const onSignal = (signal: NodeJS.Signals): void =>
    ended.resolve(signal === 'SIGINT' ? exitCodes.interrupted.code : exitCodes.terminated.code);
  const onExit = (): void => {
    if (keys?.isRaw) keys.setRawMode(false);
  };
  process.on('exit', onExit);
  for (const signal of endingSignals) process.on(signal, onSignal);
  keys?.setRawMode(true);
  input.on('data', onTyped);
  connect();
  try {
    return await ended.promise;
  } finally {
    clearTimeout(timer);
    (port as ConsolePort | null)?.close();
    input.off('data', onTyped);
    input.pause();
    onExit();
    process.off('exit', onExit);
    for (const signal of endingSignals) process.off(signal, onSignal);
    log?.close();
  }
}
