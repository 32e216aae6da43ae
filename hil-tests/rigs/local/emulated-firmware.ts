/** The program for the emulated Mega: the committed hex, a file of the user, or a build with another hold time. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseIntelHex } from '../../../boards/mega-2560/emulator/intel-hex.ts';
import { programBytes } from '../../../boards/mega-2560/emulator/registers.ts';

const sourceDirectory = fileURLToPath(new URL('../../../boards/mega-2560/firmware/', import.meta.url));
const hexName = 'understudy-mega-2560.hex';
export const committedFirmwareFile = join(sourceDirectory, hexName);
/** In the committed hex. */
const committedHoldTimeMs = 1000;
const buildMsMax = 120_000;

export type FirmwareResult =
  | { kind: 'program'; bytes: Uint8Array; from: string }
  /** A sentence that says what is missing and what to do. */
  | { kind: 'fault'; text: string };

/** True when this machine can build the firmware. */
export function canBuildFirmware(): boolean {
  return ['avr-gcc', 'make'].every(
    (tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0,
  );
}

export function firmwareFor(options: {
  holdTimeMs: number;
  firmwareFile?: string | undefined;
}): FirmwareResult {
  const { holdTimeMs, firmwareFile } = options;
  if (firmwareFile !== undefined) return readFirmware(firmwareFile);
  if (holdTimeMs === committedHoldTimeMs && existsSync(committedFirmwareFile)) {
    return readFirmware(committedFirmwareFile);
  }
  return buildFirmware(holdTimeMs);
}

function readFirmware(file: string): FirmwareResult {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { kind: 'fault', text: `the firmware ${file} cannot be read: ${(error as Error).message}` };
  }
  const parsed = parseIntelHex(text, programBytes);
  if (parsed.kind === 'fault') {
    return { kind: 'fault', text: `${file}:${parsed.line}: ${parsed.fault}: ${parsed.text}` };
  }
  return { kind: 'program', bytes: parsed.bytes, from: file };
}

/** The hold time is a constant of the firmware: no controller may change what the safety of the plant rests on. */
function buildFirmware(holdTimeMs: number): FirmwareResult {
  if (!canBuildFirmware()) {
    return {
      kind: 'fault',
      text: `a firmware with a hold time of ${holdTimeMs} ms has to be built: install gcc-avr, avr-libc and make, or use ${committedHoldTimeMs} ms`,
    };
  }
  const build = mkdtempSync(join(tmpdir(), 'understudy-firmware-'));
  try {
    const hex = join(build, hexName);
    const words = ['-C', sourceDirectory, `BUILD=${build}`, `HOLD_TIME_MS=${holdTimeMs}`, hex];
    const { status, stderr } = spawnSync('make', words, {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      timeout: buildMsMax,
    });
    if (status !== 0) return { kind: 'fault', text: `the firmware did not build:\n${stderr.trim()}` };
    return readFirmware(hex);
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
}
