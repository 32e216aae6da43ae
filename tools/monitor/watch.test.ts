import { describe, expect, it } from 'vitest';
import { event, hello, link, status, told } from './console-items.fake.ts';
import { WatchedPair, zero } from './watched-pair.fake.ts';

describe('a pair that is watched', () => {
  it('is protected, two failures away, and says how long a takeover would last', () => {
    const { outlook } = new WatchedPair().run(2000).model;
    expect(outlook).toMatchObject({ leader: 'a', isProtected: true, budget: 'two', weaknesses: [] });
    const { takeover } = outlook;
    expect(takeover).toMatchObject({ board: 'b', silenceMs: 200, claimMs: 12 });
    expect(takeover!.totalMs).toBeCloseTo(200 + 12 + takeover!.replayMs, 5);
    expect(takeover!.processDeathMs).toBeCloseTo(15 + 12 + takeover!.replayMs, 5);
  });

  it('knows the age of the last turn that the backup has run: eight turns at one a millisecond', () => {
    const { boards } = new WatchedPair().run(2000).model;
    expect(boards.b.lagMs).toBeGreaterThan(6.5);
    expect(boards.b.lagMs).toBeLessThan(9);
    expect(boards.a.turnsPerSecond).toBeCloseTo(1000, 0);
  });

  it('takes the lag that the primary measured itself before its own reckoning', () => {
    const { boards } = new WatchedPair().run(2000, { a: { lagMs: 5.5 } }).model;
    expect(boards.b.lagMs).toBe(5.5);
  });

  it('knows both clocks against each other within what the round trips allow', () => {
    const { betweenBoards } = new WatchedPair().run(2000).model;
    expect(Math.abs(betweenBoards!.offsetMs - (zero.a - zero.b))).toBeLessThanOrEqual(betweenBoards!.boundMs);
    expect(betweenBoards!.boundMs).toBeLessThan(3);
  });

  it('puts the events of both boards into one order, and marks what is closer than the clocks', () => {
    const pair = new WatchedPair().run(1000);
    pair.say(1, told('b', event(10, zero.b + 700, 'PEER_RED', 'red')));
    pair.say(0, told('a', event(10, zero.a + 650, 'LINK_SILENT', 'serial link: silent')));
    pair.say(0, told('a', event(11, zero.a + 700.4, 'LINK_HEARD', 'serial link: heard')));
    const codes = pair.model.events
      .slice(-3)
      .map(({ report, isOrderUncertain }) => [report.code, isOrderUncertain]);
    expect(codes[0]).toEqual(['LINK_SILENT', false]);
    expect(codes.slice(1).toSorted()).toEqual([
      ['LINK_HEARD', true],
      ['PEER_RED', true],
    ]);
  });

  it('tells an event once, that comes live and again in a list after a new attachment', () => {
    const pair = new WatchedPair().run(500);
    const count = pair.model.events.length;
    const events = [
      event(2, zero.a - 8988, 'PAIR_PRIMARY', 'primary of term 3'),
      event(4, zero.a + 400, 'NEW', 'new'),
    ];
    pair.say(0, { schema: 1, kind: 'events', board: 'a', monotonicMs: zero.a + 500, events });
    expect(pair.model.events).toHaveLength(count + 1);
  });

  it('is one failure away while nobody follows', () => {
    const pair = new WatchedPair().run(1000, {
      a: { protected: false },
      b: { role: 'joining', protected: false },
    });
    expect(pair.model.outlook).toMatchObject({
      leader: 'a',
      isProtected: false,
      budget: 'one',
      takeover: null,
    });
  });

  it('is one failure away when the backup does not reach the device, however protected it is', () => {
    const { devices } = status('b', 0);
    const pair = new WatchedPair().run(1000, { b: { devices: [{ ...devices[0]!, open: false }] } });
    expect(pair.model.outlook).toMatchObject({ isProtected: true, budget: 'one' });
    expect(pair.model.outlook.weaknesses).toEqual(['board B does not reach /dev/ttyACM0']);
  });

  it('names a cable that is silent', () => {
    const links = [link('ethernet'), link('serial', { up: false, silentForMs: 4000 })];
    const pair = new WatchedPair().run(1000, { a: { links }, b: { links } });
    expect(pair.model.outlook).toMatchObject({
      budget: 'two',
      weaknesses: ['serial is silent'],
    });
  });

  it('has no leader, and no failure left, while neither board is in control', () => {
    const pair = new WatchedPair().run(1000, { a: { role: 'stepped-down' }, b: { role: 'contending' } });
    expect(pair.model.outlook).toMatchObject({ leader: null, budget: 'none' });
  });

  it('follows the greater term while both boards believe to lead', () => {
    const pair = new WatchedPair().run(1000, { b: { role: 'primary', term: 4, protected: false } });
    expect(pair.model.outlook.leader).toBe('b');
  });

  it('does not take for true what a console said that has been lost', () => {
    const pair = new WatchedPair().run(1000);
    pair.watch.phase(pair.now, 0, 'waiting', 'the port went away');
    const { outlook, boards } = pair.model;
    expect(boards.a).toMatchObject({ isFresh: false, port: { phase: 'waiting' } });
    // The backup still hears it.
    expect(outlook).toMatchObject({ leader: 'a', isProtected: true });
  });

  it('knows nothing once both consoles are silent for long', () => {
    const pair = new WatchedPair().run(1000);
    pair.now += 5000;
    expect(pair.model.outlook.budget).toBe('unknown');
  });

  it('goes by the board that speaks when the cables are swapped', () => {
    const pair = new WatchedPair();
    pair.watch.item(1, 0, hello('b'));
    pair.watch.item(1, 1, hello('a'));
    pair.watch.item(2, 1, status('a', zero.a));
    expect(pair.model.boards.a.port!.label).toBe('/dev/ttyUSB1');
    expect(pair.watch.portOf('b')).toBe(0);
  });

  it('measures a takeover from the beginning of the silence to the lead', () => {
    const pair = new WatchedPair().run(1000);
    pair.say(1, told('b', event(20, zero.b + 900, 'PEER_RED', 'silent', 'alarm', { silentForMs: 201 })));
    pair.say(1, told('b', event(21, zero.b + 901, 'PAIR_CLAIM', 'takeover')));
    pair.say(1, told('b', event(22, zero.b + 931, 'PAIR_PRIMARY', 'primary of term 4')));
    expect(pair.model.lastTakeoverMs).toBe(232);
    expect(pair.model.outlook.takeover!.claimMs).toBe(30);
  });

  it('tells of a port that is missing once, not at every attempt', () => {
    const pair = new WatchedPair();
    pair.watch.phase(pair.now, 0, 'waiting', 'the port went away');
    const count = pair.model.events.length;
    for (let attempt = 0; attempt < 5; attempt++) {
      pair.watch.phase(pair.now, 0, 'opening', 'opens the port');
      pair.watch.phase(pair.now, 0, 'waiting', 'is not there');
    }
    expect(pair.model.events).toHaveLength(count + 1);
  });
});
