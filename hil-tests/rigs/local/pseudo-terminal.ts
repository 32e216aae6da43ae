/**
 * A pseudo-terminal whose master end is held by this process: the serial port of a rig without hardware.
 *
 * Another process (or this one) opens `path` with the real `serialport`, sets its speed, locks it, reads and
 * writes it like a UART. What it writes arrives at `onData`; what we `write` it reads.
 *
 * ```
 *   serialport(path) <-- slave | kernel tty | master --> onData(bytes), write(bytes)
 * ```
 *
 * What a pseudo-terminal is not: it has no speed of its own (pace the bytes, see serial-cable.ts; the speed
 * that the opener asked for can be read with `baudRate()`), no modem lines (ENOTTY), and it keeps bytes for an
 * opener who is not there yet, where a UART would drop them (`serialport` flushes the kernel's part on open, some
 * 12 KB; what waits in our queue still comes).
 *
 * Three traps, measured, decide the shape of this file:
 * - While no one has the slave open, reading the master fails with EIO. So one slave descriptor stays open
 *   here from beginning to end, and openers come and go without the master noticing.
 * - `tty.ReadStream.write` on a master blocks the whole event loop when the slave's reader is slow. Bytes are
 *   written with `fs.writeSync` on a non-blocking descriptor instead; on EAGAIN they wait in a bounded queue
 *   and are tried again from a timer, since Node offers no "writable" event for a bare descriptor.
 * - A new pseudo-terminal echoes and edits lines. It is set raw before anyone can learn its path.
 *
 * Nothing outlives the process: both descriptors are close-on-exec, and the kernel removes the entry in
 * /dev/pts with the last of them.
 */
import assert from 'node:assert/strict';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import koffi from 'koffi';

export interface PseudoTerminalOptions {
  /** Bytes kept for a reader that does not read, beyond the kernel's 17-20 KB. 1..2^30, default 65,536. */
  queueBytesMax?: number;
}

export interface PseudoTerminal {
  /** The slave's device file, such as /dev/pts/7: what a program opens as its serial port. */
  readonly path: string;
  /** Calls back with every chunk that the opener of `path` writes. Bytes before the first callback wait. */
  onData(callback: (bytes: Uint8Array) => void): void;
  /** Stops and goes on reading: the opener's writes fill the kernel's buffer meanwhile, then block or wait. */
  pause(): void;
  resume(): void;
  /**
   * Sends bytes to the opener of `path`; never blocks. Takes all of them or, when the queue has no room, none:
   * then returns false and counts them in `discardedBytes`, as a UART would overrun.
   */
  write(bytes: Uint8Array): boolean;
  /** Bytes that wait in this process because the kernel would not take them yet. */
  pendingBytes(): number;
  discardedBytes(): number;
  /** The speed that the last opener set, in bits a second; null while no one has set one. */
  baudRate(): number | null;
  /** Hangs up: the opener's port is lost (reads fail with EIO). May be called twice. */
  close(): void;
}

/** linux/termios: struct termios2 holds the speed as a number, struct termios only as a code. */
const getTermios2 = 0x80_2c_54_2a;
const termios2Bytes = 44;
const outputSpeedOffset = 40;
/** More than any libc's struct termios (glibc: 60). */
const termiosBytesMax = 256;
const setNow = 0;
const hangUpSpeed = 0;
/** How soon a write that met EAGAIN is tried again: the time of some 11 bytes at 115,200 baud. */
const retryIntervalMs = 1;

function bindLibc() {
  const libc = koffi.load(null);
  return {
    grantpt: libc.func('int grantpt(int fd)'),
    unlockpt: libc.func('int unlockpt(int fd)'),
    ptsname: libc.func('int ptsname_r(int fd, _Out_ uint8_t *name, size_t length)'),
    getAttributes: libc.func('int tcgetattr(int fd, _Out_ uint8_t *termios)'),
    makeRaw: libc.func('void cfmakeraw(_Inout_ uint8_t *termios)'),
    setSpeed: libc.func('int cfsetspeed(_Inout_ uint8_t *termios, unsigned int speed)'),
    setAttributes: libc.func('int tcsetattr(int fd, int when, const uint8_t *termios)'),
    ioctl: libc.func('int ioctl(int fd, unsigned long request, ...)'),
  };
}

let bound: ReturnType<typeof bindLibc> | undefined;

/** Bound on first use, so that importing this file costs nothing on a machine without the library. */
function libc(): ReturnType<typeof bindLibc> {
  bound ??= bindLibc();
  return bound;
}

