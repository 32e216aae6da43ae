/** The fence as the machine code keeps it: terms, sessions, hold time, watchdog, power. Judged at the pins and in the EEPROM. */
import { describe, expect, test } from 'vitest';
import { FirmwareRig, type Port, readProgram, startAttached } from './firmware.test-rig.ts';

const setMode = 0xf4;
const setPin = 0xf5;
const output = 1;
const pwm = 3;
const eepromBytes = 4096;
const holdTimeMs = 1000;

function freshEeprom(): Uint8Array {
  return new Uint8Array(eepromBytes).fill(0xff);
}

/** Waits for the device to say its session on that port. */
function awaitHello(rig: FirmwareRig, port: Port = 0): number {
  const side = rig.sides[port];
  side.session = null;
  rig.runUntil('hello', () => {
    if (side.session === null && side.wakeAt === null) rig.step(port, { kind: 'query' });
    return side.session !== null;
  });
  return side.session!;
}

/** Time until the pin has that level; fails after `limitMs`. */
function msUntilLevel(rig: FirmwareRig, pin: number, level: 0 | 1, limitMs: number): number {
  const from = rig.machine.timeMs;
  const seen = rig.machine.runUntilTrue(() => rig.machine.level(pin) === level, limitMs, 0.1);
  expect(seen, `pin ${pin} reaches ${level} within ${limitMs} ms`).toBe(true);
  return rig.machine.timeMs - from;
}

describe('takeover', () => {
  test('the greater term has the outputs, the smaller one moves no pin', () => {
    const rig = startAttached();
    const { session } = rig.sides[0];
    rig.send(0, setMode, 22, output, setPin, 22, 1);
    rig.attach(1, 2, session);
    expect(rig.sides[1].outputsAccepted).toBe(6);
    rig.write(0, setPin, 22, 0);
    rig.run(100);
    expect(rig.machine.level(22)).toBe(1);
    expect(rig.sides[0].effects).toContainEqual({ kind: 'stale', heldTerm: 2 });
    rig.send(1, setPin, 22, 0);
    expect(rig.machine.level(22)).toBe(0);
    const info = rig.info();
    expect([info.get('term'), info.get('port'), info.get('attached')]).toEqual(['2', 'b', 'b']);
  });

  test('a message cut in two by the takeover is carried out once', () => {
    const rig = startAttached();
    const { session } = rig.sides[0];
    let edges = 0;
    let level = 0;
    rig.machine.wires.listen(() => {
      if (rig.machine.level(22) !== level) edges += 1;
      level = rig.machine.level(22);
    });
    rig.send(0, setMode, 22, output, setPin, 22);
    rig.attach(1, 2, session);
    rig.send(1, 1);
    expect([rig.machine.level(22), edges]).toEqual([1, 1]);
  });

  test('inputs that nobody acknowledged are sent again to the new controller', () => {
    const rig = startAttached();
    const { session } = rig.sides[0];
    const before = rig.sides[0].inputs.length;
    rig.sides[0].acknowledges = false;
    rig.send(0, 0xf9);
    rig.run(5);
    expect(rig.taken(0)).toEqual([0xf9, 2, 6]);
    rig.attach(1, 2, session, before);
    rig.run(10);
    expect(rig.taken(1)).toEqual([0xf9, 2, 6]);
  });

  test('a long answer is one whole message while inputs are acknowledged late, by another board', () => {
    const rig = startAttached();
    const { session } = rig.sides[0];
    const from = rig.sides[0].inputs.length;
    rig.sides[0].acknowledges = false;
    rig.sides[1].acknowledges = false;
    rig.machine.drive(30, 0);
    rig.send(0, setMode, 30, 0, 0xd3, 1);
    rig.sendSysex(0, 0x6b);
    // The ring is full of the answer's beginning; what changes meanwhile has to wait for its end.
    rig.machine.drive(30, 1);
    rig.run(100);
    rig.attach(1, 2, session, from);
    rig.sides[1].acknowledges = true;
    rig.acknowledge(1);
    rig.run(300);
    const inputs = rig.taken(1);
    const begin = inputs.indexOf(0xf0);
    expect(inputs.slice(0, begin)).toEqual([0x93, 0, 0]);
    expect(inputs.slice(begin, begin + 2)).toEqual([0xf0, 0x6c]);
    const end = inputs.indexOf(0xf7);
    expect(inputs.slice(begin + 1, end).every((byte) => byte < 0x80)).toBe(true);
    expect(inputs.slice(end + 1)).toEqual([0x93, 0x40, 0]);
  });
});

