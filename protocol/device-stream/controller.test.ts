import { describe, expect, test } from 'vitest';
import { DeviceController } from './controller.ts';
import { encodeStreamMessage } from './frames.ts';
import { type Board, effectsOf, kindsOf, StreamRig } from './stream-rig.fake.ts';

const text = (line: string) => new TextEncoder().encode(line);

/** Both ports open, board a attached under term 1; the time this took is over. */
function attachedRig(options: ConstructorParameters<typeof StreamRig>[0]): {
  rig: StreamRig;
  a: Board;
  b: Board;
} {
  const rig = new StreamRig(options);
  const [a, b] = rig.boards;
  rig.stepBoard(a, { kind: 'port-opened' });
  rig.stepBoard(b, { kind: 'port-opened' });
  rig.stepBoard(a, { kind: 'attach', term: 1, session: null, inputsReceived: 0 });
  const attached = rig.run({ untilMs: 100, done: () => effectsOf(a.effects, 'attached').length > 0 });
  expect(attached).toBe(true);
  return { rig, a, b };
}

describe('attach', () => {
  test('completes within two round trips of a board that does not know the session', () => {
    const { rig, a } = attachedRig({ seed: 1 });
    expect(rig.now).toBeLessThan(10);
    expect(effectsOf(a.effects, 'attached')).toEqual([
      { kind: 'attached', term: 1, session: 100, outputsAccepted: 0 },
    ]);
  });

  test('completes within one round trip of a board that knows it', () => {
    const { rig, b } = attachedRig({ seed: 1 });
    const before = rig.now;
    rig.stepBoard(b, { kind: 'attach', term: 2, session: 100, inputsReceived: 0 });
    rig.run({ untilMs: before + 50, done: () => effectsOf(b.effects, 'attached').length > 0 });
    expect(rig.now - before).toBeLessThan(4);
  });

  test('is repeated until it is answered, and silence is reported once', () => {
    const { rig, b } = attachedRig({ seed: 1 });
    rig.cut[1] = true;
    rig.stepBoard(b, { kind: 'attach', term: 2, session: 100, inputsReceived: 0 });
    rig.run({ untilMs: rig.now + 900 });
    expect(effectsOf(b.effects, 'silent')).toHaveLength(1);
    rig.cut[1] = false;
    const attached = rig.run({ untilMs: rig.now + 400, done: () => kindsOf(b.effects).includes('attached') });
    expect(attached).toBe(true);
  });

  test('under the term that the other port holds is refused: of two that race, one wins', () => {
    const { rig, b } = attachedRig({ seed: 1 });
    rig.stepBoard(b, { kind: 'attach', term: 1, session: 100, inputsReceived: 0 });
    rig.run({ untilMs: rig.now + 50 });
    expect(effectsOf(b.effects, 'stale')).toEqual([{ kind: 'stale', heldTerm: 1 }]);
    expect(rig.device.attachedPort).toBe(0);
  });

  test('to a session that is over reports it and begins nothing', () => {
    const { rig, b } = attachedRig({ seed: 1 });
    rig.stepBoard(b, { kind: 'attach', term: 2, session: 99, inputsReceived: 0 });
    rig.stepBoard(b, { kind: 'write', offset: 0, bytes: text('old') });
    rig.run({ untilMs: rig.now + 50 });
    expect(effectsOf(b.effects, 'session-lost')).toEqual([{ kind: 'session-lost', session: 100 }]);
    expect(rig.device.heldTerm).toBe(1);
    expect(rig.outputs).toEqual([]);
  });

  test('is not misled by one HELLO of an earlier session out of a buffer', () => {
    const controller = new DeviceController();
    controller.step(0, { kind: 'port-opened' });
    controller.step(0, { kind: 'attach', term: 3, session: 9, inputsReceived: 0 });
    const hello = { kind: 'hello', version: 1, session: 8, heldTerm: 2, safe: true } as const;
    const rest = { attachedHere: false, attachedElsewhere: false, windowBytes: 256, holdTimeMs: 1000 };
    const stale = controller.step(1, { kind: 'bytes', bytes: encodeStreamMessage({ ...hello, ...rest }) });
    expect(kindsOf(stale)).toEqual(['hello', 'transmit', 'wake']);
    const attached = encodeStreamMessage({
      kind: 'attached',
      term: 3,
      session: 9,
      outputs: 70,
      windowBytes: 256,
      inputs: 0,
    });
    expect(kindsOf(controller.step(2, { kind: 'bytes', bytes: attached }))).toContain('attached');
  });

  test('does not take a repeated answer to an earlier attach for the one to this', () => {
    const controller = new DeviceController();
    const attach = { kind: 'attach', term: 3, session: 9 } as const;
    controller.step(0, { kind: 'port-opened' });
    controller.step(0, { ...attach, inputsReceived: 40 });
    // Both have been sent, and nobody has read, when the other inputs are asked for.
    expect(kindsOf(controller.step(200, { kind: 'tick' }))).toContain('transmit');
    controller.step(200, { ...attach, inputsReceived: 10 });
    const answer = (inputs: number) =>
      controller.step(201, {
        kind: 'bytes',
        bytes: encodeStreamMessage({
          kind: 'attached',
          term: 3,
          session: 9,
          outputs: 70,
          windowBytes: 256,
          inputs,
        }),
      });
    expect(kindsOf(answer(40))).not.toContain('attached');
    expect(kindsOf(answer(40))).not.toContain('attached');
    expect(kindsOf(answer(10))).toContain('attached');
  });

  test.each([
    2 ** 31 - 5,
    2 ** 31,
    2 ** 31 + 1,
    2 ** 32 - 1000,
  ])('finds the first input of a session that it does not know, however far it has come: %i', (firstOffset) => {
    const { rig, a, b } = attachedRig({ seed: 1, device: { firstOffset } });
    expect(effectsOf(a.effects, 'attached')).toMatchObject([{ outputsAccepted: firstOffset }]);
    rig.stepDevice({ kind: 'produce', bytes: text('never stored') });
    rig.run({ untilMs: rig.now + 50 });
    rig.stepBoard(b, { kind: 'attach', term: 2, session: null, inputsReceived: 0 });
    rig.run({ untilMs: rig.now + 100 });
    expect(effectsOf(b.effects, 'session-lost')).toEqual([]);
    expect(effectsOf(b.effects, 'inputs-missing').at(-1)).toMatchObject({ to: firstOffset });
    expect(effectsOf(b.effects, 'input')).toMatchObject([
      { offset: firstOffset, bytes: text('never stored') },
    ]);
  });

  test('refuses a device that speaks another version', () => {
    const controller = new DeviceController();
    controller.step(0, { kind: 'port-opened' });
    controller.step(0, { kind: 'attach', term: 3, session: null, inputsReceived: 0 });
    const hello = { kind: 'hello', version: 2, session: 8, heldTerm: 2, safe: true } as const;
    const rest = { attachedHere: false, attachedElsewhere: false, windowBytes: 256, holdTimeMs: 1000 };
    const effects = controller.step(1, { kind: 'bytes', bytes: encodeStreamMessage({ ...hello, ...rest }) });
    expect(effects).toEqual([{ kind: 'incompatible', version: 2 }]);
  });
});

