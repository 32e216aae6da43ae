/**
 * Listens on both lines of a fenced device and tells what it accepted, refused and began: the witness of a device that runs
 * as machine code and says nothing of itself but on its lines (protocol/README.md §12).
 *
 *     board --DATA(offset, bytes)--> device        kept by offset, for each port
 *     board <--ACCEPTED(outputs)---- device        whatever lies before `outputs` is accepted: these bytes, in order
 *
 * It believes the device's counts and the boards' bytes, never what it thinks the device should have done. A count that
 * covers bytes which never went over a line is a fault of the device and is told as such.
 */
import type { DevicePort } from '../../../protocol/device-stream/device.ts';
import {
  type ControllerMessage,
  type DeviceMessage,
  expandOffset,
  StreamReceiver,
  wrapOffset,
} from '../../../protocol/device-stream/frames.ts';

export type TapEvent =
  | { kind: 'session'; session: number; heldTerm: number; safe: boolean }
  | { kind: 'attached'; port: DevicePort; term: number; session: number }
  | { kind: 'released'; port: DevicePort; term: number }
  | { kind: 'output'; port: DevicePort; term: number; session: number; bytes: Uint8Array }
  /** The count covers bytes that no board sent: `bytes` of them, from `offset` on. */
  | { kind: 'output-unseen'; port: DevicePort; offset: number; bytes: number }
  | { kind: 'rejected-stale'; port: DevicePort; term: number; bytes: number }
  | { kind: 'input'; bytes: number }
  | { kind: 'input-lost'; bytes: number }
  | { kind: 'discarded'; port: DevicePort; reason: string };

interface PortView {
  fromBoard: StreamReceiver;
  fromDevice: StreamReceiver;
  /** Output bytes by full offset, sent on this port and not accepted yet. */
  sent: Map<number, number>;
  /** Sent under a term that the device does not follow, and not answered yet. */
  staleFrames: number;
  staleBytes: number;
  staleTerm: number;
  /** RELEASE was sent and not answered yet, under this term. */
  releaseTerm: number | null;
}

export class StreamTap {
  readonly #tell: (event: TapEvent) => void;
  readonly #ports: readonly [PortView, PortView] = [newPort(), newPort()];
  #session: number | null = null;
  #term = 0;
  #holder: DevicePort | null = null;
  #accepted = 0;
  #inputEnd = 0;
  #inputsLost = 0;

  constructor(tell: (event: TapEvent) => void) {
    this.#tell = tell;
  }

  get session(): number {
    return this.#session ?? 0;
  }

  get term(): number {
    return this.#term;
  }

  fromBoard(port: DevicePort, bytes: Uint8Array): void {
    for (const item of this.#ports[port].fromBoard.push(bytes)) {
      if (item.kind === 'discarded') this.#tell({ kind: 'discarded', port, reason: item.reason });
      else this.#sent(port, item.message as ControllerMessage);
    }
  }

  fromDevice(port: DevicePort, bytes: Uint8Array): void {
    for (const item of this.#ports[port].fromDevice.push(bytes)) {
      if (item.kind === 'message') this.#answered(port, item.message as DeviceMessage);
    }
  }

  /** The device lost its supply or was reset: what it was saying will not be finished. */
  deviceReset(): void {
    for (const port of this.#ports) {
      port.fromBoard.reset();
      port.fromDevice.reset();
    }
  }

  #sent(port: DevicePort, message: ControllerMessage): void {
    const view = this.#ports[port];
    if (message.kind === 'query') return;
    if (message.kind === 'attach') return;
    const isStale = message.term < this.#term || (message.term === this.#term && port !== this.#holder);
    if (isStale) {
      view.staleFrames += 1;
      view.staleTerm = message.term;
    }
    if (message.kind === 'release') view.releaseTerm = message.term;
    if (message.kind !== 'data') return;
    if (isStale) view.staleBytes += message.bytes.length;
    else {
      const first = expandOffset(message.offset, this.#accepted);
      for (const [index, byte] of message.bytes.entries()) view.sent.set(first + index, byte);
    }
  }

  #answered(port: DevicePort, message: DeviceMessage): void {
    const view = this.#ports[port];
    switch (message.kind) {
      case 'hello':
        this.#hello(message);
        if (view.releaseTerm !== null && !message.attachedHere) {
          if (view.releaseTerm === this.#term && port === this.#holder)
            this.#tell({ kind: 'released', port, term: view.releaseTerm });
          view.releaseTerm = null;
        }
        return;
      case 'attached':
        this.#attached(port, message);
        return;
      case 'accepted':
        this.#advance(port, message.outputs);
        if (message.inputsLost > this.#inputsLost) {
          this.#tell({ kind: 'input-lost', bytes: message.inputsLost - this.#inputsLost });
        }
        this.#inputsLost = message.inputsLost;
        return;
      case 'stale':
        if (view.staleFrames === 0) return;
        this.#tell({ kind: 'rejected-stale', port, term: view.staleTerm, bytes: view.staleBytes });
        view.staleFrames = 0;
        view.staleBytes = 0;
        return;
      case 'input': {
        const end = expandOffset(message.offset, this.#inputEnd) + message.bytes.length;
        if (message.session !== this.#session || end <= this.#inputEnd) return;
        this.#tell({ kind: 'input', bytes: end - this.#inputEnd });
        this.#inputEnd = end;
      }
    }
  }

  #hello(message: DeviceMessage & { kind: 'hello' }): void {
    if (message.session === this.#session) return;
    this.#session = message.session;
    this.#term = Math.max(this.#term, message.heldTerm);
    this.#accepted = 0;
    this.#inputEnd = 0;
    this.#inputsLost = 0;
    for (const view of this.#ports) view.sent.clear();
    this.#tell({ kind: 'session', session: message.session, heldTerm: message.heldTerm, safe: message.safe });
  }

  #attached(port: DevicePort, message: DeviceMessage & { kind: 'attached' }): void {
    // What the holder before had accepted and could not be told any more came over its line, not over this one.
    if (message.session === this.#session) this.#advance(this.#holder ?? port, message.outputs);
    const isNew = message.term !== this.#term || port !== this.#holder;
    this.#term = message.term;
    this.#holder = port;
    if (isNew) this.#ports[port].sent.clear();
    this.#tell({ kind: 'attached', port, term: message.term, session: message.session });
  }

  #advance(port: DevicePort, outputs: number): void {
    const { sent } = this.#ports[port];
    const end = expandOffset(wrapOffset(outputs), this.#accepted);
    if (end <= this.#accepted) return;
    const first = this.#accepted;
    this.#accepted = end;
    const bytes = new Uint8Array(end - first);
    let unseen = 0;
    for (let offset = first; offset < end; offset++) {
      const byte = sent.get(offset);
      if (byte === undefined) unseen += 1;
      else bytes[offset - first] = byte;
      sent.delete(offset);
    }
    if (unseen > 0) this.#tell({ kind: 'output-unseen', port, offset: first, bytes: unseen });
    this.#tell({ kind: 'output', port, term: this.#term, session: this.session, bytes });
  }
}

function newPort(): PortView {
  return {
    fromBoard: new StreamReceiver(),
    fromDevice: new StreamReceiver(),
    sent: new Map(),
    staleFrames: 0,
    staleBytes: 0,
    staleTerm: 0,
    releaseTerm: null,
  };
}
