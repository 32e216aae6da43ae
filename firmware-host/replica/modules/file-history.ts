/**
 * Reads that are recorded and writes that are done on both boards.
 *
 * A read's value is recorded by the primary. A write is carried out by the primary, its result recorded, and carried
 * out again by the replaying board on its own files, so that they are there at a takeover.
 *
 * A board may replay a history from its start although its files already show a part of it (it was primary
 * before, or replays its own journal). So the first touch of a path whose prior content matters records that
 * content, its **base**, and a replaying board restores the base first: appends are then never doubled. A path
 * that is overwritten whole needs no base.
 *
 *     perform:  base = value(snapshot of P)   result = value(write to P)
 *     replay:   restore base to P             repeat the write on P, if the recorded result was a success
 *
 * A repeat that fails (disk full on the backup) is an alarm, not a divergence: the program saw the primary's result.
 *
 * Rejected: sending files themselves at a join (the journal would no longer suffice to replay from the start).
 */
import fs from 'node:fs';
import path from 'node:path';
import { type Refusal, RefusedError } from '../refusal.ts';
import type { TurnContext } from '../turn-context.ts';
import type { FilePaths } from './file-paths.ts';

/** Upper bound of what one base may hold: it travels over a serial line at 11,520 bytes a second. */
export const baseBytesMax = 1 << 20;
/** Upper bound of one recorded read, for the same reason. */
export const recordedReadBytesMax = 4 << 20;

export interface FileAlarm {
  /** The call that the backup could not repeat. */
  call: string;
  cause: unknown;
}

type Base =
  | { kind: 'missing' }
  | { kind: 'file'; mode: number; bytes: Uint8Array }
  | { kind: 'link'; target: string }
  | { kind: 'folder'; mode: number; entries: Record<string, Base> };

/** `whole`: also what is in a folder. */
export type Depth = 'entry' | 'whole';

const hardware: Refusal = {
  reason: 'writing there would reach the hardware of both boards past the output gate.',
  remedy: 'Drive outputs through the board (johnny-five) or a serial port.',
};

export class FileHistory {
  readonly context: TurnContext;
  readonly paths: FilePaths;
  readonly #onAlarm: (alarm: FileAlarm) => void;
  /** Paths whose content is the same on both boards by now. */
  readonly #known = new Set<string>();

  constructor(context: TurnContext, paths: FilePaths, onAlarm: (alarm: FileAlarm) => void) {
    this.context = context;
    this.paths = paths;
    this.#onAlarm = onAlarm;
  }

  /** A recorded read. Errors name the program's paths. */
  read<T>(call: string, perform: () => T): T {
    return this.context.value(call, () => {
      try {
        return perform();
      } catch (error) {
        throw this.paths.renamed(error);
      }
    });
  }

  /**
   * A write, done on both boards.
   *
   * @param targets paths that it creates or changes: their folders are made in the upper layer first.
   * @param repeat what the replaying board does instead, when a repeat must be more tolerant than the first run.
   */
  write<T>(call: string, targets: string[], perform: () => T, repeat: () => unknown = perform): T {
    for (const target of targets) this.#refuseHardware(target);
    const result = this.read(call, () => {
      for (const target of targets) this.#makeFolderOf(target, false);
      return perform();
    });
    if (this.context.mode === 'replay') {
      this.repeat(call, () => {
        for (const target of targets) this.#makeFolderOf(target, true);
        repeat();
      });
    }
    return result;
  }

  /** Runs the backup's own share of a write. */
  repeat(call: string, action: () => unknown): void {
    try {
      action();
    } catch (cause) {
      this.#onAlarm({ call, cause });
    }
  }

  /** Says that a path was overwritten whole: no base is needed from here on. */
  overwritten(absolute: string): void {
    this.#known.add(absolute);
  }

  isKnown(absolute: string): boolean {
    return this.#known.has(absolute);
  }

