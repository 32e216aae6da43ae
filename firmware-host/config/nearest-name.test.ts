import { describe, expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

describe('nearestName', () => {
  it('knows swapped, missing and added letters, and gives up on others', () => {
    const names = ['policy', 'journal', 'log', 'timing'];
    expect(nearestName('polciy', names)).toBe('policy');
    expect(nearestName('jornal', names)).toBe('journal');
    expect(nearestName('logs', names)).toBe('log');
    expect(nearestName('TIMING', names)).toBe('timing');
    expect(nearestName('colour', names)).toBeNull();
  });
});
