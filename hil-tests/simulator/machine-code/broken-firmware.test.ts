/**
 * The judges of the pins are shown firmware that breaks one rule of the fence each, in C, built and run as machine code: every one must be
 * noticed at the pins. A judge that passes whatever happens would be noticed here.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { canBuildFirmware, firmwareFor } from '../../rigs/local/emulated-firmware.ts';
import { inMacrotask } from '../programs/solo-run.fake.ts';
import { holdTimeMs } from './machine-code-pair.ts';
import { liveNoise } from './noise-life.ts';
import { liveSilences } from './safe-lives.ts';
import { liveSplits } from './split-lives.ts';
import { liveTakeovers } from './takeover-lives.ts';

const sources = fileURLToPath(new URL('../../../boards/mega-2560/firmware/', import.meta.url));
const buildMsMax = 120_000;
const canBuild = canBuildFirmware();
const folder = canBuild ? mkdtempSync(join(tmpdir(), 'understudy-broken-')) : '';

/** What a life with this firmware is complained of; a life that cannot go on counts, too. */
type Life = (firmware: Uint8Array) => string[];

const takeovers: Life = (firmware) => liveTakeovers({ seed: 1, count: 8, firmware }).complaints;
const splits: Life = (firmware) => liveSplits({ seed: 1, kinds: ['deaf', 'deaf'], firmware }).complaints;
const noise: Life = (firmware) =>
  liveNoise({ seed: 1, noisyMs: 3000, probability: 3e-3, firmware }).complaints;
const silence: Life = (firmware) =>
  liveSilences({ seed: 1, silences: ['boards frozen'], firmware })
    .filter(({ safeMs, told, historiesBegun }) => safeMs > holdTimeMs + 10 || told + historiesBegun === 0)
    .map(({ what, safeMs, told }) => `${what}: safe after ${safeMs} ms, told ${told} times`);

interface BrokenRule {
  breaks: string;
  file: string;
  edits: [find: string, replace: string][];
  life: Life;
}

const stream = 'stream_device.c';
const brokenRules: BrokenRule[] = [
  {
    breaks: 'a smaller term is heard like the greatest',
    file: stream,
    edits: [
      [
        'return term == 0 || term < device.held_term || (term == device.held_term && port != device.held_port);',
        'return term == 0 || port == STREAM_PORT_NONE;',
      ],
      ['if (term != device.held_term || device.attached_port != port) {', 'if (device.safe) {'],
    ],
    life: splits,
  },
  {
    breaks: 'outputs that were sent again are taken for new ones',
    file: stream,
    edits: [
      [
        'fresh = known < length ? (uint8_t)(length - known) : 0;',
        'fresh = known < HALF_OF_OFFSETS ? length : 0;',
      ],
    ],
    life: noise,
  },
  {
    breaks: 'outputs behind a gap are accepted',
    file: stream,
    edits: [['    send_accepted(true);\n    return;', '    device.accepted = offset;\n    known = 0;']],
    life: noise,
  },
  {
    breaks: 'inputs that the board before has not acknowledged are not sent again',
    file: stream,
    edits: [
      [
        'if (is_kept_input(inputs)) device.inputs_sent = inputs;',
        'if (is_kept_input(inputs)) device.inputs_sent = input_end();',
      ],
    ],
    life: takeovers,
  },
  {
    breaks: 'the hold time never runs out',
    file: stream,
    edits: [['device.hold_running && now_ms', 'false && device.hold_running && now_ms']],
    life: silence,
  },
  {
    breaks: 'the safe state begins no session',
    file: stream,
    edits: [
      [
        '  begin_session(device.session == UINT32_MAX ? 1 : device.session + 1);',
        '  device.hold_running = false;',
      ],
    ],
    life: silence,
  },
];

function make(): void {
  const hex = join(folder, 'build', 'understudy-mega-2560.hex');
  const { status, stderr } = spawnSync('make', ['-C', folder, `BUILD=${join(folder, 'build')}`, hex], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: buildMsMax,
  });
  if (status !== 0) throw new Error(`the firmware did not build:\n${stderr}`);
}

function built(): Uint8Array {
  make();
  const firmwareFile = join(folder, 'build', 'understudy-mega-2560.hex');
  const result = firmwareFor({ holdTimeMs, firmwareFile });
  if (result.kind === 'fault') throw new Error(result.text);
  return result.bytes;
}

function builtWith({ file, edits }: BrokenRule): Uint8Array {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  let broken = text;
  for (const [find, replace] of edits) {
    expect(broken.split(find), `occurs once in ${file}: ${find}`).toHaveLength(2);
    broken = broken.replace(find, () => replace);
  }
  writeFileSync(path, broken);
  try {
    return built();
  } finally {
    writeFileSync(path, text);
  }
}

beforeAll(() => {
  if (!canBuild) return;
  for (const name of readdirSync(sources)) {
    if (/\.[ch]$|^Makefile$/.test(name)) copyFileSync(join(sources, name), join(folder, name));
  }
  make();
}, buildMsMax);

afterAll(() => {
  if (canBuild) rmSync(folder, { recursive: true, force: true });
});

describe('noticed at the pins:', () => {
  beforeEach((context) => {
    if (!canBuild) context.skip('a firmware that breaks a rule has to be built: gcc-avr, avr-libc and make');
  });

  test.each(brokenRules)(
    '$breaks',
    async (rule) => {
      const firmware = builtWith(rule);
      let complaints: string[];
      try {
        complaints = await inMacrotask(() => rule.life(firmware));
      } catch (error) {
        complaints = [(error as Error).message];
      }
      expect(complaints).not.toEqual([]);
    },
    buildMsMax,
  );

  test(
    'nothing of a firmware that breaks none',
    async () => {
      const firmware = built();
      for (const life of [takeovers, splits, noise, silence]) {
        expect(await inMacrotask(() => life(firmware))).toEqual([]);
      }
    },
    buildMsMax,
  );
});
