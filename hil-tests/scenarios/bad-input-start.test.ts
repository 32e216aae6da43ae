/**
 * A board that is started with bad input beside one that leads: it says what is wrong, ends with the code of
 * docs/exit-codes.md, and the leading board and the device do not notice.
 */
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { type LocalRig, startLocalRig } from '../rigs/local/local-rig.ts';
import type { BoardLaunch } from '../rigs/local/rig-contract.ts';
import { boardSection, changedConfig, exitCodeOf, innardsShown, reports } from './bad-input.ts';

/** The header is some 600 bytes: the middle of a longer journal is among its records. */
const journalBytesMin = 8192;

describe('a board with bad input beside one that leads', { timeout: 30_000 }, () => {
  let rig: LocalRig;
  let term = 0;
  let accepted = 0;
  const journalOfB = (): string => join(rig.stateDirectory('b'), 'journal.usj');

  beforeAll(async () => {
    rig = await startLocalRig({
      program: 'examples/tank.js',
      plant: 'tank',
      timing: { waitForPeerMs: 2000 },
    });
    await rig.until((each) => each.isProtected(), 25_000, 'protected');
    if (rig.primary() === 'b') {
      rig.switchover();
      await rig.until((each) => each.isProtected() && each.primary() === 'a', 25_000, 'board a leads');
    }
    await rig.until(() => sizeOf(journalOfB()) > journalBytesMin, 15_000, 'a journal with a middle');
    rig.kill('b');
    await rig.until((each) => each.boards.a.status?.protected === false, 10_000, 'board a is alone');
    await rig.until((each) => each.device.attachedBoard === 'a', 10_000, 'the device follows board a');
  }, 60_000);

  afterAll(async () => {
    await rig?.stop();
  });

  beforeEach(() => {
    rig.events.length = 0;
    term = rig.device.term;
    accepted = rig.device.acceptedBytes;
  });

  /** Starts board b, returns how it ended and the report of this code. */
  async function startB(
    launch: BoardLaunch,
    code: string,
  ): Promise<{ exitCode: number | null; text: string }> {
    rig.restart('b', launch);
    const exitCode = await exitCodeOf(rig, 'b');
    await rig.until((each) => reports(each, code, 'b').length > 0, 10_000, `${code} from board b`);
    return { exitCode, text: reports(rig, code, 'b')[0]!.text };
  }

  /** Board a leads as before, its program goes on, and nobody saw the inside of this software. */
  async function expectUndisturbed(): Promise<void> {
    await rig.until((each) => each.device.acceptedBytes > accepted, 10_000, 'the program goes on actuating');
    expect(rig.primary()).toBe('a');
    expect(rig.device).toMatchObject({ attachedBoard: 'a', term, safe: false });
    expect(innardsShown(rig)).toEqual([]);
  }

  test.each([
    {
      what: 'an unknown key',
      text: (own: string) => own.replace(/^boards:/m, 'polciy:\n  alone: wait\nboards:'),
      code: 'CONFIG_INVALID',
      told: /bad\.yaml:\d+:1 polciy is not a key: did you mean policy\?/,
    },
    {
      what: 'a value of the wrong type',
      text: (own: string) => own.replace(/^( {4}baudRate: ).*$/m, '$1fast'),
      code: 'CONFIG_INVALID',
      told: /bad\.yaml:\d+:\d+ devices\[0\]\.baudRate must be a whole number 1200\.\.4000000 \(got "fast"\)/,
    },
    {
      what: 'no YAML',
      text: (own: string) => `${own}\n  ]: {`,
      code: 'CONFIG_SYNTAX',
      told: /bad\.yaml:\d+:\d+ /,
    },
  ])('$what in the configuration is told with its line and its rule', async ({ text, code, told }) => {
    const configFile = join(rig.directory, 'bad.yaml');
    writeFileSync(configFile, text(readFileSync(rig.configFile, 'utf8')));
    const ended = await startB({ configFile }, code);
    expect(ended.exitCode).toBe(exitCodes.config.code);
    expect(ended.text).toMatch(told);
    await expectUndisturbed();
  });

  test('a configuration that is not there', async () => {
    const ended = await startB({ configFile: join(rig.directory, 'nowhere.yaml') }, 'CONFIG_MISSING');
    expect(ended.exitCode).toBe(exitCodes.config.code);
    await expectUndisturbed();
  });

  test('a pair key that cannot be read', async () => {
    const configFile = changedConfig(rig, 'no-key.yaml', (config) => {
      delete config.pairKey;
      config.pairKeyFile = 'nowhere.key';
    });
    const ended = await startB({ configFile }, 'CONFIG_KEY_MISSING');
    expect(ended.exitCode).toBe(exitCodes.pairKey.code);
    await expectUndisturbed();
  });

  test('a program that cannot be read', async () => {
    const configFile = changedConfig(rig, 'no-program.yaml', (config) => {
      config.program = 'nowhere.js';
    });
    const ended = await startB({ configFile }, 'BUNDLE_NOT_FOUND');
    expect(ended.exitCode).toBe(exitCodes.bundle.code);
    expect(ended.text).toContain('nowhere.js');
    await expectUndisturbed();
  });

  test('a syntax error in the program is told with its file and line', async () => {
    writeFileSync(join(rig.directory, 'broken.js'), "'use strict';\nconst led = ;\n");
    const configFile = changedConfig(rig, 'broken.yaml', (config) => {
      config.program = 'broken.js';
    });
    const ended = await startB({ configFile }, 'BUNDLE_SYNTAX');
    expect(ended.exitCode).toBe(exitCodes.bundle.code);
    expect(ended.text).toMatch(/broken\.js:2:\d+/);
    await expectUndisturbed();
  });

  test('a program that imports what is not installed', async () => {
    writeFileSync(join(rig.directory, 'lacking.js'), "require('not-installed-anywhere');\n");
    const configFile = changedConfig(rig, 'lacking.yaml', (config) => {
      config.program = 'lacking.js';
    });
    const ended = await startB({ configFile }, 'BUNDLE_UNRESOLVED');
    expect(ended.exitCode).toBe(exitCodes.bundle.code);
    expect(ended.text).toContain('npm install not-installed-anywhere');
    await expectUndisturbed();
  });

  test('a state directory that cannot be made', async () => {
    writeFileSync(join(rig.directory, 'in-the-way'), '');
    const configFile = changedConfig(rig, 'no-state.yaml', (config) => {
      boardSection(config, 'b').state = 'in-the-way/state';
    });
    const ended = await startB({ configFile }, 'STATE_UNWRITABLE');
    expect(ended.exitCode).toBe(exitCodes.disk.code);
    await expectUndisturbed();
  });

  test('another program is refused, and both boards say so', async () => {
    const configFile = changedConfig(rig, 'other-program.yaml', (config) => {
      config.program = join(process.cwd(), 'examples/servo-sweep.js');
    });
    const ended = await startB({ configFile }, 'PAIR_MISMATCH');
    expect(ended.exitCode).toBe(exitCodes.mismatch.code);
    expect(ended.text).toContain('program');
    expect(reports(rig, 'PAIR_MISMATCH', 'a')).toHaveLength(1);
    await expectUndisturbed();
  });

  test('another runtime is refused, and both boards say so', async () => {
    const ended = await startB({ environment: { TZ: 'Pacific/Chatham' } }, 'PAIR_MISMATCH');
    expect(ended.exitCode).toBe(exitCodes.mismatch.code);
    expect(ended.text).toContain('Pacific/Chatham');
    expect(reports(rig, 'PAIR_MISMATCH', 'a')).toHaveLength(1);
    await expectUndisturbed();
  });

  test('a board with another pair key does not come in', async () => {
    const configFile = changedConfig(rig, 'other-key.yaml', (config) => {
      config.pairKey = 'ab'.repeat(32);
    });
    const ended = await startB({ configFile }, 'PEER_KEY_MISMATCH');
    expect(ended.exitCode).toBe(exitCodes.pairKey.code);
    await expectUndisturbed();
  });

  test('a journal that is damaged in the middle is refused and left as it is', async () => {
    const journal = journalOfB();
    const middle = Math.floor(sizeOf(journal) / 2);
    const file = openSync(journal, 'r+');
    writeSync(file, Buffer.alloc(4, 0xa5), 0, 4, middle);
    closeSync(file);
    const damaged = digestOf(journal);
    const ended = await startB({}, 'JOURNAL_DAMAGED');
    expect(ended.exitCode).toBe(exitCodes.journal.code);
    expect(ended.text).toMatch(/damaged at byte \d+, entry \d+/);
    expect(digestOf(journal)).toBe(damaged);
    await expectUndisturbed();
  });

  test('with good input the same board joins', async () => {
    mkdirSync(join(rig.directory, 'fresh'));
    const configFile = changedConfig(rig, 'good.yaml', (config) => {
      boardSection(config, 'b').state = 'fresh';
    });
    rig.restart('b', { configFile });
    await rig.until((each) => each.isProtected(), 25_000, 'protected');
    await expectUndisturbed();
  });
});

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
