/**
 * Where the program's paths are on this board.
 *
 * A path P of the program lies at `filesRoot` + P, the **upper** layer; what is not there is read from P itself, the
 * **lower** layer, which is never written. With filesRoot `/` both are the same: files are used in place. Two boards
 * simulated on one computer have a filesRoot each.
 *
 *     program's path   /home/pi/log.txt
 *     upper            /var/lib/understudy/files/home/pi/log.txt    written, read first
 *     lower            /home/pi/log.txt                             read
 *
 * A deletion of something that lies in the lower layer is remembered here for this history. Symbolic links
 * with an absolute target point into the upper layer; a link in the upper layer whose target is only in the lower
 * is followed here (last component only).
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const linksMax = 40;

export class FilePaths {
  readonly #root: string;
  readonly #currentDirectory: () => string;
  /** Paths of the lower layer that the program deleted, and so everything under them. */
  readonly #deleted = new Set<string>();

  constructor(filesRoot: string, currentDirectory: () => string) {
    fs.mkdirSync(filesRoot, { recursive: true });
    this.#root = fs.realpathSync(filesRoot);
    this.#currentDirectory = currentDirectory;
  }

  get inPlace(): boolean {
    return this.#root === '/';
  }

  /** The program's path, absolute and normal. Throws as Node does on what is no path. */
  absolute(name: unknown, argument = 'path'): string {
    let text: string;
    if (typeof name === 'string') text = name;
    else if (name instanceof Uint8Array) text = Buffer.from(name).toString();
    else if (name instanceof URL) text = fileURLToPath(name);
    else {
      const got = name === null ? 'null' : typeof name === 'object' ? 'an object' : `type ${typeof name}`;
      const message = `The "${argument}" argument must be of type string or an instance of Buffer or URL. Received ${got}`;
      throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    if (text.includes('\0')) {
      const message = `The argument '${argument}' must be a string without null bytes.`;
      throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' });
    }
    if (text === '') return '';
    return path.resolve(this.#currentDirectory(), text);
  }

  upper(absolute: string): string {
    if (absolute === '') return '';
    return this.inPlace ? absolute : path.join(this.#root, absolute);
  }

  /** The program's name of a real path. */
  virtual(real: string): string {
    if (this.inPlace) return real;
    if (real === this.#root) return '/';
    return real.startsWith(`${this.#root}/`) ? real.slice(this.#root.length) : real;
  }

  /** True when the lower layer's entry may be seen. */
  lowerVisible(absolute: string): boolean {
    for (let current = absolute; this.#deleted.size > 0; current = path.dirname(current)) {
      if (this.#deleted.has(current)) return false;
      if (path.dirname(current) === current) break;
    }
    return true;
  }

  /** Hides the lower layer's entry, as after a deletion. */
  hideLower(absolute: string): void {
    if (!this.inPlace) this.#deleted.add(absolute);
  }

  /** The real path where a path of the program is to be read: upper if it is there, else lower. */
  readable(absolute: string, followLinks = true): string {
    const upper = this.upper(absolute);
    if (this.inPlace || absolute === '') return upper;
    let current = absolute;
    for (let links = 0; links < linksMax; links++) {
      const candidate = this.upper(current);
      const entry = fs.lstatSync(candidate, { throwIfNoEntry: false });
      if (entry === undefined) {
        return this.lowerVisible(current) && fs.lstatSync(current, { throwIfNoEntry: false }) !== undefined
          ? current
          : upper;
      }
      if (!followLinks || !entry.isSymbolicLink() || fs.existsSync(candidate)) return candidate;
      current = this.virtual(path.resolve(path.dirname(candidate), fs.readlinkSync(candidate)));
    }
    return upper;
  }

  exists(absolute: string): boolean {
    return fs.lstatSync(this.readable(absolute, false), { throwIfNoEntry: false }) !== undefined;
  }

  /** Names the program's paths, not the real ones, in an error of the real file system. */
  renamed(error: unknown, call?: string): unknown {
    if (!(error instanceof Error)) return error;
    const fault = error as NodeJS.ErrnoException & { dest?: string };
    if (!this.inPlace) {
      fault.message = fault.message.replaceAll(this.#root, '');
      if (typeof fault.path === 'string') fault.path = this.virtual(fault.path);
      if (typeof fault.dest === 'string') fault.dest = this.virtual(fault.dest);
    }
    if (call !== undefined && fault.syscall === 'lstat') fault.syscall = call;
    return fault;
  }
}
