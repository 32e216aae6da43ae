/**
 * A real johnny-five program inside the simulator: bundled as the pair bundles it, in a real replica's process.
 *
 * The process is spoken to synchronously: a message is written to its socket and the answer read with a blocking read,
 * as the replica itself does it (firmware-host/replica/main.ts). So a life stays in one thread and in one order,
 * however long a turn really takes. Rejected: the event loop, which would let the machine's timing decide what happens first.
 *
 * A program in an endless loop holds up the simulator: hanging is what the world does to a replica, not what it waits for.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Bundle, bundleProgram } from '../../../firmware-host/bundle/bundler.ts';
import {
  type BootOptions,
  decodeFromReplica,
  encodeToReplica,
  type FromReplica,
  MessageSplitter,
  type ToReplica,
} from '../../../firmware-host/ipc.ts';
import { decodeOutputs } from '../../../protocol/record.ts';
import type { SimulatedProgram, SimulatedReplica } from './replica-in-the-world.ts';

const entry = fileURLToPath(new URL('../../../firmware-host/replica/main.ts', import.meta.url));
const tank = fileURLToPath(new URL('../../../examples/tank.js', import.meta.url));
const readBytesMax = 64 * 1024;

export interface JohnnyFiveProgram extends SimulatedProgram {
  start(random: () => number): BlockingReplica;
  /** Ends its processes and removes its files; the end of this process does the same. */
  close(): void;
}

export interface JohnnyFiveOptions {
  /** What the program takes for its device: `new five.Board()` opens the first that looks like USB or ACM. */
  device?: string;
}

/** What node:child_process keeps behind a pipe; a blocking one is offered by no public call. */
interface PipeHandle {
  readonly fd: number;
  setBlocking(blocking: boolean): number;
  readStop(): number;
}

export class BlockingReplica implements SimulatedReplica {
  readonly #noiseFile: string;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #fd: number;
  readonly #splitter = new MessageSplitter();
  readonly #chunk = new Uint8Array(readBytesMax);
  #answers: Uint8Array[] = [];
  #last: FromReplica | null = null;
  #ended = false;

  constructor(boot: BootOptions, noiseFile: string) {
    this.#noiseFile = noiseFile;
    const noise = openSync(noiseFile, 'w');
    try {
      this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry], {
        stdio: ['ignore', noise, noise, 'pipe'],
        env: { TZ: 'UTC', LANG: 'C.UTF-8' },
      });
    } finally {
      closeSync(noise);
    }
    assert(this.#child.pid !== undefined, "the replica's process cannot be started");
    this.#socket = this.#child.stdio[3] as Socket;
    const handle = (this.#socket as unknown as { _handle: PipeHandle })._handle;
    // Node must not read what is ours to read; a descriptor of a pipe can be had no other way.
    handle.readStop();
    assert(handle.setBlocking(true) === 0, 'the socket cannot be made blocking');
    this.#fd = handle.fd;
    this.#child.unref();
    this.#socket.unref();
    // It boots while the simulator does something else; the answer waits in the socket.
    this.#send(encodeToReplica({ kind: 'boot', options: boot }));
  }

  get ended(): boolean {
    return this.#ended;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  answer(message: ToReplica): FromReplica | null {
    if (this.#ended) return null;
    if (this.#last === null && message.kind !== 'boot') this.#take();
    return message.kind === 'boot' || this.#send(encodeToReplica(message)) ? this.#take() : this.#gone();
  }

  /** The next answer. */
  #take(): FromReplica | null {
    const body = this.#receive();
    if (body === null) return this.#gone();
    this.#last = decodeFromReplica(body);
    return this.#last;
  }

  #gone(): null {
    try {
      this.#assertOrderlyEnd();
    } finally {
      this.end();
    }
    return null;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#child.kill('SIGKILL');
    this.#socket.destroy();
    rmSync(this.#noiseFile, { force: true });
  }

  /** False when nobody listens any more. */
  #send(bytes: Uint8Array): boolean {
    try {
      for (let sent = 0; sent < bytes.length; ) sent += writeSync(this.#fd, bytes, sent);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') return false;
      throw error;
    }
  }

  /** Null at the end of the stream. */
  #receive(): Uint8Array | null {
    while (this.#answers.length === 0) {
      let length: number;
      try {
        length = readSync(this.#fd, this.#chunk);
      } catch (error) {
        // The process ended before it had read everything.
        if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
        length = 0;
      }
      if (length === 0) return null;
      this.#answers = this.#splitter.push(this.#chunk.slice(0, length));
    }
    return this.#answers.shift()!;
  }

  /** A process that goes without a word is a fault of the replica's runtime, which no life is to blame for. */
  #assertOrderlyEnd(): void {
    const last = this.#last;
    const orderly =
      last !== null &&
      last.kind !== 'ready' &&
      (last.kind !== 'done' || decodeOutputs(last.outputs).some(({ kind }) => kind === 'exit'));
    assert(orderly, `the replica's process ended unasked: ${readFileSync(this.#noiseFile, 'utf8')}`);
  }
}

class BundledProgram implements JohnnyFiveProgram {
  readonly name: string;
  readonly summary: string;
  readonly devices: string[];
  readonly #folder = mkdtempSync(join(tmpdir(), 'understudy-simulated-'));
  readonly #bundleFile = join(this.#folder, 'program.bundle.js');
  readonly #started = new Set<BlockingReplica>();
  #startCount = 0;
  /** Half a second of booting is over when it is needed. */
  #spare: BlockingReplica | null = null;
  readonly #close = () => this.close();

  constructor(programFile: string, bundle: Bundle, device: string) {
    this.name = basename(programFile);
    this.summary = `johnny-five program ${this.name}, bundle ${bundle.hash.slice(0, 8)}, in processes of their own`;
    this.devices = [device];
    writeFileSync(this.#bundleFile, bundle.code);
    writeFileSync(`${this.#bundleFile}.map`, bundle.sourceMap);
    // The processes would end themselves with their sockets; the folder would stay.
    process.once('exit', this.#close);
  }

  start(): BlockingReplica {
    const replica = this.#spare ?? this.#spawn();
    this.#spare = this.#spawn();
    for (const each of this.#started) if (each.ended) this.#started.delete(each);
    return replica;
  }

  close(): void {
    for (const replica of this.#started) replica.end();
    this.#started.clear();
    this.#spare = null;
    rmSync(this.#folder, { recursive: true, force: true });
    process.off('exit', this.#close);
  }

  #spawn(): BlockingReplica {
    const count = this.#startCount++;
    const boot: BootOptions = {
      bundleFile: this.#bundleFile,
      programFile: `/programs/${this.name}`,
      filesRoot: join(this.#folder, `files-${count}`),
    };
    const replica = new BlockingReplica(boot, join(this.#folder, `noise-${count}.log`));
    this.#started.add(replica);
    return replica;
  }
}

/**
 * Bundles a program; the default is examples/tank.js. The program sees itself as /programs/NAME, so that
 * what it prints of its own place is the same on every machine.
 *
 * @throws BundleError for faults of the program's text.
 */
export async function prepareJohnnyFive(
  programFile: string = tank,
  options: JohnnyFiveOptions = {},
): Promise<JohnnyFiveProgram> {
  const bundle = await bundleProgram(programFile);
  return new BundledProgram(programFile, bundle, options.device ?? '/dev/ttyACM0');
}
