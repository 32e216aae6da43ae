import { describe, expect, it } from 'vitest';
import { Faults } from './faults.ts';
import { FakePairRig } from './pair-rig.fake.ts';
import { playScript, type ScriptEnd, type ScriptFault, scriptFaults } from './script.ts';

const timing = { lookMs: 0, frozenMs: 0, cutMs: 0, patienceMs: 1000 };

function play(
  rig: FakePairRig,
  faults: readonly ScriptFault[] = scriptFaults,
  signal = new AbortController().signal,
): Promise<ScriptEnd> {
  return playScript(rig, { faults, timing, signal, onStep: () => {} });
}

describe('the script', () => {
  it('plays every fault and repairs it before the next', async () => {
    const rig = new FakePairRig();
    expect(await play(rig)).toEqual({ kind: 'played' });
    expect(rig.calls).toEqual([
      ...['kill a', 'restart a'],
      ...['freeze b', 'thaw b'],
      ...['cut ethernet', 'restore ethernet'],
      ...['cut serial', 'restore serial'],
      'switchover a',
    ]);
    expect(rig.leader).toBe('b');
    expect(rig.isProtected()).toBe(true);
  });

  it('plays the faults it is given, in their order', async () => {
    const rig = new FakePairRig();
    await play(rig, ['cut-serial', 'kill']);
    expect(rig.calls).toEqual(['cut serial', 'restore serial', 'kill a', 'restart a']);
  });

  it('waits until the program acts before it breaks anything', async () => {
    const rig = new FakePairRig();
    rig.device.acceptedBytes = 0;
    const end = play(rig, ['kill']);
    await new Promise(setImmediate);
    expect(rig.calls).toEqual([]);
    rig.device.acceptedBytes = 1;
    rig.emit('change');
    expect(await end).toEqual({ kind: 'played' });
  });

  it('says what it waited for in vain', async () => {
    const rig = new FakePairRig();
    rig.isSound = false;
    expect(await play(rig)).toEqual({ kind: 'stuck', what: 'board B takes over' });
    expect(rig.calls).toEqual(['kill a']);
  });

  it('does not wait for boards that have both ended', async () => {
    const rig = new FakePairRig();
    rig.device.acceptedBytes = 0;
    const end = play(rig);
    rig.endBoards(5);
    const { kind, ...rest } = await end;
    expect(kind).toBe('stuck');
    expect(rest).toMatchObject({ what: expect.stringContaining('both boards have ended') as string });
  });

  it('stops where it is when a key is pressed, and leaves the pair as it is', async () => {
    const rig = new FakePairRig();
    const keys = new AbortController();
    rig.on('event', ({ code }) => {
      if (code === 'FAULT') keys.abort();
    });
    expect(await play(rig, scriptFaults, keys.signal)).toEqual({ kind: 'aborted' });
    expect(rig.calls).toEqual(['kill a']);
  });
});

describe('the keys', () => {
  it('break and repair', () => {
    const rig = new FakePairRig();
    const faults = new Faults(rig);
    for (const key of ['r', 'w', 'k', 'r', 's', 'e', 'b', 'r']) faults.press(key);
    expect(rig.calls).toEqual([
      ...['switchover a', 'kill b', 'restart b', 'cut serial', 'cut ethernet'],
      ...['restore serial', 'restore ethernet'],
    ]);
    expect(faults.press('x')).toBeNull();
  });

  it('thaw a frozen board with r', () => {
    const rig = new FakePairRig();
    const faults = new Faults(rig);
    faults.press('f');
    expect(rig.boards.a.frozen).toBe(true);
    expect(faults.press('r')).toBe('repaired');
    expect(rig.boards.a.frozen).toBe(false);
    faults.stop();
  });

  it('refuse a switchover without a backup', () => {
    const rig = new FakePairRig();
    rig.boards.b.running = false;
    expect(new Faults(rig).press('w')).toContain('no backup');
    expect(rig.calls).toEqual([]);
  });
});
