import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { StartEvent } from '../../../protocol/record.ts';
import { Random } from '../random.ts';
import { FirmataFirmware } from './firmata-firmware.ts';
import { type JohnnyFiveProgram, prepareJohnnyFive } from './johnny-five-program.ts';
import { referenceRun } from './reference-run.ts';
import { bytesOf, runSolo, soloStartUs } from './solo-run.fake.ts';

let program: JohnnyFiveProgram;
const device = '/dev/ttyACM0';
const boot = { kind: 'boot', options: { bundleFile: '', programFile: '', filesRoot: '' } } as const;

beforeAll(async () => {
  program = await prepareJohnnyFive();
});

afterAll(() => program.close());

function run(forMs: number) {
  const firmware = new FirmataFirmware(new Random('tank').unit);
  const lamp: number[] = [];
  const firmwareOf = () => ({
    outputs: (bytes: Uint8Array, nowMs: number) => {
      firmware.outputs(bytes, nowMs);
      const { level } = firmware.firmata.pins.pin(13);
      if (level !== lamp.at(-1)) lamp.push(level);
    },
    nextWakeAt: () => firmware.nextWakeAt(),
    advance: (nowMs: number) => firmware.advance(nowMs),
    reset: () => firmware.reset(),
  });
  const result = runSolo({ program, forMs, random: () => 0, firmwareOf });
  return { result, firmware, lamp };
}

test('the tank program controls its plant through Firmata, the same again and in a replay', () => {
  const { result, firmware, lamp } = run(8000);
  expect(result.ending).toBeNull();
  expect(result.console).toContain('in control');
  expect(result.console).toContain('valve on');
  // The status lamp blinks with 250 ms, once the board is ready.
  expect(lamp.length).toBeGreaterThan(15);
  expect(new Set(lamp)).toEqual(new Set([0, 1]));
  expect(firmware.firmata.malformedCount).toBe(0);
  expect(firmware.firmata.plant!.state()).toMatchObject({ overflowLitres: 0 });

  const again = run(8000).result;
  expect(again.digest).toBe(result.digest);
  expect(again.console).toBe(result.console);

  const reference = referenceRun(program, result.records);
  expect(reference).toMatchObject({ turns: result.turns, divergedAtTurn: null, ending: null });
  expect(bytesOf(reference.writes, device)).toEqual(bytesOf(result.writes, device));
  expect(bytesOf(reference.inputs, device)).toEqual(bytesOf(result.inputs, device));
}, 60_000);

test('a replica that is ended is gone, with its process', async () => {
  const replica = program.start(() => 0);
  expect(replica.answer(boot)).toEqual({ kind: 'ready' });
  const { pid } = replica;
  expect(process.kill(pid, 0)).toBe(true);
  replica.end();
  expect(replica.answer(boot)).toBeNull();
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(/ESRCH/), { timeout: 10_000 });
});

test('a replica that is not told to boot has booted all the same', () => {
  const replica = program.start(() => 0);
  const event: StartEvent = {
    kind: 'start',
    seed: '000102030405060708090a0b0c0d0e0f',
    argv: [],
    env: {},
    hostname: 'pair',
    ports: [device],
    stdinIsTerminal: false,
  };
  const timeUs = soloStartUs;
  const turn = { kind: 'turn', mode: 'perform', turn: 0, timeUs, event, values: new Uint8Array(0) } as const;
  expect(replica.answer(turn)).toMatchObject({ kind: 'done', turn: 0 });
  replica.end();
});

test('a program that is closed leaves neither processes nor files behind', async () => {
  const other = await prepareJohnnyFive();
  const running = [other.start(() => 0), other.start(() => 0)];
  for (const replica of running) expect(replica.answer(boot)).toEqual({ kind: 'ready' });
  other.close();
  for (const replica of running) {
    expect(replica.answer(boot)).toBeNull();
    await vi.waitFor(() => expect(() => process.kill(replica.pid, 0)).toThrow(/ESRCH/), { timeout: 10_000 });
  }
});

test('a process that dies without a word is told from a program that ends', () => {
  const replica = program.start(() => 0);
  replica.answer(boot);
  process.kill(replica.pid, 'SIGKILL');
  expect(() => replica.answer({ kind: 'idle', turn: 0, timeUs: 0, stepUs: 1, count: 1 })).toThrow(/unasked/);
});
