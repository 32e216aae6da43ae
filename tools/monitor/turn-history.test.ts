import { describe, expect, it } from 'vitest';
import { lagMs, TurnHistory } from './turn-history.ts';

describe('TurnHistory', () => {
  const history = (): TurnHistory => {
    const turns = new TurnHistory();
    turns.add(1000, 50, 'h');
    turns.add(1100, 150, 'h');
    turns.add(2000, 250, 'h');
    return turns;
  };

  it('spreads the turns between two statuses evenly', () => {
    expect(history().atMsOf(100)).toBe(1050);
    expect(history().atMsOf(250)).toBe(2000);
    expect(history().atMsOf(999)).toBe(2000);
  });

  it('does not know when a turn was that is older than what it has seen', () => {
    expect(history().atMsOf(49)).toBeNull();
    expect(lagMs(history(), 10, 3000)).toBeNull();
  });

  it('measures the age of the first turn that has not been executed', () => {
    expect(lagMs(history(), 99, 1100)).toBe(50);
    expect(lagMs(history(), 250, 2000)).toBe(0);
  });

  it('forgets the turns of another history: their numbers mean others', () => {
    const turns = history();
    turns.add(2100, 260, 'new');
    expect(turns.atMsOf(100)).toBeNull();
    expect(turns.turnsPerSecond).toBeNull();
  });

  it('reckons turns a second', () => {
    expect(history().turnsPerSecond).toBe(200);
  });
});
