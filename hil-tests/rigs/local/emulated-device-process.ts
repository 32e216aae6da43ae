/**
 * The fenced device as machine code, in a process of its own: the firmware of boards/mega-2560 on the emulated Mega, its
 * board lines on pseudo-terminals, a plant at its pins.
 *
 *     board a: serialport --> pseudo-terminal --> USART1 \
 *                                                          firmware --> pins, ADC, I2C, one-wire --> plant
 *     board b: serialport --> pseudo-terminal --> USART2 /
 *
 * It takes the place of device-process.ts: the same events and commands (and those of emulated-options.ts), so that a rig
 * cannot tell one from the other. What the simulated device knows of itself is here read off the lines (stream-tap.ts)
 * and off the pins. Exit codes: 0 told to end, 2 wrong options or no firmware.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { Mega2560 } from '../../../boards/mega-2560/emulator/machine.ts';
import { Pacer } from '../../../boards/mega-2560/emulator/pacer.ts';
import { eepromBytes } from '../../../boards/mega-2560/emulator/registers.ts';
import type { DevicePort } from '../../../protocol/device-stream/device.ts';
import { deviceOptionsFrom, obeyDeviceCommands, refuse, tellDeviceEvents } from './device-command-line.ts';
import { type DeviceEvent, monotonicMs } from './device-events.ts';
import { EmulatedBench } from './emulated-bench.ts';
import { firmwareFor } from './emulated-firmware.ts';
import {
  type EmulatedCommand,
  type EmulatedOptions,
  emulatedCommandSchema,
  emulatedOptionsSchema,
} from './emulated-options.ts';
import { EmulatedUart } from './emulated-uart.ts';
import { OutputLedger } from './output-ledger.ts';
import { StreamTap, type TapEvent } from './stream-tap.ts';

/** A device is never descheduled: what its host stood still beyond this has not happened for it. */
const catchUpMsMax = 100;
const idleDelayMs = 1;
const consoleUartNumber = 0;
const uartOfPort = (port: DevicePort): number => port + 1;

interface CarriedByte {
  byte: number;
  endCycle: number;
}

export class EmulatedDeviceProcess {
  readonly #options: EmulatedOptions;
  readonly #emit: (event: DeviceEvent) => void;
  readonly #machine: Mega2560;
  readonly #bench: EmulatedBench;
  readonly #pacer: Pacer;
  readonly #tap: StreamTap;
  readonly #ledger = new OutputLedger();
  readonly #uarts: readonly [EmulatedUart, EmulatedUart];
  readonly #console: EmulatedUart | null;
  readonly #carried: readonly [CarriedByte[], CarriedByte[]] = [[], []];
  readonly #reports: NodeJS.Timeout;
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null;
  #savedEeprom: Uint8Array;
  /** Since the last session: a session that begins without a reset began because the hold time was over. */
  #wasReset = true;
  #lastPort: DevicePort | null = null;
  #lastTerm = 0;
  #isReady = false;
  #isStopped = false;

