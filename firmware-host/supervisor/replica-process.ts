/**
 * The replica's process, as its supervisor holds it: started, spoken to over file descriptor 3, ended.
 *
 * The socket is the leash: when the supervisor dies, however suddenly, the kernel closes it and the replica ends
 * itself. The other way round, the process's end is the fastest news of its death there is.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  type BootOptions,
  decodeFromReplica,
  encodeToReplica,
  type FromReplica,
  MessageSplitter,
  type ToReplica,
} from '../ipc.ts';
import { raisePriority, replicaNice } from '../priority.ts';

const entry = fileURLToPath(new URL('../replica/main.ts', import.meta.url));

/** As for the board itself (tools/understudy.js). */
const nodeFlags = ['--max-semi-space-size=4', '--disable-warning=ExperimentalWarning'];

/**
 * What the replica's process inherits: what its runtime identity depends on, which both boards compare, and where compiled
 * modules are kept. The program sees none of it.
 */
export function replicaEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of ['TZ', 'LANG', 'LC_ALL', 'NODE_COMPILE_CACHE']) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

export interface ReplicaListener {
  message(message: FromReplica): void;
  /** Unasked. */
  exited(reason: string): void;
  /** What the process writes outside the program's console: Node's own warnings and crashes. */
  noise(text: string): void;
}

export class ReplicaProcess {
  readonly #child: ChildProcess;
  readonly #socket: Duplex;
  #stopped = false;
  #unsent: Uint8Array[] = [];

  constructor(boot: BootOptions, listener: ReplicaListener) {
    this.#child = spawn(process.execPath, [...nodeFlags, entry], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: replicaEnvironment(),
      // A terminal's Ctrl-C is for the supervisor, which then leaves in order.
      detached: true,
    });
    if (this.#child.pid !== undefined) raisePriority(this.#child.pid, replicaNice);
    this.#socket = this.#child.stdio[3] as Duplex;
    const splitter = new MessageSplitter();
    this.#socket.on('data', (chunk: Buffer) => {
      for (const body of splitter.push(chunk)) {
        if (!this.#stopped) listener.message(decodeFromReplica(body));
      }
    });
    this.#socket.on('error', () => {
      // The exit of the process says the same and more.
    });
    this.#child.on('error', (error) => this.#ended(listener, `cannot be started: ${error.message}`));
    this.#child.on('exit', (code, signal) => {
      this.#ended(
        listener,
        signal === null ? `the replica's process exited with code ${code}` : `killed by ${signal}`,
      );
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => listener.noise(chunk.toString()));
    }
    this.send({ kind: 'boot', options: boot });
    this.flush();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  #ended(listener: ReplicaListener, reason: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    listener.exited(reason);
  }

  /** Leaves with the next `flush`: a join has some hundred turns at once. */
  send(message: ToReplica): void {
    this.#unsent.push(encodeToReplica(message));
  }

  flush(): void {
    if (this.#unsent.length === 0) return;
    const bytes = this.#unsent.length === 1 ? this.#unsent[0]! : Buffer.concat(this.#unsent);
    this.#unsent = [];
    if (!this.#stopped && this.#socket.writable) this.#socket.write(bytes);
  }

  /** Ends it at once; nothing of it is heard any more. */
  stop(): void {
    this.#stopped = true;
    this.#child.kill('SIGKILL');
    this.#socket.destroy();
  }
}
