/**
 * The reference model of the fenced device and the firmware's machine code under the same life: two controllers, takeovers
 * at the same moments, the same program's outputs. Both must accept the same bytes and do the same to the pins. All in
 * virtual time: nothing here depends on the machine that it runs on.
 */
import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { pinOfWire } from '../../../boards/mega-2560/emulator/arduino-pins.ts';
import { parseIntelHex } from '../../../boards/mega-2560/emulator/intel-hex.ts';
import { Mega2560 } from '../../../boards/mega-2560/emulator/machine.ts';
import { programBytes } from '../../../boards/mega-2560/emulator/registers.ts';
import { mega2560Profile } from '../../../boards/mega-2560/profile.ts';
import { SimulatedFirmata } from '../../../boards/simulated/firmata.ts';
import {
  DeviceController,
  type DeviceControllerEffect,
  type DeviceControllerInput,
} from '../../../protocol/device-stream/controller.ts';
import type { DevicePort } from '../../../protocol/device-stream/device.ts';
import { StreamRig } from '../../../protocol/device-stream/stream-rig.fake.ts';
import { committedFirmwareFile } from './emulated-firmware.ts';
import { seededRandom } from './seeded-random.ts';
import { StreamTap, type TapEvent } from './stream-tap.ts';

const bitsPerSecond = 115_200;
const setPinMode = 0xf4;
const setDigitalPin = 0xf5;
const output = 1;
const usedPins = [3, 5, 7, 8, 13, 22, 30, 41, 49, 52];

/** A program's outputs: its pins become outputs, then each message changes one of them. */
function outputsOf(seed: number, messages: number): Uint8Array {
  const random = seededRandom(seed);
  const bytes = usedPins.flatMap((pin) => [setPinMode, pin, output]);
  const levels = new Map(usedPins.map((pin) => [pin, 0]));
  for (let count = 0; count < messages; count++) {
    const pin = usedPins[Math.floor(random() * usedPins.length)]!;
    levels.set(pin, 1 - levels.get(pin)!);
    bytes.push(setDigitalPin, pin, levels.get(pin)!);
  }
  return Uint8Array.from(bytes);
}

interface Takeover {
  atMs: number;
  port: DevicePort;
}

/** What a board does on both rigs: attaches at its moment, writes what is not accepted yet, acknowledges inputs. */
interface ControllerHost {
  step(port: DevicePort, input: DeviceControllerInput): void;
  at(ms: number, run: () => void): void;
}

function play(host: ControllerHost, takeovers: readonly Takeover[], outputs: Uint8Array) {
  let session: number | null = null;
  const inputs = new Map<DevicePort, number>();
  for (const [index, { atMs, port }] of takeovers.entries()) {
    host.at(atMs, () => {
      const inputsReceived = Math.max(0, ...inputs.values());
      host.step(port, { kind: 'attach', term: index + 1, session, inputsReceived });
    });
  }
  return (port: DevicePort, effect: DeviceControllerEffect): void => {
    if (effect.kind === 'attached') {
      session = effect.session;
      host.step(port, { kind: 'inputs-stored', offset: inputs.get(port) ?? 0 });
      const rest = outputs.subarray(effect.outputsAccepted);
      if (rest.length > 0) host.step(port, { kind: 'write', offset: effect.outputsAccepted, bytes: rest });
    } else if (effect.kind === 'input') {
      inputs.set(port, effect.offset + effect.bytes.length);
      host.step(port, { kind: 'inputs-stored', offset: effect.offset + effect.bytes.length });
    }
  };
}

interface Life {
  accepted: Uint8Array;
  /** Pin and level of every change, in order. */
  edges: string[];
  terms: number;
}

const settledMs = 600;

function lifeOfModel(takeovers: readonly Takeover[], outputs: Uint8Array): Life {
  const rig = new StreamRig({ seed: 1, device: { windowBytes: 256 } });
  const firmata = new SimulatedFirmata({ profile: mega2560Profile });
  const edges: string[] = [];
  firmata.pins.watch((pin, level) => edges.push(`${pin}=${level}`));
  let terms = 0;
  rig.onDevice = (effect) => {
    if (effect.kind === 'term') terms += 1;
    if (effect.kind === 'output') firmata.receive(rig.now, effect.bytes);
  };
  const host: ControllerHost = {
    step: (port, input) => rig.stepBoard(rig.boards[port], input),
    at: (ms, run) => rig.at(ms, run),
  };
  const react = play(host, takeovers, outputs);
  rig.onController = (board, effect) => react(board.port, effect);
  for (const board of rig.boards) rig.stepBoard(board, { kind: 'port-opened' });
  rig.run({ untilMs: takeovers.at(-1)!.atMs + settledMs });
  return { accepted: Uint8Array.from(rig.outputs), edges, terms };
}