describe('outputs', () => {
  test('never more unaccepted bytes on the way than the window', () => {
    const { rig, a } = attachedRig({ seed: 2, device: { windowBytes: 64 } });
    rig.consumeMsPerByte = 2;
    const accepted: number[] = [];
    rig.onDevice = (effect) => {
      if (effect.kind === 'output') accepted.push(effect.bytes.length);
      if (effect.kind === 'discarded') throw new Error(`the device discarded: ${effect.reason}`);
    };
    const bytes = Uint8Array.from({ length: 400 }, (_, index) => index % 251);
    rig.stepBoard(a, { kind: 'write', offset: 0, bytes });
    expect(rig.run({ untilMs: 3000, done: () => a.controller.heldBytes === 0 })).toBe(true);
    expect(rig.outputs).toEqual([...bytes]);
    // A firmware of 2 ms a byte sets the speed, not the line: 400 bytes less the window.
    expect(rig.now).toBeGreaterThan(2 * (400 - 64));
  });

  test('pieces that are held or accepted already are ignored, a gap is a fault of the caller', () => {
    const { rig, a } = attachedRig({ seed: 3 });
    rig.stepBoard(a, { kind: 'write', offset: 0, bytes: text('abcd') });
    rig.stepBoard(a, { kind: 'write', offset: 2, bytes: text('cdef') });
    rig.run({ untilMs: rig.now + 100, done: () => a.controller.heldBytes === 0 });
    rig.stepBoard(a, { kind: 'write', offset: 0, bytes: text('abcdefgh') });
    rig.run({ untilMs: rig.now + 100 });
    expect(rig.outputs).toEqual([...text('abcdefgh')]);
    expect(effectsOf(a.effects, 'accepted').at(-1)).toEqual({ kind: 'accepted', offset: 8 });
    expect(() => rig.stepBoard(a, { kind: 'write', offset: 9, bytes: text('x') })).toThrow(RangeError);
  });

  test('a lost frame is sent again as soon as the device sees the gap, once', () => {
    const { rig, a } = attachedRig({ seed: 20 });
    rig.cut[0] = true;
    rig.stepBoard(a, { kind: 'write', offset: 0, bytes: text('lost') });
    rig.run({ untilMs: rig.now + 2 });
    rig.cut[0] = false;
    const before = rig.now;
    rig.stepBoard(a, { kind: 'write', offset: 4, bytes: text('next') });
    rig.stepBoard(a, { kind: 'write', offset: 8, bytes: text('last') });
    expect(rig.run({ untilMs: before + 100, done: () => a.controller.heldBytes === 0 })).toBe(true);
    expect(new TextDecoder().decode(Uint8Array.from(rig.outputs))).toBe('lostnextlast');
    // Before the timer of the lost frame: 10 ms of response and the time on the line.
    expect(rig.now - before).toBeLessThan(10);
    expect(effectsOf(rig.deviceEffects, 'output').length).toBe(1);
  });

  test('small writes gather while the line is busy', () => {
    const { rig, a } = attachedRig({ seed: 4 });
    for (let offset = 0; offset < 200; offset++) {
      rig.stepBoard(a, { kind: 'write', offset, bytes: Uint8Array.of(offset) });
    }
    expect(rig.run({ untilMs: rig.now + 500, done: () => a.controller.heldBytes === 0 })).toBe(true);
    expect(effectsOf(rig.deviceEffects, 'output').length).toBeLessThan(12);
  });

  test('the same session is continued over a port that closes and opens again', () => {
    const { rig, a } = attachedRig({ seed: 5 });
    rig.cut[0] = true;
    rig.stepBoard(a, { kind: 'write', offset: 0, bytes: text('kept while the plug is out') });
    rig.stepBoard(a, { kind: 'port-closed' });
    rig.run({ untilMs: rig.now + 200 });
    rig.cut[0] = false;
    rig.stepBoard(a, { kind: 'port-opened' });
    rig.stepBoard(a, { kind: 'attach', term: 1, session: 100, inputsReceived: 0 });
    rig.run({ untilMs: rig.now + 200, done: () => a.controller.heldBytes === 0 });
    expect(new TextDecoder().decode(Uint8Array.from(rig.outputs))).toBe('kept while the plug is out');
  });

  test('release waits for what is written and ends the hold', () => {
    const { rig, a, b } = attachedRig({ seed: 6 });
    rig.stepBoard(a, { kind: 'write', offset: 0, bytes: new Uint8Array(300).fill(7) });
    rig.stepBoard(a, { kind: 'release' });
    expect(rig.run({ untilMs: rig.now + 500, done: () => kindsOf(a.effects).includes('released') })).toBe(
      true,
    );
    expect(rig.outputs).toHaveLength(300);
    expect(rig.device.attachedPort).toBeNull();
    expect(() => rig.stepBoard(a, { kind: 'write', offset: 300, bytes: text('x') })).not.toThrow();
    expect(a.effects.at(-1)).toEqual({ kind: 'discarded', reason: 'NOT_HELD' });
    rig.stepBoard(b, { kind: 'attach', term: 2, session: 100, inputsReceived: 0 });
    expect(rig.run({ untilMs: rig.now + 50, done: () => rig.device.attachedPort === 1 })).toBe(true);
    expect(rig.device.session).toBe(100);
  });
});

