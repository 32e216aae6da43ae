import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakePairRig, goodVerification } from './pair-rig.fake.ts';
import { scriptFaults } from './script.ts';
import { type DevOptions, type DevSurroundings, runDev } from './session.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-dev-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(text: string): string {
  const file = join(folder, 'program.js');
  writeFileSync(file, text);
  return file;
}

interface Ran {
  exitCode: number;
  text: string;
  /** What the rig was given. */
  directory: string;
  device: string | undefined;
}

async function run(
  rig: FakePairRig,
  options: Partial<DevOptions> = {},
  meanwhile: () => void = () => {},
): Promise<Ran> {
  const output = new PassThrough();
  let text = '';
  let directory = '';
  let device: string | undefined;
  output.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const surroundings: DevSurroundings = {
    output: output as unknown as NodeJS.WriteStream,
    input: new PassThrough() as unknown as NodeJS.ReadStream,
    environment: {},
    timing: { lookMs: 0, frozenMs: 0, cutMs: 0, patienceMs: 1000 },
    startRig: async (given) => {
      directory = given.directory ?? '';
      device = given.device;
      setImmediate(meanwhile);
      return rig;
    },
  };
  const exitCode = await runDev(
    {
      program: options.program ?? program('1;'),
      plant: 'tank',
      faults: scriptFaults,
      keep: false,
      script: false,
      json: false,
      ...options,
    },
    surroundings,
  );
  return { exitCode, text, directory, device };
}

describe('understudy dev', () => {
  it('prints lines and ends with 0 when nothing was lost', async () => {
    const rig = new FakePairRig();
    const { exitCode, text } = await run(rig);
    expect(exitCode).toBe(0);
    expect(text).toMatch(/board A \(primary\) killed +board B after 42 ms +56 ms/);
    expect(text).toMatch(/Ethernet cable cut +none needed/);
    expect(text).toContain('PASSED');
    expect(text).not.toContain('\u001b');
    expect(rig.calls.slice(-2)).toEqual(['stop boards', 'verify b']);
    expect(rig.isStopped).toBe(true);
  });

  it('hands the kind of device to the rig, the simulated one by default', async () => {
    expect((await run(new FakePairRig(), { faults: [] })).device).toBe('simulated');
    expect((await run(new FakePairRig(), { faults: [], device: 'mega' })).device).toBe('mega');
  });

  it.each([
    [{ streamMatches: false }],
    [{ outputsLost: 1 }],
    [{ outputsRepeated: 1 }],
    [{ divergences: 1 }],
  ])('ends with 1 for %o', async (difference) => {
    const rig = new FakePairRig();
    rig.verification = { ...goodVerification, ...difference };
    const { exitCode, text } = await run(rig, { faults: [] });
    expect(exitCode).toBe(1);
    expect(text).toContain('FAILED');
  });

  it('ends with 1 when the outputs cannot be compared', async () => {
    const rig = new FakePairRig();
    rig.verification = new Error('no journal');
    const { exitCode, text } = await run(rig, { faults: [] });
    expect(exitCode).toBe(1);
    expect(text).toContain('no journal');
  });

  it('tells events, faults and one summary as NDJSON', async () => {
    const { exitCode, text } = await run(new FakePairRig(), { json: true });
    const items = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(exitCode).toBe(0);
    for (const item of items) expect(item.schema).toBe(1);
    const kinds = new Set(items.map((item) => item.kind));
    expect(kinds).toEqual(new Set(['event', 'fault', 'summary']));
    const faults = items.filter((item) => item.kind === 'fault');
    expect(faults.map((each) => each.fault)).toEqual([
      ...['kill-primary', 'freeze-primary', 'cut-ethernet', 'cut-serial', 'switchover'],
    ]);
    expect(faults[0]).toMatchObject({
      attachGapMs: 42,
      outputGapMs: 55.5,
      follower: 'b',
      termBefore: 1,
      termAfter: 2,
    });
    expect(items.at(-1)).toMatchObject({ kind: 'summary', verdict: 'passed', exitCode: 0 });
  });

  it('ends with the code of boards that both end by themselves', async () => {
    const rig = new FakePairRig();
    rig.device.acceptedBytes = 0;
    const { exitCode, text } = await run(rig, {}, () => rig.endBoards(5));
    expect(exitCode).toBe(5);
    expect(text).toContain('oth boards have ended');
  });

  it.each([
    ['PROGRAM_FAULT', 'the program itself fails: PROGRAM_THREW: Error: boom'],
    ['PROGRAM_EXITED', 'the program ended with code 0'],
  ])('ends with the code of programs at %s, without waiting', async (code, text) => {
    const rig = new FakePairRig();
    rig.device.acceptedBytes = 0;
    const ran = await run(rig, {}, () => rig.event('b', code, text, 'alarm'));
    expect(ran.exitCode).toBe(5);
    expect(ran.text).toContain(`T${text.slice(1)}.`);
    expect(rig.calls).toEqual(['stop boards', 'verify a']);
  });

  it('gives the rig a temporary directory and removes it', async () => {
    const rig = new FakePairRig();
    const { directory } = await run(rig, { faults: [] });
    expect(directory).toContain(tmpdir());
    expect(existsSync(directory)).toBe(false);
  });

  it('keeps the directory that it was given', async () => {
    const kept = join(folder, 'kept');
    mkdirSync(kept);
    const { directory } = await run(new FakePairRig(), { faults: [], directory: kept });
    expect(directory).toBe(kept);
    expect(existsSync(kept)).toBe(true);
  });

  it('goes on after the script with --keep, until a signal', async () => {
    const rig = new FakePairRig();
    const before = process.listeners('SIGTERM');
    rig.on('event', ({ code }) => {
      if (code === 'FAULT') setImmediate(() => process.emit('SIGTERM'));
    });
    const { exitCode, text } = await run(rig, { keep: true, faults: ['switchover'] });
    expect(exitCode).toBe(143);
    expect(text).toContain('SUMMARY');
    expect(process.listeners('SIGTERM')).toEqual(before);
  });

  it('names a fault of the program before anything is started', async () => {
    const rig = new FakePairRig();
    const broken = program('const = 1;');
    await expect(run(rig, { program: broken })).rejects.toMatchObject({ code: 'BUNDLE_SYNTAX' });
    await expect(run(rig, { program: join(folder, 'none.js') })).rejects.toMatchObject({
      code: 'BUNDLE_NOT_FOUND',
    });
    expect(rig.isStopped).toBe(false);
  });

  it('refuses a directory that is in use', async () => {
    program('1;');
    await expect(run(new FakePairRig(), { directory: folder })).rejects.toMatchObject({
      code: 'USAGE_DIRECTORY_NOT_EMPTY',
    });
  });
});