interface MachineLife extends Life {
  events: TapEvent[];
  complaints: number;
}

function lifeOfMachine(
  program: Uint8Array,
  takeovers: readonly Takeover[],
  outputs: Uint8Array,
): MachineLife {
  const machine = new Mega2560({ program });
  const events: TapEvent[] = [];
  const tap = new StreamTap((event) => events.push(event));
  const edges: string[] = [];
  machine.wires.listen((wire, level) => {
    const pin = pinOfWire(wire);
    if (pin !== null && usedPins.includes(pin) && machine.isOutput(pin)) edges.push(`${pin}=${level}`);
  });
  const controllers = [
    new DeviceController({ bitsPerSecond }),
    new DeviceController({ bitsPerSecond }),
  ] as const;
  const wakes: [object, object] = [{}, {}];
  let react: (port: DevicePort, effect: DeviceControllerEffect) => void = () => {};
  const host: ControllerHost = {
    at: (ms, run) => machine.at(machine.cyclesOf(ms), run),
    step: (port, input) => {
      for (const effect of controllers[port].step(machine.timeMs, input)) {
        if (effect.kind === 'transmit') {
          for (const byte of effect.bytes) {
            const end = machine.serialIn(port + 1, byte, { bitsPerSecond });
            machine.at(Math.ceil(end), () => tap.fromBoard(port, Uint8Array.of(byte)));
          }
        } else if (effect.kind === 'wake') {
          const wake = {};
          wakes[port] = wake;
          // Past the moment, never before it: a wish for the same moment again would never end.
          machine.at(Math.max(machine.cycle, machine.cyclesOf(effect.at)) + 1, () => {
            if (wakes[port] === wake) host.step(port, { kind: 'tick' });
          });
        } else react(port, effect);
      }
    },
  };
  machine.onSerialOut((uart, byte) => {
    const port = (uart - 1) as DevicePort;
    if (port !== 0 && port !== 1) return;
    tap.fromDevice(port, Uint8Array.of(byte));
    // A controller runs after the instruction, not in the middle of it.
    machine.at(machine.cycle, () => host.step(port, { kind: 'bytes', bytes: Uint8Array.of(byte) }));
  });
  react = play(host, takeovers, outputs);
  host.step(0, { kind: 'port-opened' });
  host.step(1, { kind: 'port-opened' });
  machine.runUntil(machine.cyclesOf(takeovers.at(-1)!.atMs + settledMs));
  const pieces = events.filter((event) => event.kind === 'output');
  return {
    accepted: Uint8Array.from(pieces.flatMap(({ bytes }) => [...bytes])),
    edges,
    terms: new Set(events.filter((event) => event.kind === 'attached').map(({ term }) => term)).size,
    events,
    complaints: machine.complaints.size,
  };
}

describe('model and machine code', () => {
  let program: Uint8Array;

  beforeAll(() => {
    expect(existsSync(committedFirmwareFile), 'the firmware is committed').toBe(true);
    const parsed = parseIntelHex(readFileSync(committedFirmwareFile, 'utf8'), programBytes);
    if (parsed.kind === 'fault') throw new Error(parsed.text);
    program = parsed.bytes;
  });

  test.each([1, 2, 3])('accept the same bytes and move the same pins over takeovers, seed %i', (seed) => {
    const random = seededRandom(seed);
    const outputs = outputsOf(seed, 600);
    const takeovers: Takeover[] = [{ atMs: 300, port: 0 }];
    for (let index = 1; index < 6; index++) {
      const atMs = takeovers.at(-1)!.atMs + 15 + Math.floor(random() * 30);
      takeovers.push({ atMs, port: (index % 2) as DevicePort });
    }
    const model = lifeOfModel(takeovers, outputs);
    const machine = lifeOfMachine(program, takeovers, outputs);
    expect(Buffer.from(model.accepted).equals(outputs)).toBe(true);
    expect(Buffer.from(machine.accepted).equals(model.accepted)).toBe(true);
    expect(machine.edges).toEqual(model.edges);
    expect(machine.edges).toHaveLength(600);
    expect([model.terms, machine.terms]).toEqual([6, 6]);
    expect(machine.events.filter((event) => event.kind === 'output-unseen')).toEqual([]);
    expect(machine.complaints).toBe(0);
  });
});
