/**
 * The device as it is used: a process of its own, its ports opened with the real `serialport`. The simulated device and the
 * firmware on the emulated Mega are held to the same tests.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SerialPort } from 'serialport';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crc32 } from '../../../protocol/crc.ts';
import {
  DeviceController,
  type DeviceControllerEffect,
  type DeviceControllerInput,
} from '../../../protocol/device-stream/controller.ts';
import { type DeviceEvent, monotonicMs } from './device-events.ts';
import { canBuildFirmware } from './emulated-firmware.ts';
import type { DeviceKind } from './rig-contract.ts';

type Event = DeviceEvent & { monotonicMs: number };
type EventOf<K extends DeviceEvent['event']> = Extract<DeviceEvent, { event: K }> & { monotonicMs: number };

/** Something that happens, as a list that can be waited on. */
class Happenings<T> {
  readonly all: T[] = [];
  #waiting: (() => void)[] = [];

  push(item: T): void {
    this.all.push(item);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The first item from `from` on that fits; rejects at the deadline with what there was. */
  async first(fits: (item: T) => boolean, from = 0, deadlineMs = 10_000): Promise<T> {
    const deadline = monotonicMs() + deadlineMs;
    for (;;) {
      const found = this.all.slice(from).find(fits);
      if (found !== undefined) return found;
      const leftMs = deadline - monotonicMs();
      if (leftMs <= 0) throw new Error(`it did not happen; there was: ${JSON.stringify(this.all.slice(-8))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}

const processFiles: Record<DeviceKind, string> = {
  simulated: new URL('device-process.ts', import.meta.url).pathname,
  mega: new URL('emulated-device-process.ts', import.meta.url).pathname,
};

class Device {
  readonly events = new Happenings<Event>();
  readonly #child: ChildProcess;

  constructor(options: Record<string, unknown>, kind: DeviceKind = 'simulated') {
    const program = processFiles[kind];
    this.#child = spawn(process.execPath, [program, '--options', JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.events.push(JSON.parse(line)));
  }

  async event<K extends DeviceEvent['event']>(kind: K, fits: (event: EventOf<K>) => boolean = () => true) {
    return (await this.events.first(
      (event) => event.event === kind && fits(event as EventOf<K>),
    )) as EventOf<K>;
  }

  command(command: Record<string, unknown>): void {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  async stop(signal: 'SIGTERM' | 'end' = 'end'): Promise<EventOf<'summary'>> {
    const exited = once(this.#child, 'exit');
    if (signal === 'end') this.#child.stdin!.end();
    else this.#child.kill(signal);
    const summary = await this.event('summary');
    expect(await exited).toEqual([0, null]);
    return summary;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** A `DeviceController` on a real serial port: what the supervisor does, in short. */
class Board {
  readonly effects = new Happenings<DeviceControllerEffect>();
  readonly port: SerialPort;
  readonly #controller = new DeviceController();
  #timer: NodeJS.Timeout | null = null;

  constructor(path: string, baudRate = 115_200) {
    this.port = new SerialPort({ path, baudRate });
    this.port.on('open', () => this.step({ kind: 'port-opened' }));
    this.port.on('data', (bytes: Buffer) => this.step({ kind: 'bytes', bytes }));
    this.port.on('error', () => {});
    this.port.on('close', () => this.step({ kind: 'port-closed' }));
  }

  step(input: DeviceControllerInput): void {
    for (const effect of this.#controller.step(monotonicMs(), input)) {
      if (effect.kind === 'transmit') this.port.write(effect.bytes);
      else if (effect.kind === 'wake') {
        if (this.#timer !== null) clearTimeout(this.#timer);
        const delayMs = Math.max(0, effect.at - monotonicMs());
        this.#timer = setTimeout(() => this.step({ kind: 'tick' }), delayMs);
      } else this.effects.push(effect);
    }
  }

  async effect<K extends DeviceControllerEffect['kind']>(kind: K) {
    const found = await this.effects.first((effect) => effect.kind === kind);
    return found as Extract<DeviceControllerEffect, { kind: K }>;
  }

  /** Falls silent, as a board that lost its power. */
  async die(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.port.removeAllListeners('data');
    if (!this.port.isOpen) return;
    const closed = once(this.port, 'close');
    this.port.close();
    await closed;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}

/** SET_PIN_MODE 13 output, then digital port 1 bit 5 on: the LED of an Uno. */
const ledOn = Uint8Array.of(0xf4, 13, 1, 0x91, 0x20, 0x00);
const ledOff = Uint8Array.of(0x91, 0x00, 0x00);
const ledLevel = (event: EventOf<'state'>) => event.pins.find((pin) => pin.pin === 13)?.level;

let folder: string;
let devices: Device[];
let boards: Board[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-device-'));
  devices = [];
  boards = [];
});

afterEach(async () => {
  for (const board of boards) await board.die();
  for (const device of devices) device.kill();
  rmSync(folder, { recursive: true });
});

async function start(
  options: Record<string, unknown>,
  kind: DeviceKind = 'simulated',
): Promise<{ device: Device; paths: [string, string] }> {
  const device = new Device(options, kind);
  devices.push(device);
  const { paths } = await device.event('ready');
  return { device, paths };
}

function board(path: string, baudRate?: number): Board {
  const made = new Board(path, baudRate);
  boards.push(made);
  return made;
}

describe.each(['simulated', 'mega'] as const)('fenced, %s', (kind) => {
  test('one board drives the plant, the other takes over in the middle of the stream', async () => {
    const { device, paths } = await start({}, kind);
    const [a, b] = [board(paths[0]), board(paths[1])];
    a.step({ kind: 'attach', term: 1, session: null, inputsReceived: 0 });
    const { session } = await a.effect('attached');
    const announcement = await a.effect('input');
    expect([...announcement.bytes.subarray(0, 2)]).toEqual([0xf9, 2]);
    a.step({ kind: 'write', offset: 0, bytes: ledOn });
    await device.event('state', (event) => ledLevel(event) === 1);

    const askedAt = monotonicMs();
    b.step({ kind: 'attach', term: 2, session, inputsReceived: announcement.bytes.length });
    expect(await b.effect('attached')).toMatchObject({ session, outputsAccepted: ledOn.length });
    const attached = await device.event('attached', (event) => event.port === 1);
    // One clock for both processes: the takeover can be timed from outside.
    expect(attached.monotonicMs).toBeGreaterThan(askedAt);
    expect(attached).toMatchObject({ term: 2, session });
    expect(await a.effect('stale')).toEqual({ kind: 'stale', heldTerm: 2 });
    b.step({ kind: 'write', offset: ledOn.length, bytes: ledOff });
    await device.event('state', (event) => event.monotonicMs > attached.monotonicMs && ledLevel(event) === 0);

    const summary = await device.stop('SIGTERM');
    const whole = Uint8Array.of(...ledOn, ...ledOff);
    expect(summary.sessions).toEqual([
      {
        session,
        outputBytes: whole.length,
        outputCrc32: crc32(whole),
        outputBytesByPort: [ledOn.length, ledOff.length],
      },
    ]);
    expect(summary).toMatchObject({ takeovers: 1, safeStates: 0, inputBytesLost: 0 });
    const outputs = device.events.all.filter((event) => event.event === 'output');
    expect(Buffer.concat(outputs.map((event) => Buffer.from(event.base64, 'base64')))).toEqual(
      Buffer.from(whole),
    );
  });

  test('when its controller dies it goes to the safe state, and a later one is told', async (context) => {
    if (kind === 'mega' && !canBuildFirmware()) {
      return context.skip('a firmware with another hold time needs gcc-avr, avr-libc and make');
    }
    const { device, paths } = await start({ holdTimeMs: 200 }, kind);
    const [a, b] = [board(paths[0]), board(paths[1])];
    a.step({ kind: 'attach', term: 1, session: null, inputsReceived: 0 });
    const { session } = await a.effect('attached');
    a.step({ kind: 'write', offset: 0, bytes: ledOn });
    await device.event('state', (event) => ledLevel(event) === 1);
    await a.die();
    const safe = await device.event('safe-state');
    await device.event('state', (event) => event.monotonicMs > safe.monotonicMs && ledLevel(event) === 0);
    b.step({ kind: 'attach', term: 2, session, inputsReceived: 0 });
    expect((await b.effect('session-lost')).session).toBe(session + 1);
  });

  test('term, port and session outlive its process', async () => {
    const options = {
      stateFile: join(folder, 'eeprom.json'),
      linkPaths: [join(folder, 'a'), join(folder, 'b')],
    };
    const first = await start(options, kind);
    expect(first.paths).toEqual(options.linkPaths);
    const a = board(first.paths[0]);
    a.step({ kind: 'attach', term: 41, session: null, inputsReceived: 0 });
    const { session } = await a.effect('attached');
    await first.device.stop();
    const second = await start(options, kind);
    expect(await second.device.event('ready')).toMatchObject({ term: 41, session: session + 1 });
    const b = board(second.paths[1]);
    b.step({ kind: 'attach', term: 41, session: null, inputsReceived: 0 });
    expect((await b.effect('stale')).heldTerm).toBe(41);
  });

  test('restart and a pulled plug, on command', async () => {
    const { device, paths } = await start({ linkPaths: [join(folder, 'a'), join(folder, 'b')] }, kind);
    const a = board(paths[0]);
    a.step({ kind: 'attach', term: 1, session: null, inputsReceived: 0 });
    const { session } = await a.effect('attached');
    device.command({ command: 'restart' });
    expect((await a.effect('session-lost')).session).toBe(session + 1);
    a.effects.all.length = 0;
    a.step({ kind: 'attach', term: 1, session: session + 1, inputsReceived: 0 });
    await a.effect('attached');
    // A keepalive meets the lost port: serialport notices only when it writes. Not `once` of node:events: it rejects
    // when the write's EIO is told before the close.
    const closed = new Promise((resolve) => a.port.once('close', resolve));
    device.command({ command: 'close-port', port: 0 });
    await closed;
    device.command({ command: 'open-port', port: 0 });
    await device.event('port', (event) => event.open);
    const again = board(paths[0]);
    again.step({ kind: 'attach', term: 2, session: session + 1, inputsReceived: 0 });
    expect((await again.effect('attached')).term).toBe(2);
  });

  test('a port opened at the wrong speed gets nothing and is reported', async () => {
    const { device, paths } = await start({}, kind);
    const a = board(paths[0], 57_600);
    expect(await device.event('wrong-speed')).toMatchObject({ port: 0, baudRate: 57_600 });
    a.step({ kind: 'attach', term: 1, session: null, inputsReceived: 0 });
    await a.effect('silent');
  });

  test('nonsense on its input is reported and changes nothing', async () => {
    const { device } = await start({ plant: 'none' }, kind);
    device.command({ command: 'explode' });
    await device.event('bad-command');
    device.command({ command: 'plant', action: 'press-button' });
    await device.event('bad-command', (event) => event.reason.includes('tank'));
    await device.stop();
  });
});

test('mega: the supply fails, later its clock stops; a new session after the one, the same after the other', async () => {
  const { device, paths } = await start({}, 'mega');
  const a = board(paths[0]);
  a.step({ kind: 'attach', term: 1, session: null, inputsReceived: 0 });
  const { session } = await a.effect('attached');
  device.command({ command: 'power-cycle', offMs: 50 });
  expect((await a.effect('session-lost')).session).toBe(session + 1);
  a.effects.all.length = 0;
  a.step({ kind: 'attach', term: 2, session: session + 1, inputsReceived: 0 });
  await a.effect('attached');
  a.step({ kind: 'write', offset: 0, bytes: ledOn });
  await device.event('state', (event) => ledLevel(event) === 1);
  device.command({ command: 'freeze', durationMs: 800 });
  await a.effect('silent');
  const silentAt = monotonicMs();
  a.step({ kind: 'write', offset: ledOn.length, bytes: ledOff });
  await device.event('state', (event) => event.monotonicMs > silentAt && ledLevel(event) === 0);
  const summary = await device.stop();
  expect(summary.sessions.map((each) => each.session)).toEqual([session, session + 1]);
  expect(summary.sessions[1]).toMatchObject({
    outputBytes: ledOn.length + ledOff.length,
    outputCrc32: crc32(Uint8Array.of(...ledOn, ...ledOff)),
  });
  expect(summary.safeStates).toBe(0);
});

test.each([
  [{ firmwareFile: 'no-such-file.hex' }, 'no-such-file.hex'],
  [{ mode: 'plain' }, 'mode'],
  [{ baudRate: 57_600 }, 'baudRate'],
  [{ holdTimeMs: 5 }, 'holdTimeMs'],
])('mega: %o ends it with code 2 and names what is wrong', async (options, named) => {
  const child = spawn(process.execPath, [processFiles.mega, '--options', JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let message = '';
  child.stderr.on('data', (chunk) => {
    message += chunk;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 2);
  expect(message).toContain(named);
  expect(message).not.toContain('    at ');
});

test('plain: Firmata straight through, from either port, announced to whoever opens', async () => {
  const { device, paths } = await start({ mode: 'plain', board: 'mega-2560' });
  const port = new SerialPort({ path: paths[1], baudRate: 115_200 });
  const bytes = new Happenings<number>();
  port.on('data', (chunk: Buffer) => chunk.forEach((byte) => void bytes.push(byte)));
  await bytes.first(() => bytes.all.length >= 3);
  expect(bytes.all.slice(0, 2)).toEqual([0xf9, 2]);
  port.write(ledOn);
  await device.event('state', (event) => ledLevel(event) === 1);
  const closed = once(port, 'close');
  port.close();
  await closed;
  const summary = await device.stop();
  expect(summary.sessions[0]).toMatchObject({
    outputBytes: ledOn.length,
    outputCrc32: crc32(ledOn),
    outputBytesByPort: [0, ledOn.length],
  });
});

test('wrong options end it with code 2 and name the rule', async () => {
  const program = new URL('device-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, '--options', '{"holdTimeMs":5}'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let message = '';
  child.stderr.on('data', (chunk) => {
    message += chunk;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 2);
  expect(message).toContain('holdTimeMs');
});