function must(result: number, call: string): void {
  if (result !== 0) throw new Error(`${call} failed (errno ${koffi.errno()})`);
}

/** The two descriptors of a raw pseudo-terminal with no speed set; none stays open when it throws. */
function openDescriptors(): { master: number; slave: number; path: string } {
  const c = libc();
  const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
  const master = openSync('/dev/ptmx', flags);
  let slave = -1;
  try {
    must(c.grantpt(master), 'grantpt');
    must(c.unlockpt(master), 'unlockpt');
    const name = new Uint8Array(64);
    must(c.ptsname(master, name, name.length), 'ptsname_r');
    const path = Buffer.from(name.subarray(0, name.indexOf(0))).toString('latin1');
    slave = openSync(path, flags);
    const attributes = new Uint8Array(termiosBytesMax);
    must(c.getAttributes(slave, attributes), 'tcgetattr');
    c.makeRaw(attributes);
    must(c.setSpeed(attributes, hangUpSpeed), 'cfsetspeed');
    must(c.setAttributes(slave, setNow, attributes), 'tcsetattr');
    return { master, slave, path };
  } catch (error) {
    if (slave >= 0) closeSync(slave);
    closeSync(master);
    throw error;
  }
}

class KernelPseudoTerminal implements PseudoTerminal {
  readonly path: string;
  readonly #master: number;
  readonly #slave: number;
  readonly #stream: ReadStream;
  readonly #queueBytesMax: number;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #discardedBytes = 0;
  #retryTimer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(queueBytesMax: number) {
    this.#queueBytesMax = queueBytesMax;
    const { master, slave, path } = openDescriptors();
    this.path = path;
    this.#master = master;
    this.#slave = slave;
    this.#stream = new ReadStream(master);
    this.#stream.pause();
    // The stream owns the master and closes it. With our slave open a read does not fail; should the kernel
    // take the terminal away all the same, the rig must not die of an unhandled 'error'.
    this.#stream.on('error', () => this.close());
  }

  onData(callback: (bytes: Uint8Array) => void): void {
    this.#stream.on('data', (chunk) => {
      if (!this.#closed) callback(chunk as unknown as Uint8Array);
    });
    this.#stream.resume();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#closed) this.#stream.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#queuedBytes + bytes.length > this.#queueBytesMax) {
      this.#discardedBytes += bytes.length;
      return false;
    }
    if (bytes.length === 0) return true;
    this.#queue.push(bytes.slice());
    this.#queuedBytes += bytes.length;
    if (this.#retryTimer === null) this.#flush();
    return true;
  }

  pendingBytes(): number {
    return this.#queuedBytes;
  }

  discardedBytes(): number {
    return this.#discardedBytes;
  }

  baudRate(): number | null {
    assert(!this.#closed, 'baudRate of a closed pseudo-terminal');
    const termios2 = new Uint8Array(termios2Bytes);
    must(libc().ioctl(this.#slave, getTermios2, '_Out_ uint8_t *', termios2), 'ioctl TCGETS2');
    const speed = new DataView(termios2.buffer).getUint32(outputSpeedOffset, true);
    return speed === 0 ? null : speed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#stream.destroy();
    closeSync(this.#slave);
  }

  #flush(): void {
    this.#retryTimer = null;
    let head = this.#queue[0];
    while (head !== undefined) {
      const written = this.#writeSome(head);
      this.#queuedBytes -= written;
      if (written < head.length) {
        this.#queue[0] = head.subarray(written);
        this.#retryTimer = setTimeout(() => this.#flush(), retryIntervalMs);
        return;
      }
      this.#queue.shift();
      head = this.#queue[0];
    }
  }

  /** Number of bytes that the kernel took: 0 when it has no room. */
  #writeSome(bytes: Uint8Array): number {
    try {
      return writeSync(this.#master, bytes);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EAGAIN' || code === 'EINTR') return 0;
      throw error;
    }
  }
}

/** Throws when the machine has no /dev/ptmx or no free pseudo-terminal. */
export function openPseudoTerminal(options: PseudoTerminalOptions = {}): PseudoTerminal {
  const queueBytesMax = options.queueBytesMax ?? 65_536;
  if (!Number.isInteger(queueBytesMax) || queueBytesMax < 1 || queueBytesMax > 2 ** 30) {
    throw new RangeError(`queueBytesMax must be 1..2^30 (got ${queueBytesMax})`);
  }
  return new KernelPseudoTerminal(queueBytesMax);
}