  /** Makes the content of a path equal on both boards, before a write that builds on it. */
  touch(absolute: string, depth: Depth = 'entry'): void {
    this.#refuseHardware(absolute);
    if (depth === 'entry' && this.#known.has(absolute)) return;
    const base = this.read(`fs base(${JSON.stringify(absolute)}, ${depth})`, () =>
      this.#snapshot(absolute, depth, { bytes: baseBytesMax, path: absolute }),
    );
    this.#known.add(absolute);
    if (this.context.mode === 'replay')
      this.repeat(`base of ${absolute}`, () => this.#restore(absolute, base, true));
    else if (!this.paths.inPlace && !fs.existsSync(this.paths.upper(absolute)))
      this.#restore(absolute, base, false);
  }

  /** What was known of a path moves with it. */
  moved(from: string, to: string): void {
    for (const known of [...this.#known]) {
      if (known === to || known.startsWith(`${to}/`)) this.#known.delete(known);
    }
    for (const known of [...this.#known]) {
      if (known !== from && !known.startsWith(`${from}/`)) continue;
      this.#known.delete(known);
      this.#known.add(to + known.slice(from.length));
    }
    this.#known.add(from).add(to);
    this.paths.hideLower(from);
  }

  /** A path and all under it are gone, on both boards. */
  removed(absolute: string): void {
    for (const known of [...this.#known]) {
      if (known.startsWith(`${absolute}/`)) this.#known.delete(known);
    }
    this.#known.add(absolute);
    this.paths.hideLower(absolute);
  }

  #refuseHardware(absolute: string): void {
    if (/^\/(?:sys|proc|dev)(?:\/|$)/.test(absolute) && !absolute.startsWith('/dev/shm/'))
      throw new RefusedError(`writing to ${absolute}`, hardware.reason, hardware.remedy);
  }

  /** The upper layer gets the folders that the program sees; in a replay, those the primary had. */
  #makeFolderOf(absolute: string, always: boolean): void {
    const folder = path.dirname(absolute);
    const upper = this.paths.upper(folder);
    if (fs.existsSync(upper)) return;
    if (always || (!this.paths.inPlace && fs.existsSync(this.paths.readable(folder))))
      fs.mkdirSync(upper, { recursive: true });
  }

  #snapshot(absolute: string, depth: Depth, left: { bytes: number; path: string }): Base {
    const real = this.paths.readable(absolute, false);
    const entry = fs.lstatSync(real, { throwIfNoEntry: false });
    if (entry === undefined) return { kind: 'missing' };
    const mode = entry.mode & 0o7777;
    if (entry.isSymbolicLink()) return { kind: 'link', target: this.paths.virtual(fs.readlinkSync(real)) };
    if (entry.isDirectory()) {
      const entries: Record<string, Base> = {};
      if (depth === 'whole') {
        for (const name of this.namesIn(absolute))
          entries[name] = this.#snapshot(path.join(absolute, name), depth, left);
      }
      return { kind: 'folder', mode, entries };
    }
    if (!entry.isFile())
      throw new RefusedError(`writing to ${absolute}`, 'it is neither a file nor a folder.');
    left.bytes -= entry.size;
    if (left.bytes < 0) {
      const remedy = 'Start with a new file, or rotate it before the program starts.';
      const reason = `it held more than ${baseBytesMax} bytes before this run, and the other board needs a copy.`;
      throw new RefusedError(`changing ${left.path}`, reason, remedy);
    }
    return { kind: 'file', mode, bytes: new Uint8Array(fs.readFileSync(real)) };
  }

  /** Names in a folder as the program sees it: both layers. Sorted, as the order on disk is the board's. */
  namesIn(absolute: string): string[] {
    const names = new Set<string>();
    const upper = this.paths.upper(absolute);
    let found = false;
    if (fs.existsSync(upper)) {
      for (const name of fs.readdirSync(upper)) names.add(name);
      found = true;
    }
    if (!this.paths.inPlace && this.paths.lowerVisible(absolute) && (!found || fs.existsSync(absolute))) {
      for (const name of fs.readdirSync(absolute)) {
        if (this.paths.lowerVisible(path.join(absolute, name))) names.add(name);
      }
    } else if (!found) fs.readdirSync(upper); // Throws as the program expects.
    return [...names].sort();
  }

  #restore(absolute: string, base: Base, replace: boolean): void {
    const upper = this.paths.upper(absolute);
    if (base.kind === 'missing') {
      this.paths.hideLower(absolute);
      const stale = replace ? fs.lstatSync(upper, { throwIfNoEntry: false }) : undefined;
      if (stale && !stale.isDirectory()) fs.unlinkSync(upper);
      return;
    }
    fs.mkdirSync(path.dirname(upper), { recursive: true });
    if (base.kind === 'folder') {
      fs.mkdirSync(upper, { recursive: true });
      for (const [name, entry] of Object.entries(base.entries))
        this.#restore(path.join(absolute, name), entry, replace);
      fs.chmodSync(upper, base.mode);
      return;
    }
    if (replace) fs.rmSync(upper, { force: true, recursive: true });
    if (base.kind === 'link') {
      fs.symlinkSync(path.isAbsolute(base.target) ? this.paths.upper(base.target) : base.target, upper);
    } else {
      fs.writeFileSync(upper, base.bytes);
      fs.chmodSync(upper, base.mode);
    }
  }
}

/** How a call is named in a record: with the program's paths, the same on both boards. */
export function callName(name: string, ...parameters: (string | number | bigint | null)[]): string {
  return `fs.${name}(${parameters.map((parameter) => (typeof parameter === 'string' ? JSON.stringify(parameter) : String(parameter))).join(', ')})`;
}
