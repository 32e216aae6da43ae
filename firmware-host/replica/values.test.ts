import { describe, expect, test } from 'vitest';
import { ValueRecorder, ValueReplayer } from './values.ts';

function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('recorded values', () => {
  test('come back in order, with buffers and errors', () => {
    const recorder = new ValueRecorder();
    const missing = Object.assign(new Error("ENOENT: no such file or directory, open 'x'"), {
      code: 'ENOENT',
      errno: -2,
      syscall: 'open',
      path: 'x',
    });
    const performed = [
      recorder.perform('a()', () => ({ size: 3, when: new Date(5) })),
      recorder.perform('b()', () => Buffer.from('bytes')),
      recorder.perform('u()', () => undefined),
    ];
    const thrown = thrownBy(() =>
      recorder.perform('c()', () => {
        throw missing;
      }),
    );
    expect(thrown).toMatchObject({ code: 'ENOENT', errno: -2, syscall: 'open', path: 'x' });
    expect(thrown).not.toBe(missing);

    const replayer = new ValueReplayer(recorder.take());
    expect(replayer.next('a()')).toEqual({ matches: true, value: performed[0] });
    expect(replayer.next('b()')).toEqual({ matches: true, value: performed[1] });
    expect(replayer.next('u()')).toEqual({ matches: true, value: undefined });
    const replayed = thrownBy(() => replayer.next('c()'));
    expect(replayed).toMatchObject({ message: missing.message, code: 'ENOENT', syscall: 'open', path: 'x' });
    expect(replayer.nextCall).toBeUndefined();
  });

  test('keep the class of an error', () => {
    const recorder = new ValueRecorder();
    const performed = thrownBy(() =>
      recorder.perform('t()', () => {
        throw new RangeError('far');
      }),
    );
    expect(performed).toBeInstanceOf(RangeError);
    expect(thrownBy(() => new ValueReplayer(recorder.take()).next('t()'))).toBeInstanceOf(RangeError);
  });

  test('do not match another call, nor one too many', () => {
    const recorder = new ValueRecorder();
    recorder.perform('a()', () => 1);
    const replayer = new ValueReplayer(recorder.take());
    expect(replayer.next('b()')).toEqual({ matches: false, expected: 'a()' });
    replayer.next('a()');
    expect(replayer.next('a()')).toEqual({ matches: false, expected: 'no further call' });
    expect(recorder.take()).toHaveLength(0);
  });
});