describe('a controller that is no longer the newest', () => {
  test('split brain: with both alive the device obeys the newer one, and the older one is told at once', () => {
    const { rig, a, b } = attachedRig({ seed: 7 });
    rig.stepBoard(b, { kind: 'attach', term: 2, session: 100, inputsReceived: 0 });
    rig.run({ untilMs: rig.now + 20, done: () => kindsOf(b.effects).includes('attached') });
    const fencedAt = rig.now;
    expect(rig.run({ untilMs: rig.now + 20, done: () => kindsOf(a.effects).includes('stale') })).toBe(true);
    expect(rig.now - fencedAt).toBeLessThan(3);
    rig.stepBoard(a, { kind: 'write', offset: 0, bytes: text('from the old one') });
    rig.stepBoard(b, { kind: 'write', offset: 0, bytes: text('from the new one') });
    rig.run({ untilMs: rig.now + 200 });
    expect(new TextDecoder().decode(Uint8Array.from(rig.outputs))).toBe('from the new one');
  });

  test('frozen with outputs held, it wakes, tries, is refused and steps down', () => {
    const { rig, a, b } = attachedRig({ seed: 8, device: { holdTimeMs: 5000 } });
    rig.freeze(0);
    rig.stepBoard(a, { kind: 'write', offset: 0, bytes: new Uint8Array(600).fill(1) });
    rig.run({ untilMs: rig.now + 300 });
    const before = rig.outputs.length;
    rig.stepBoard(b, { kind: 'attach', term: 2, session: 100, inputsReceived: 0 });
    rig.run({ untilMs: rig.now + 1500 });
    // What tells the old controller is lost: it has to find out by itself.
    a.waiting.length = 0;
    rig.thaw(0);
    rig.run({ untilMs: rig.now + 100 });
    expect(kindsOf(a.effects)).not.toContain('silent');
    expect(effectsOf(a.effects, 'stale').at(-1)).toEqual({ kind: 'stale', heldTerm: 2 });
    expect(effectsOf(rig.deviceEffects, 'rejected-stale').length).toBeGreaterThan(0);
    expect(rig.outputs).toHaveLength(before);
    expect(a.controller.heldBytes).toBe(0);
  });
});

