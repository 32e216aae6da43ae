/**
 * What systemd is told of this board (sd_notify(3), sd_watchdog_enabled(3)):
 *
 *   READY=1      ports, links and journal are open: the board does what its role is
 *   STATUS=...   role, term, protection and lag, in a line for `systemctl status`
 *   WATCHDOG=1   the board gets on (metrics/progress.ts)
 *   STOPPING=1   it was told to leave
 *
 * WATCHDOG=1 is sent from the supervisor's own steps, at a quarter of the watchdog's time, and only when something has moved since
 * the one before: no timer of ours sends it. A board whose loop, core or replica stands still falls silent, systemd
 * kills it, and the other board leads meanwhile.
 */
import type { Progress, Standstill } from '../metrics/progress.ts';
import type { BoardStatus } from '../supervisor/status.ts';
import type { NotifyResult } from './notify-socket.ts';

export interface NotifySender {
  send(text: string): NotifyResult;
}

export interface ServiceNotifyOptions {
  sender: NotifySender;
  /** Null: no watchdog waits for us. */
  watchdogMs: number | null;
  progress: Progress;
  status(): BoardStatus;
  /** Something about the notifications is worth a report: told once each time that it begins. */
  onFault(code: string, text: string): void;
}

const pingsPerWatchdog = 4;
const statusIntervalMs = 1_000;

/** WATCHDOG_USEC as ms; null when there is none, or it is for another process (sd_watchdog_enabled(3)). */
export function watchdogMsOf(environment: NodeJS.ProcessEnv, pid: number): number | null {
  const { WATCHDOG_USEC: time, WATCHDOG_PID: owner } = environment;
  if (time === undefined || !/^[1-9]\d*$/.test(time)) return null;
  return owner === undefined || Number(owner) === pid ? Number(time) / 1000 : null;
}

/** Longest turn that a watchdog of this time bears: it begins right after a ping, and the next one finds it under way. */
export function longestTurnMs(watchdogMs: number): number {
  return watchdogMs * (1 - 1 / pingsPerWatchdog);
}

export class ServiceNotify {
  readonly #options: ServiceNotifyOptions;
  #isReady = false;
  #pingedAt: number | null = null;
  #statusAt = Number.NEGATIVE_INFINITY;
  #statusText = '';
  #isWithheld = false;
  #isRefused = false;

  constructor(options: ServiceNotifyOptions) {
    this.#options = options;
  }

  ready(now: number): void {
    this.#isReady = true;
    this.#send(`READY=1\nSTATUS=${this.#statusLine(now)}`);
    this.#pingedAt = now;
  }

  stopping(): void {
    this.#send('STOPPING=1\nSTATUS=leaving');
  }

  /** After each step of the supervisor, when `progress` has seen it. */
  stepped(now: number): void {
    if (!this.#isReady) return;
    const { watchdogMs } = this.#options;
    if (watchdogMs !== null && now - this.#pingedAt! >= watchdogMs / pingsPerWatchdog) this.#ping(now);
    if (now - this.#statusAt < statusIntervalMs) return;
    const before = this.#statusText;
    const text = this.#statusLine(now);
    if (text !== before) this.#send(`STATUS=${text}`);
  }

  #ping(now: number): void {
    const { progress, status, onFault } = this.#options;
    const { role } = status();
    const [standstill] = progress.standstills(now, this.#pingedAt!, role);
    if (standstill === undefined) {
      this.#pingedAt = now;
      this.#isWithheld = false;
      this.#send('WATCHDOG=1');
      return;
    }
    if (!this.#isWithheld) onFault('WATCHDOG_WITHHELD', withheldText(standstill));
    this.#isWithheld = true;
  }

  #statusLine(now: number): string {
    const { role, term, turns, lagTurns, ...rest } = this.#options.status();
    const protection = rest.protected ? 'protected' : role === 'primary' ? 'SOLO' : 'not protected';
    const lag = lagTurns === null || !rest.protected ? '' : `, lag ${lagTurns} turns`;
    this.#statusAt = now;
    this.#statusText = `${role}, term ${term}, ${protection}, turn ${turns}${lag}`;
    return this.#statusText;
  }

  #send(text: string): void {
    const result = this.#options.sender.send(text);
    if (!result.ok && !this.#isRefused) this.#options.onFault(result.code, result.text);
    this.#isRefused = !result.ok;
  }
}

function withheldText({ code, text }: Standstill): string {
  return `systemd is not told that this board lives: ${code}, ${text}`;
}