  constructor(options: EmulatedOptions, program: Uint8Array, emit: (event: DeviceEvent) => void) {
    this.#options = options;
    this.#emit = emit;
    const eeprom = readEeprom(options.stateFile);
    this.#savedEeprom = eeprom.slice();
    this.#machine = new Mega2560({ program, eeprom, ramSeed: options.seed });
    this.#bench = new EmulatedBench(this.#machine, options);
    this.#tap = new StreamTap((event) => this.#heard(event));
    this.#uarts = [this.#uart(0), this.#uart(1)];
    const { consoleLinkPath } = options;
    this.#console = consoleLinkPath === undefined ? null : this.#consoleUart(consoleLinkPath);
    this.#machine.onSerialOut((uart, byte, cycle) => this.#sent(uart, byte, cycle));
    this.#machine.onReset(() => {
      this.#wasReset = true;
      for (const carried of this.#carried) carried.length = 0;
      this.#tap.deviceReset();
    });
    this.#pacer = new Pacer({ machine: this.#machine, clock: monotonicMs, catchUpMsMax });
    this.#reports = setInterval(() => this.#report(), options.reportIntervalMs);
    this.#run();
  }

  command(command: EmulatedCommand): void {
    const machine = this.#machine;
    switch (command.command) {
      case 'restart':
        machine.reset('external');
        return;
      case 'power-cycle':
        machine.powerCycle(command.offMs);
        return;
      case 'freeze':
        machine.stopClock();
        machine.at(machine.cycle + machine.cyclesOf(command.durationMs), () => machine.startClock());
        return;
      case 'plant':
        if (!this.#bench.pressButton(command.durationMs)) {
          this.#emit({ event: 'bad-command', reason: 'only the water tank has a push button to press' });
        }
        return;
      case 'close-port':
        this.#uarts[command.port as DevicePort].close();
        this.#emit({ event: 'port', port: command.port, path: '', open: false });
        return;
      case 'open-port': {
        const uart = this.#uarts[command.port as DevicePort];
        uart.open();
        this.#emit({ event: 'port', port: command.port, path: uart.path, open: true });
        return;
      }
      case 'send-string':
        this.#emit({ event: 'bad-command', reason: 'a firmware sends no text on request' });
        return;
      case 'stop':
        this.stop();
    }
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearInterval(this.#reports);
    if (this.#timer !== null) cancel(this.#timer);
    for (const uart of this.#uarts) uart.close();
    this.#console?.close();
    this.#saveEeprom();
    this.#emit({ event: 'summary', ...this.#ledger.summary(this.#bench.effects) });
  }

  // ---------------------------------------------------------------- time

  #run(): void {
    if (this.#isStopped) return;
    const isBehind = this.#pacer.run();
    for (const [port, uart] of this.#uarts.entries()) {
      this.#tapCarried(port as DevicePort, this.#machine.cycle);
      uart.flush();
    }
    this.#console?.flush();
    this.#timer = isBehind ? setImmediate(() => this.#run()) : setTimeout(() => this.#run(), idleDelayMs);
  }

  // ---------------------------------------------------------------- lines

  #uart(port: DevicePort): EmulatedUart {
    const linkPath = this.#options.linkPaths?.[port];
    return new EmulatedUart({
      machine: this.#machine,
      port: uartOfPort(port),
      ...(linkPath === undefined ? {} : { linkPath }),
      carried: (byte, endCycle) => this.#carried[port].push({ byte, endCycle }),
      wrongSpeed: (baudRate) => this.#emit({ event: 'wrong-speed', port, baudRate }),
    });
  }

  #consoleUart(linkPath: string): EmulatedUart {
    return new EmulatedUart({
      machine: this.#machine,
      port: consoleUartNumber,
      linkPath,
      carried: () => {},
      wrongSpeed: () => {},
    });
  }

  /** The tap hears a byte when the device does. */
  #tapCarried(port: DevicePort, cycle: number): void {
    const carried = this.#carried[port];
    const count = carried.findIndex(({ endCycle }) => endCycle > cycle);
    const arrived = carried.splice(0, count < 0 ? carried.length : count);
    if (arrived.length > 0) {
      this.#tap.fromBoard(
        port,
        Uint8Array.from(arrived, ({ byte }) => byte),
      );
    }
  }

  #sent(uart: number, byte: number, cycle: number): void {
    if (uart === consoleUartNumber) this.#console?.sent(byte);
    const port = uart - 1;
    if (port !== 0 && port !== 1) return;
    this.#tapCarried(0, cycle);
    this.#tapCarried(1, cycle);
    this.#tap.fromDevice(port, Uint8Array.of(byte));
    this.#uarts[port].sent(byte);
  }

  #heard(event: TapEvent): void {
    const ledger = this.#ledger;
    switch (event.kind) {
      case 'session':
        this.#began(event.session, event.heldTerm);
        return;
      case 'attached':
        if (event.term > this.#lastTerm) {
          if (this.#lastPort !== null && this.#lastPort !== event.port) ledger.takeovers += 1;
          this.#lastPort = event.port;
          this.#lastTerm = event.term;
        }
        this.#emit({ event: 'attached', port: event.port, term: event.term, session: event.session });
        return;
      case 'released':
        this.#emit({ event: 'released', port: event.port, term: event.term });
        return;
      case 'output': {
        const { port, term, session, bytes } = event;
        const offset = ledger.output(port, bytes);
        const base64 = Buffer.from(bytes).toString('base64');
        this.#emit({ event: 'output', port, term, session, offset, base64 });
        return;
      }
      case 'output-unseen':
        this.#emit({ event: 'discarded', port: event.port, reason: `OUTPUT_UNSEEN ${event.offset}` });
        return;
      case 'rejected-stale':
        ledger.rejectedFrames += 1;
        ledger.rejectedBytes += event.bytes;
        this.#emit({ event: 'rejected-stale', port: event.port, term: event.term, bytes: event.bytes });
        return;
      case 'input':
        ledger.inputBytes += event.bytes;
        return;
      case 'input-lost':
        ledger.inputBytesLost += event.bytes;
        this.#emit({ event: 'input-lost', bytes: event.bytes });
        return;
      case 'discarded':
        ledger.discardedFrames += 1;
        this.#emit({ event: 'discarded', port: event.port, reason: event.reason });
        return;
    }
  }

  #began(session: number, term: number): void {
    if (this.#isReady && !this.#wasReset) {
      this.#ledger.safeStates += 1;
      this.#emit({ event: 'safe-state' });
    }
    this.#wasReset = false;
    this.#lastTerm = Math.max(this.#lastTerm, term);
    this.#ledger.beginSession(session);
    if (!this.#isReady) {
      this.#isReady = true;
      const paths: [string, string] = [this.#uarts[0].path, this.#uarts[1].path];
      this.#emit({ event: 'ready', mode: 'fenced', paths, session, term });
    }
    this.#emit({ event: 'session', session, term });
  }

  // ---------------------------------------------------------------- reports

  #report(): void {
    for (const uart of this.#uarts) uart.poll();
    this.#console?.poll();
    this.#saveEeprom();
    if (!this.#isReady) return;
    const { pins, plant, effects } = this.#bench;
    this.#emit({ event: 'state', pins, plant, effects });
    for (const [complaint, count] of this.#machine.complaints) {
      this.#emit({ event: 'discarded', port: 0, reason: `FIRMWARE ${complaint} (${count} times)` });
    }
    this.#machine.complaints.clear();
  }

  #saveEeprom(): void {
    const { stateFile } = this.#options;
    if (stateFile === undefined || Buffer.compare(this.#machine.eeprom, this.#savedEeprom) === 0) return;
    this.#savedEeprom = this.#machine.eeprom.slice();
    const unfinished = `${stateFile}.new`;
    writeFileSync(unfinished, this.#savedEeprom);
    renameSync(unfinished, stateFile);
  }
}

function cancel(timer: NodeJS.Timeout | NodeJS.Immediate): void {
  if ('refresh' in timer) clearTimeout(timer);
  else clearImmediate(timer);
}

function readEeprom(stateFile: string | undefined): Uint8Array {
  const cells = new Uint8Array(eepromBytes).fill(0xff);
  if (stateFile === undefined || !existsSync(stateFile)) return cells;
  const stored = readFileSync(stateFile);
  if (stored.length !== eepromBytes) {
    throw new RangeError(`${stateFile} must have ${eepromBytes} bytes, the EEPROM's (got ${stored.length})`);
  }
  cells.set(stored);
  return cells;
}

function main(): void {
  const options = deviceOptionsFrom(process.argv.slice(2), emulatedOptionsSchema);
  if (options === null) return;
  const firmware = firmwareFor(options);
  if (firmware.kind === 'fault') return refuse(firmware.text);
  const emit = tellDeviceEvents();
  let device: EmulatedDeviceProcess;
  try {
    device = new EmulatedDeviceProcess(options, firmware.bytes, emit);
  } catch (error) {
    if (error instanceof RangeError) return refuse(error.message);
    throw error;
  }
  obeyDeviceCommands(emulatedCommandSchema, device, emit);
}

if (import.meta.main) main();
