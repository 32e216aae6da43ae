/**
 * The committed hex on the emulated Mega, with a controller of the fenced stream on each of its two lines. All time is the machine's.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { DeviceControllerEffect } from '../../../protocol/device-stream/controller.ts';
import { DeviceController } from '../../../protocol/device-stream/controller.ts';
import { parseIntelHex } from '../emulator/intel-hex.ts';
import { Mega2560 } from '../emulator/machine.ts';

const bitsPerSecond = 115_200;
/** UART of a port of the stream. */
const serialOfPort = [1, 2] as const;
const consoleSerial = 0;
const flashBytes = 262_144;

export type Port = 0 | 1;

export function readProgram(): Uint8Array {
  const file = new URL('understudy-mega-2560.hex', import.meta.url);
  const result = parseIntelHex(readFileSync(file, 'utf8'), flashBytes);
  assert(result.kind === 'program', `the committed hex is damaged: ${JSON.stringify(result)}`);
  return result.bytes;
}

/** One board's side: its controller, what it has written and what it has heard. */
export class BoardSide {
  readonly controller = new DeviceController();
  readonly effects: DeviceControllerEffect[] = [];
  /** Inputs in order, since the attach of the session. */
  inputs: number[] = [];
  inputsFrom = 0;
  session: number | null = null;
  attachedTerm: number | null = null;
  outputsAccepted = 0;
  outputsWritten = 0;
  heldTerm: number | null = null;
  /** Inputs are acknowledged as they come; false: the ring in the device fills. */
  acknowledges = true;
  wakeAt: number | null = null;
  isCut = false;
  /** Of `inputs`, how many were handed out by `taken`. */
  takenCount = 0;
}

export class FirmwareRig {
  readonly machine: Mega2560;
  /** What becomes of a byte on the lines of the boards; both ways. */
  damage: (byte: number) => readonly number[] = (byte) => [byte];
  readonly sides: readonly [BoardSide, BoardSide] = [new BoardSide(), new BoardSide()];
  readonly consoleBytes: number[] = [];

  constructor(options: { eeprom?: Uint8Array; program?: Uint8Array } = {}) {
    this.machine = new Mega2560({ program: options.program ?? readProgram(), eeprom: options.eeprom });
    this.machine.onSerialOut((serial, byte) => {
      if (serial === consoleSerial) this.consoleBytes.push(byte);
      const port = serialOfPort.indexOf(serial as 1 | 2) as Port | -1;
      if (port >= 0 && !this.sides[port as Port].isCut) {
        this.step(port as Port, { kind: 'bytes', bytes: Uint8Array.from(this.damage(byte)) });
      }
    });
    for (const port of [0, 1] as const) this.step(port, { kind: 'port-opened' });
  }

  step(port: Port, input: Parameters<DeviceController['step']>[1]): void {
    const side = this.sides[port];
    for (const effect of side.controller.step(this.machine.timeMs, input)) this.#carryOut(port, side, effect);
  }

