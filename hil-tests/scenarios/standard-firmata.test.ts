/** A third party's StandardFirmata on one line: the pair works it in plain mode, and says what it cannot know. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LocalRig, startLocalRig } from '../rigs/local/local-rig.ts';
import { other } from '../rigs/local/rig-contract.ts';
import { buildStandardFirmata } from '../rigs/local/standard-firmata.ts';

/** Writes in every turn, so that a death finds something under way. */
const program = `const five = require('johnny-five');
const board = new five.Board({ repl: false, port: '/dev/ttyACM0' });
board.on('ready', () => {
  const led = new five.Led(13);
  const dimmer = new five.Led(9);
  let count = 0;
  board.loop(5, () => { count += 1; dimmer.brightness(count % 256); });
  board.loop(250, () => led.toggle());
});
`;
const takeoversMax = 8;

let rig: LocalRig | null = null;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-standard-firmata-'));
});

afterEach(async () => {
  await rig?.stop();
  rig = null;
  rmSync(folder, { recursive: true, force: true });
});

/** The rig's own word for it asks the device whom it follows, and this one follows nobody. */
function isProtected(pair: LocalRig): boolean {
  const primary = pair.primary();
  if (primary === null) return false;
  const backup = pair.boards[other(primary)];
  return pair.boards[primary].status!.protected && backup.running && backup.status?.role === 'backup';
}

async function pinsMove(pair: LocalRig): Promise<void> {
  const seen = new Set<string>();
  await pair.until(
    (each) => {
      const level = each.pins['13'];
      if (level !== undefined) seen.add(`led ${level}`);
      if (each.pins['9'] !== undefined) seen.add(`dimmer ${each.pins['9']}`);
      return seen.has('led 0') && seen.has('led 1') && seen.size > 4;
    },
    20_000,
    'LED and dimmer change at the pins',
  );
}

test('plain mode works a StandardFirmata, and a takeover lists the outputs of unknown fate', {
  timeout: 240_000,
}, async (context) => {
  const firmware = buildStandardFirmata(folder);
  if (firmware.kind === 'missing') return context.skip(firmware.reason);
  const programFile = join(folder, 'program.cjs');
  writeFileSync(programFile, program);
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'));
  rig = await startLocalRig({
    program: programFile,
    plant: 'bench',
    deviceMode: 'plain',
    deviceBaudRate: 57_600,
    plainFirmwareFile: firmware.hexFile,
  });
  await rig.until(isProtected, 30_000, 'protected');
  await pinsMove(rig);
  for (let count = 1; count <= takeoversMax; count += 1) {
    const killed = rig.primary()!;
    rig.kill(killed);
    await rig.until((each) => each.primary() === other(killed), 20_000, 'the other board leads');
    await pinsMove(rig);
    const listed = rig.events.find((event) => event.code === 'OUTPUTS_OF_UNKNOWN_FATE');
    if (listed !== undefined) {
      const [{ device, bytes }] = (listed.details as { devices: [{ device: string; bytes: number }] })
        .devices;
      expect(device).toBe('/dev/ttyACM0');
      expect(bytes).toBeGreaterThan(0);
      // What was under way, not a history of it: less than a second of this program's 600 bytes/s.
      expect(bytes).toBeLessThan(600);
      return;
    }
    rig.restart(killed);
    await rig.until(isProtected, 40_000, 'protected again');
  }
  expect.fail(`none of ${takeoversMax} deaths of a board that writes every 5 ms listed an output`);
});