describe('hold time', () => {
  test('silence drives the safe state within the hold time and 10 ms, and begins a session', () => {
    const rig = startAttached();
    const { session } = rig.sides[0];
    rig.send(0, setMode, 22, output, setPin, 22, 1, setMode, 9, pwm, 0xe9, 64, 0);
    rig.sides[0].isCut = true;
    const elapsed = msUntilLevel(rig, 22, 0, holdTimeMs + 100);
    // The controller's last words may be up to a keepalive interval old.
    expect(elapsed).toBeGreaterThan(holdTimeMs - 60);
    expect(elapsed).toBeLessThanOrEqual(holdTimeMs + 10);
    rig.run(1);
    expect([rig.machine.pwm(9), rig.machine.level(9)]).toEqual([null, 0]);
    rig.sides[0].isCut = false;
    expect(awaitHello(rig, 1)).toBe(session! + 1);
    rig.attach(1, 2);
    rig.run(20);
    expect(rig.taken(1).slice(0, 3)).toEqual([0xf9, 2, 6]);
  });

  test('every pin goes where it was declared to go, and after a restart too', () => {
    const eeprom = freshEeprom();
    const rig = startAttached({ eeprom });
    const [low, high, released, keep, unchanged] = [22, 23, 24, 25, 26];
    rig.sendSysex(0, 0x0e, 1, high, 1);
    rig.sendSysex(0, 0x0e, 1, released, 2);
    expect(rig.console(`safe ${keep} keep\r`)).toBe('ok\r\n');
    for (const pin of [low, high, released, keep, unchanged]) rig.send(0, setMode, pin, output);
    for (const pin of [low, released, keep]) rig.send(0, setPin, pin, 1);
    rig.sides[0].isCut = true;
    rig.run(holdTimeMs + 20);
    const states = () => [low, high, keep].map((pin) => [rig.machine.isOutput(pin), rig.machine.level(pin)]);
    expect(states()).toEqual([
      [true, 0],
      [true, 1],
      [true, 1],
    ]);
    expect(rig.machine.isOutput(released)).toBe(false);
    rig.machine.powerCycle();
    rig.run(300);
    expect(states()).toEqual([
      [true, 0],
      [true, 1],
      [true, 0],
    ]);
    expect(rig.machine.isOutput(released)).toBe(false);
  });

  test('what is declared can be asked for; what is no pin or no state is refused', () => {
    const rig = startAttached();
    rig.sendSysex(0, 0x0e, 1, 23, 1);
    rig.sendSysex(0, 0x0e, 1, 17, 1);
    rig.sendSysex(0, 0x0e, 1, 23, 4);
    rig.sendSysex(0, 0x0e, 2);
    rig.run(20);
    const answer = rig.takenSysex(0)[0]!;
    expect(answer.slice(0, 2)).toEqual([0x0e, 2]);
    expect(answer.slice(2)).toEqual(Array.from({ length: 70 }, (_, pin) => (pin === 23 ? 1 : 0)));
    expect(rig.info().get('malformed')).toBe('2');
    expect(rig.console('safe 17 low\r')).toMatch(/^error: /);
    expect(rig.console('safe 22 up\r')).toMatch(/^error: /);
    expect(rig.console('hello\r')).toMatch(/^error: /);
  });
});

describe('watchdog', () => {
  const vectorBytes = 4;
  const unusedVector = 1;
  const analogVector = 29;

  /** The firmware with a fault: the converter's interrupt goes where unexpected ones go, and never returns. */
  function programThatHangs(): Uint8Array {
    const program = readProgram();
    const unused = program.slice(unusedVector * vectorBytes, (unusedVector + 1) * vectorBytes);
    program.set(unused, analogVector * vectorBytes);
    return program;
  }

  test('a main loop that stalls is reset; the outputs are safe and the session is another', () => {
    const rig = startAttached({ program: programThatHangs() });
    const { session } = rig.sides[0];
    rig.send(0, setMode, 22, output, setPin, 22, 1);
    // The first conversion is the last thing that happens.
    rig.write(0, 0xc0, 1);
    expect(msUntilLevel(rig, 22, 0, 400)).toBeLessThan(320);
    expect(rig.machine.resets.map(({ cause }) => cause)).toEqual(['powerOn', 'watchdog']);
    rig.run(200);
    expect(awaitHello(rig, 0)).toBe(session! + 1);
    const info = rig.info();
    expect(info.get('last_reset')).toBe('watchdog');
    expect([info.get('resets_watchdog'), info.get('resets_power'), info.get('term')]).toEqual([
      '1',
      '1',
      '1',
    ]);
    rig.attach(0, 2);
    rig.send(0, setMode, 22, output, setPin, 22, 1);
    expect(rig.machine.level(22)).toBe(1);
  });

  test('a firmware that does its work is not bitten', () => {
    const rig = startAttached();
    for (let i = 0; i < 20; i++) rig.sendSysex(0, 0x6b);
    rig.run(500);
    expect(rig.machine.resets.map(({ cause }) => cause)).toEqual(['powerOn']);
  });
});