describe('sessions', () => {
  test('hold time: silence drives the safe state and ends the session, never a silent resume', () => {
    const { rig, a, b } = attachedRig({ seed: 9, device: { holdTimeMs: 300 } });
    rig.stepBoard(a, { kind: 'write', offset: 0, bytes: text('on') });
    rig.run({ untilMs: rig.now + 50 });
    const frozenAt = rig.now;
    rig.freeze(0);
    rig.run({ untilMs: rig.now + 1000, done: () => rig.device.safe });
    // A keepalive may have been on the line when it froze.
    expect(rig.now - frozenAt).toBeLessThan(302);
    expect(rig.now - frozenAt).toBeGreaterThan(200);
    expect(rig.device.session).toBe(101);
    expect(rig.device.heldTerm).toBe(1);
    rig.thaw(0);
    rig.stepBoard(b, { kind: 'query' });
    rig.run({ untilMs: rig.now + 100 });
    expect(effectsOf(a.effects, 'session-lost')).toEqual([{ kind: 'session-lost', session: 101 }]);
    expect(effectsOf(b.effects, 'hello').at(-1)).toMatchObject({ session: 101, heldTerm: 1, safe: true });
    rig.stepBoard(a, { kind: 'attach', term: 1, session: 101, inputsReceived: 0 });
    rig.stepBoard(a, { kind: 'write', offset: 0, bytes: text('again') });
    rig.run({ untilMs: rig.now + 100 });
    expect(new TextDecoder().decode(Uint8Array.from(rig.outputs))).toBe('onagain');
    expect(rig.device.safe).toBe(false);
  });

  test('an idle controller keeps the device out of its safe state', () => {
    const { rig } = attachedRig({ seed: 10, device: { holdTimeMs: 200 } });
    rig.run({ untilMs: 20_000 });
    expect(effectsOf(rig.deviceEffects, 'safe-state')).toEqual([]);
  });

  test('a device that nobody takes after a release goes safe', () => {
    const { rig, a } = attachedRig({ seed: 11, device: { holdTimeMs: 200 } });
    rig.stepBoard(a, { kind: 'release' });
    rig.run({ untilMs: rig.now + 300 });
    expect(effectsOf(rig.deviceEffects, 'safe-state')).toHaveLength(1);
  });

  test('restart: outputs on the way are not taken into the new session, the term survives', () => {
    for (let delayMs = 0; delayMs < 20; delayMs += 0.5) {
      const { rig, a, b } = attachedRig({ seed: 12 });
      rig.stepBoard(a, { kind: 'write', offset: 0, bytes: new Uint8Array(250).fill(1) });
      rig.run({ untilMs: rig.now + delayMs });
      const before = rig.outputs.length;
      rig.stepDevice({ kind: 'restart', session: 500 });
      rig.run({ untilMs: rig.now + 300 });
      expect(rig.outputs).toHaveLength(before);
      expect(effectsOf(a.effects, 'session-lost')).toEqual([{ kind: 'session-lost', session: 500 }]);
      rig.stepBoard(b, { kind: 'attach', term: 1, session: 500, inputsReceived: 0 });
      rig.run({ untilMs: rig.now + 50 });
      expect(effectsOf(b.effects, 'stale')).toEqual([{ kind: 'stale', heldTerm: 1 }]);
    }
  });

  test('a device that has accepted less than it once said is not resumed', () => {
    const { rig, a } = attachedRig({ seed: 13 });
    rig.stepBoard(a, { kind: 'write', offset: 0, bytes: text('abc') });
    rig.run({ untilMs: rig.now + 50, done: () => a.controller.heldBytes === 0 });
    rig.stepBoard(a, { kind: 'port-closed' });
    rig.stepBoard(a, { kind: 'port-opened' });
    rig.stepBoard(a, { kind: 'attach', term: 1, session: 100, inputsReceived: 0 });
    const message = {
      kind: 'attached',
      term: 1,
      session: 100,
      outputs: 2,
      windowBytes: 256,
      inputs: 0,
    } as const;
    const before = a.effects.length;
    // Two may be answers to what was asked before the port was closed.
    for (let answer = 0; answer < 2; answer++) {
      rig.stepBoard(a, { kind: 'bytes', bytes: encodeStreamMessage(message) });
      expect(kindsOf(a.effects).slice(before)).not.toContain('session-lost');
    }
    rig.stepBoard(a, { kind: 'bytes', bytes: encodeStreamMessage(message) });
    expect(kindsOf(a.effects).at(-1)).toBe('session-lost');
  });
});

