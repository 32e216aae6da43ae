/**
 * Serial ports of the control program as a `@serialport/bindings-interface` binding over requests, outputs
 * and events (DESIGN.md section 3).
 *
 * A write within the port's credit completes at once, like a write into the operating system's buffer. Beyond
 * it the write waits for `port-credit` events: a program that writes faster than the device takes is slowed.
 */
import type {
  BindingInterface,
  BindingPortInterface,
  OpenOptions,
  PortInfo,
  PortStatus,
  SetOptions,
  UpdateOptions,
} from '@serialport/bindings-interface';
import type { TurnContext } from '../turn-context.ts';
import type { EventHandler } from '../turn-runner.ts';

const portCreditBytes = 64 * 1024;

/** What the binding needs beyond a turn context: the events of its ports. */
export interface PortEvents {
  on<K extends 'port-data' | 'port-lost' | 'port-credit'>(kind: K, handler: EventHandler<K>): void;
}

interface PendingRead {
  buffer: Buffer;
  offset: number;
  length: number;
  resolve(result: { buffer: Buffer; bytesRead: number }): void;
  reject(reason: Error): void;
}

interface PendingWrite {
  bytes: Uint8Array;
  resolve(): void;
  reject(reason: Error): void;
}

function canceled(): Error {
  return Object.assign(new Error('Canceled'), { canceled: true });
}

class ReplicaPort implements BindingPortInterface {
  readonly openOptions: Required<OpenOptions>;
  isOpen = true;
  readonly #context: TurnContext;
  readonly #port: number;
  readonly #release: () => void;
  #creditBytes = portCreditBytes;
  #received: Uint8Array[] = [];
  #pendingRead: PendingRead | undefined;
  #pendingWrite: PendingWrite | undefined;
  #lost: string | undefined;

  constructor(context: TurnContext, port: number, options: Required<OpenOptions>) {
    this.#context = context;
    this.#port = port;
    this.openOptions = options;
    this.#release = context.holdAlive();
  }

  /** Takes the bytes of a `port-data` event. */
  receive(bytes: Uint8Array): void {
    if (!this.isOpen || bytes.length === 0) return;
    this.#received.push(bytes);
    this.#serveRead();
  }

  /** Takes a `port-lost` event: reads and writes fail with a reason that is no cancellation. */
  lose(reason: string): void {
    this.#lost = reason;
    this.#pendingRead?.reject(new Error(reason));
    this.#pendingRead = undefined;
    this.#pendingWrite?.reject(new Error(reason));
    this.#pendingWrite = undefined;
  }

  addCredit(bytes: number): void {
    this.#creditBytes += bytes;
    this.#serveWrite();
  }

  async close(): Promise<void> {
    this.#assertOpen();
    this.isOpen = false;
    this.#received = [];
    this.#pendingRead?.reject(canceled());
    this.#pendingRead = undefined;
    this.#pendingWrite?.reject(canceled());
    this.#pendingWrite = undefined;
    this.#release();
    // A port that is lost is closed already.
    if (this.#lost === undefined) await this.#context.request('close', this.#port, null);
  }

  read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) reject(canceled());
      else if (this.#lost !== undefined) reject(new Error(this.#lost));
      else {
        this.#pendingRead = { buffer, offset, length, resolve, reject };
        this.#serveRead();
      }
    });
  }

  write(buffer: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) reject(canceled());
      else if (this.#lost !== undefined) reject(new Error(this.#lost));
      else {
        // A copy: the program may reuse its buffer before the turn ends.
        this.#pendingWrite = { bytes: Uint8Array.from(buffer), resolve, reject };
        this.#serveWrite();
      }
    });
  }

  async update(options: UpdateOptions): Promise<void> {
    this.#assertOpen();
    await this.#context.request('update', this.#port, options);
    this.openOptions.baudRate = options.baudRate;
  }

  async set(options: SetOptions): Promise<void> {
    this.#assertOpen();
    await this.#context.request('set', this.#port, options);
  }

  async get(): Promise<PortStatus> {
    this.#assertOpen();
    return (await this.#context.request('get', this.#port, null)) as PortStatus;
  }

  async getBaudRate(): Promise<{ baudRate: number }> {
    this.#assertOpen();
    return { baudRate: this.openOptions.baudRate };
  }

  async flush(): Promise<void> {
    this.#assertOpen();
    this.#received = [];
    await this.#context.request('flush', this.#port, null);
  }

  async drain(): Promise<void> {
    this.#assertOpen();
    await this.#context.request('drain', this.#port, null);
  }

  #assertOpen(): void {
    if (!this.isOpen) throw new Error('Port is not open');
  }

  #serveRead(): void {
    const read = this.#pendingRead;
    if (read === undefined || this.#received.length === 0) return;
    this.#pendingRead = undefined;
    let bytesRead = 0;
    while (bytesRead < read.length && this.#received.length > 0) {
      const first = this.#received[0]!;
      const part = first.subarray(0, read.length - bytesRead);
      read.buffer.set(part, read.offset + bytesRead);
      bytesRead += part.length;
      if (part.length === first.length) this.#received.shift();
      else this.#received[0] = first.subarray(part.length);
    }
    read.resolve({ buffer: read.buffer, bytesRead });
  }

  #serveWrite(): void {
    const write = this.#pendingWrite;
    if (write === undefined || this.#creditBytes <= 0) return;
    const part = write.bytes.subarray(0, this.#creditBytes);
    this.#creditBytes -= part.length;
    this.#context.output({ kind: 'write', port: this.#port, bytes: part });
    if (part.length < write.bytes.length) {
      write.bytes = write.bytes.subarray(part.length);
      return;
    }
    this.#pendingWrite = undefined;
    this.#context.completeSoon(write.resolve);
  }
}

/** One binding a replica; ports are numbered by the order of opening, failed openings included. */
export function createBinding(context: TurnContext, events: PortEvents): BindingInterface {
  const ports = new Map<number, ReplicaPort>();
  let portCount = 0;

  events.on('port-data', (event) => ports.get(event.port)?.receive(event.bytes));
  events.on('port-lost', (event) => ports.get(event.port)?.lose(event.reason));
  events.on('port-credit', (event) => ports.get(event.port)?.addCredit(event.bytes));

  return {
    async list(): Promise<PortInfo[]> {
      await new Promise<void>((resolve) => context.completeSoon(resolve));
      return context.start.ports.map((path) => ({
        path,
        manufacturer: undefined,
        serialNumber: undefined,
        pnpId: undefined,
        locationId: undefined,
        productId: undefined,
        vendorId: undefined,
      }));
    },

    async open(options: OpenOptions): Promise<BindingPortInterface> {
      const complete: Required<OpenOptions> = {
        dataBits: 8,
        lock: true,
        stopBits: 1,
        parity: 'none',
        rtscts: false,
        xon: false,
        xoff: false,
        xany: false,
        hupcl: true,
        ...options,
      };
      const number = portCount++;
      await context.request('open', number, complete);
      const port = new ReplicaPort(context, number, complete);
      ports.set(number, port);
      return port;
    },
  };
}