describe('power', () => {
  test('term, port and session survive; the same term is only for the port that held it', () => {
    const rig = startAttached();
    rig.attach(1, 9, rig.sides[0].session);
    rig.machine.powerCycle();
    rig.run(300);
    const session = awaitHello(rig, 0);
    expect(session).toBe(2);
    expect(rig.sides[0].heldTerm).toBe(9);
    rig.step(0, { kind: 'attach', term: 9, session, inputsReceived: 0 });
    rig.runUntil('stale', () =>
      rig.sides[0].effects.some((effect) => effect.kind === 'stale' && effect.heldTerm === 9),
    );
    rig.attach(1, 9, session);
    expect(rig.sides[1].attachedTerm).toBe(9);
  });

  test('the term is in the EEPROM before ATTACHED leaves, within 8 ms when it is the next one', () => {
    const rig = startAttached();
    rig.run(100);
    const { session } = rig.sides[0];
    const from = rig.machine.timeMs;
    rig.attach(1, 2, session);
    const took = rig.machine.timeMs - from;
    expect(took).toBeLessThan(9);
    rig.machine.powerOff();
    const after = new FirmwareRig({ eeprom: rig.machine.eeprom });
    after.run(200);
    expect(after.sides[0].heldTerm).toBe(2);
  });

  test.each([
    // The prepared slot: two bytes of seal.
    { what: 'the next term', wanted: 2, lastCutMs: 9, stepMs: 0.8 },
    // Every byte of the slot has to be written.
    { what: 'a term that nobody expected', wanted: 0x0102_0304, lastCutMs: 24, stepMs: 1.2 },
  ])('power lost at any moment of an attach under $what: it is granted or it is not, and never granted and forgotten', ({
    wanted,
    lastCutMs,
    stepMs,
  }) => {
    const outcomes = new Set<number>();
    for (let cutMs = 1; cutMs < lastCutMs; cutMs += stepMs) {
      const rig = startAttached();
      rig.run(60);
      const side = rig.sides[1];
      rig.step(1, { kind: 'attach', term: wanted, session: rig.sides[0].session, inputsReceived: 0 });
      rig.run(cutMs);
      const granted = side.attachedTerm === wanted;
      rig.machine.powerOff();
      const after = new FirmwareRig({ eeprom: rig.machine.eeprom });
      after.run(150);
      const held = after.sides[0].heldTerm!;
      expect([1, wanted]).toContain(held);
      if (granted) expect(held).toBe(wanted);
      expect(after.sides[0].session).toBeGreaterThan(rig.sides[0].session!);
      outcomes.add(held);
    }
    expect(outcomes).toEqual(new Set([1, wanted]));
  }, 120_000);

  test('no session is used twice, whenever the power fails while it starts', () => {
    const eeprom = freshEeprom();
    const sessions: number[] = [];
    for (let life = 0; life < 24; life++) {
      const rig = new FirmwareRig({ eeprom });
      // From before the session is persisted until after it was announced.
      rig.run(66 + life * 2.3);
      const { session } = rig.sides[0];
      if (session !== null) sessions.push(session);
      rig.machine.powerOff();
    }
    expect(sessions.length).toBeGreaterThan(6);
    expect(new Set(sessions).size).toBe(sessions.length);
    expect([...sessions].sort((a, b) => a - b)).toEqual(sessions);
  }, 120_000);

  test('each cause of a reset is counted over all lives', () => {
    const rig = startAttached();
    rig.machine.reset('external');
    rig.run(200);
    rig.machine.reset('brownOut');
    rig.run(200);
    rig.machine.powerCycle();
    rig.run(400);
    const info = rig.info();
    const causes = [
      'resets_power',
      'resets_external',
      'resets_brown_out',
      'resets_watchdog',
      'last_reset',
      'session',
    ];
    expect(causes.map((key) => info.get(key))).toEqual(['2', '1', '1', '0', 'power', '4']);
  });

  test('wear is spread: no cell is programmed more often than its share of 260 terms', () => {
    const rig = startAttached();
    const { session } = rig.sides[0];
    const before = rig.machine.eeprom.slice();
    const changes = new Uint16Array(eepromBytes);
    let term = 1;
    for (let attach = 0; attach < 260; attach++) {
      term += 1;
      rig.attach((term % 2) as Port, term, session, rig.sides[0].inputsFrom);
      rig.run(15);
      for (let at = 0; at < eepromBytes; at++) {
        if (rig.machine.eeprom[at] === before[at]) continue;
        before[at] = rig.machine.eeprom[at]!;
        changes[at]! += 1;
      }
    }
    // 128 slots: each is used two or three times, erased and written.
    expect(Math.max(...changes)).toBeLessThanOrEqual(6);
    expect(Math.max(...changes)).toBeGreaterThan(0);
  }, 120_000);
});