  #carryOut(port: Port, side: BoardSide, effect: DeviceControllerEffect): void {
    if (effect.kind !== 'transmit' && effect.kind !== 'wake') side.effects.push(effect);
    switch (effect.kind) {
      case 'transmit':
        if (side.isCut) return;
        for (const sent of effect.bytes) {
          for (const byte of this.damage(sent))
            this.machine.serialIn(serialOfPort[port], byte, { bitsPerSecond });
        }
        return;
      case 'hello':
        side.session = effect.session;
        side.heldTerm = effect.heldTerm;
        return;
      case 'attached':
        side.attachedTerm = effect.term;
        side.session = effect.session;
        side.outputsAccepted = effect.outputsAccepted;
        side.outputsWritten = effect.outputsAccepted;
        return;
      case 'stale':
        side.attachedTerm = null;
        side.heldTerm = effect.heldTerm;
        return;
      case 'session-lost':
        side.attachedTerm = null;
        side.session = effect.session;
        return;
      case 'input':
        side.inputs.push(...effect.bytes);
        if (side.acknowledges) this.acknowledge(port);
        return;
      case 'accepted':
        side.outputsAccepted = effect.offset;
        return;
      case 'wake':
        side.wakeAt = effect.at;
    }
  }

  acknowledge(port: Port): void {
    const side = this.sides[port];
    const offset = side.inputsFrom + side.inputs.length;
    this.step(port, { kind: 'inputs-stored', offset });
  }

  run(ms: number): void {
    const end = this.machine.timeMs + ms;
    while (this.machine.timeMs < end) {
      let next = end;
      for (const side of this.sides) if (side.wakeAt !== null) next = Math.min(next, side.wakeAt);
      this.machine.runUntil(this.machine.cyclesOf(Math.max(next, this.machine.timeMs)) + 1);
      for (const port of [0, 1] as const) {
        const { wakeAt } = this.sides[port];
        if (wakeAt === null || wakeAt > this.machine.timeMs) continue;
        this.sides[port].wakeAt = null;
        this.step(port, { kind: 'tick' });
      }
    }
  }

  /** Asserts that it comes true. */
  runUntil(what: string, condition: () => boolean, limitMs = 1000): void {
    const limit = this.machine.timeMs + limitMs;
    while (!condition()) {
      assert(this.machine.timeMs < limit, `within ${limitMs} ms: ${what}`);
      this.run(0.25);
    }
  }

  attach(port: Port, term: number, session: number | null = null, inputsReceived = 0): void {
    const side = this.sides[port];
    side.inputs = [];
    side.takenCount = 0;
    side.inputsFrom = inputsReceived;
    this.step(port, { kind: 'attach', term, session, inputsReceived });
    this.runUntil(`attach of port ${port}`, () => side.attachedTerm === term);
    this.acknowledge(port);
  }

  /** Hands outputs to the controller of that port. */
  write(port: Port, ...bytes: number[]): void {
    const side = this.sides[port];
    this.step(port, { kind: 'write', offset: side.outputsWritten, bytes: Uint8Array.from(bytes) });
    side.outputsWritten += bytes.length;
  }

  /** The same, and lets the device accept it and carry it out. */
  send(port: Port, ...bytes: number[]): void {
    this.write(port, ...bytes);
    const side = this.sides[port];
    this.runUntil('outputs accepted', () => side.outputsAccepted >= side.outputsWritten, 2000);
    this.run(2);
  }

  sendSysex(port: Port, id: number, ...data: number[]): void {
    this.send(port, 0xf0, id, ...data, 0xf7);
  }

  /** Inputs since the last call. */
  taken(port: Port): number[] {
    const side = this.sides[port];
    const bytes = side.inputs.slice(side.takenCount);
    side.takenCount = side.inputs.length;
    return bytes;
  }

  /** The sysexes among the inputs since the last call, as [id, ...data]. */
  takenSysex(port: Port): number[][] {
    return sysexesOf(this.taken(port));
  }

  console(text: string): string {
    this.consoleBytes.length = 0;
    for (const byte of Buffer.from(text)) this.machine.serialIn(consoleSerial, byte, { bitsPerSecond });
    this.runUntil('answer of the console', () => this.consoleBytes.at(-1) === 0x0a, 500);
    return Buffer.from(this.consoleBytes).toString('latin1');
  }

  /** The info line as a table. */
  info(): Map<string, string> {
    const fields = this.console('?').trim().split(' ').slice(1);
    return new Map(fields.map((field) => field.split('=') as [string, string]));
  }
}

export function sysexesOf(bytes: readonly number[]): number[][] {
  const messages: number[][] = [];
  let open: number[] | null = null;
  for (const byte of bytes) {
    if (byte === 0xf0) open = [];
    else if (byte === 0xf7 && open !== null) {
      messages.push(open);
      open = null;
    } else open?.push(byte);
  }
  return messages;
}

/** Attached on port a, announcement taken. */
export function startAttached(options: { eeprom?: Uint8Array; program?: Uint8Array } = {}): FirmwareRig {
  const rig = new FirmwareRig(options);
  rig.runUntil('hello', () => rig.sides[0].session !== null);
  rig.attach(0, 1);
  rig.runUntil('announcement', () => rig.sides[0].inputs.length > 3);
  rig.run(10);
  rig.taken(0);
  return rig;
}