describe('inputs', () => {
  test('the ring keeps what is not acknowledged and sends it again to the next controller', () => {
    const { rig, a, b } = attachedRig({ seed: 14 });
    rig.stepDevice({ kind: 'produce', bytes: text('one') });
    rig.run({ untilMs: rig.now + 50 });
    rig.stepBoard(a, { kind: 'inputs-stored', offset: 3 });
    rig.stepDevice({ kind: 'produce', bytes: text('two') });
    rig.run({ untilMs: rig.now + 50 });
    rig.stepBoard(b, { kind: 'attach', term: 2, session: 100, inputsReceived: 3 });
    rig.run({ untilMs: rig.now + 50 });
    expect(effectsOf(a.effects, 'input').map((effect) => effect.offset)).toEqual([0, 3]);
    expect(effectsOf(b.effects, 'input')).toEqual([{ kind: 'input', offset: 3, bytes: text('two') }]);
  });

  test('a board that lacks acknowledged inputs is told what is missing', () => {
    const { rig, a, b } = attachedRig({ seed: 15 });
    rig.stepDevice({ kind: 'produce', bytes: text('onetwo') });
    rig.run({ untilMs: rig.now + 50 });
    rig.stepBoard(a, { kind: 'inputs-stored', offset: 6 });
    rig.run({ untilMs: rig.now + 50 });
    rig.stepBoard(b, { kind: 'attach', term: 2, session: 100, inputsReceived: 2 });
    rig.run({ untilMs: rig.now + 50 });
    expect(effectsOf(b.effects, 'inputs-missing')).toEqual([{ kind: 'inputs-missing', from: 2, to: 6 }]);
  });

  test('a full ring refuses whole messages, counts them and tells', () => {
    const { rig, a } = attachedRig({ seed: 16, device: { inputRingBytes: 64 } });
    rig.stepDevice({ kind: 'produce', bytes: new Uint8Array(60) });
    rig.stepDevice({ kind: 'produce', bytes: new Uint8Array(5) });
    rig.stepDevice({ kind: 'produce', bytes: new Uint8Array(4) });
    expect(effectsOf(rig.deviceEffects, 'input-lost')).toEqual([{ kind: 'input-lost', bytes: 5 }]);
    rig.run({ untilMs: rig.now + 100 });
    expect(effectsOf(a.effects, 'inputs-lost')).toEqual([{ kind: 'inputs-lost', totalBytes: 5 }]);
    expect(effectsOf(a.effects, 'input').reduce((sum, effect) => sum + effect.bytes.length, 0)).toBe(64);
    rig.stepBoard(a, { kind: 'inputs-stored', offset: 64 });
    rig.run({ untilMs: rig.now + 50 });
    expect(rig.device.inputRoomBytes).toBe(64);
  });
});

test('options out of range are refused with the rule', () => {
  expect(() => new DeviceController({ keepaliveIntervalMs: 0 })).toThrow(
    'keepaliveIntervalMs must be 1..1000 (got 0)',
  );
  expect(() => new DeviceController({ keepaliveIntervalMs: 100, deviceTimeoutMs: 400 })).toThrow(RangeError);
  expect(() => new StreamRig({ seed: 1, device: { windowBytes: 63 } })).toThrow(RangeError);
});
