/** A short run of the fuzzer, and proof that it finds what is broken: each planted fault breaks one promise of the stream. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  buildFuzzer,
  type FuzzOutcome,
  firmwareFolder,
  missingForFuzzing,
  runFuzzer,
  writeSeeds,
} from './fuzzer.ts';

const missing = missingForFuzzing();
let folder: string;

beforeEach((context) => {
  if (missing !== null) context.skip(missing);
  folder = mkdtempSync(join(tmpdir(), 'understudy-fuzz-test-'));
});

afterEach(() => {
  if (missing === null) rmSync(folder, { recursive: true, force: true });
});

function fuzz(firmware: string, seconds: number): Promise<FuzzOutcome> {
  const corpus = join(folder, 'corpus');
  writeSeeds(corpus);
  const program = buildFuzzer({ firmware, folder });
  return runFuzzer({ program, corpus, findings: join(folder, 'findings'), seconds, seed: 7 });
}

/** [what is in stream_device.c, what a careless hand makes of it] */
const planted: [string, string, string][] = [
  ['the same term from the other port', 'term == device.held_term && port != device.held_port', 'false'],
  ['more than the window', 'if (taken > window_bytes()) taken = (uint8_t)window_bytes();', ''],
  [
    'a write beyond the ring',
    'if (length > stream_device_input_room()) {',
    'if (length > stream_device_input_room() + 1) {',
  ],
];

describe('the fuzzer', () => {
  test('finds nothing in 15 s', async () => {
    const { figures, finding } = await fuzz(firmwareFolder, 15);
    expect(finding).toBeNull();
    expect(figures.executions).toBeGreaterThan(2000);
    expect(figures.edgesReached).toBeGreaterThan(figures.edgesAll * 0.45);
  }, 120_000);

  test.each(planted)(
    'finds %s',
    async (_name, sound, broken) => {
      const firmware = join(folder, 'firmware');
      mkdirSync(join(firmware, 'fuzz'), { recursive: true });
      for (const name of readdirSync(firmwareFolder)) {
        if (/^(stream_device|wire_\w+)\.[ch]$/.test(name))
          cpSync(join(firmwareFolder, name), join(firmware, name));
      }
      cpSync(join(firmwareFolder, 'fuzz/stream_fuzz.c'), join(firmware, 'fuzz/stream_fuzz.c'));
      const source = join(firmware, 'stream_device.c');
      const text = readFileSync(source, 'utf8');
      expect(text.split(sound)).toHaveLength(2);
      writeFileSync(source, text.replace(sound, broken));
      const { finding } = await fuzz(firmware, 90);
      expect(finding?.file).toMatch(/findings\/crash-/);
    },
    180_000,
  );
});
