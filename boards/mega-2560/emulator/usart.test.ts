/** What avr8js's USART gets wrong, and the rest of what a firmware rests on: one test each. */
import { describe, expect, test } from 'vitest';
import { machineWith } from './assembler.test-rig.ts';
import type { Mega2560 } from './machine.ts';

const port = 1;
/** USART1: UCSRA, UCSRB, UCSRC, UBRRL, UBRRH, UDR at c8, c9, ca, cc, cd, ce. U2X, divider 16: 117647 baud. */
const open = `
  ldi r16, 2
  sts 0xc8, r16
  ldi r16, 16
  sts 0xcc, r16
`;
const byteCycles = 10 * 8 * 17;
const ownSpeed = 16_000_000 / (8 * 17);
const results = 0x200;

/** Interrupt driven echo: RX keeps the byte and switches the UDRE interrupt on; UDRE sends it and switches itself off. */
const echo = `
      jmp start
      .org 72            ; USART1_RX
      jmp received
      .org 74            ; USART1_UDRE
      jmp empty
      .org 114
start: ${open}
      ldi r16, 0x98      ; RXCIE RXEN TXEN
      ldi r18, 0xb8      ; and UDRIE
      sts 0xc9, r16
      ldi r19, 1         ; sleep enable
      out 0x33, r19
      sei
loop: sleep
      rjmp loop
received:
      lds r17, 0xce
      sts 0xc9, r18
      reti
empty:
      sts 0xc9, r16
      sts 0xce, r17
      reti`;

function sent(machine: Mega2560): { byte: number; cycle: number }[] {
  const bytes: { byte: number; cycle: number }[] = [];
  machine.onSerialOut((_port, byte, cycle) => bytes.push({ byte, cycle }));
  return bytes;
}

function send(machine: Mega2560, bytes: readonly number[], bitsPerSecond = ownSpeed): number {
  let end = machine.cycle;
  for (const byte of bytes) end = machine.serialIn(port, byte, { bitsPerSecond });
  return end;
}

describe('transmitter', () => {
  test('an enabled UDRE interrupt is taken although the register was empty before: every byte is echoed', () => {
    const machine = machineWith(echo);
    const out = sent(machine);
    machine.runForMs(1);
    const bytes = Array.from({ length: 220 }, (_, index) => index);
    // One byte at a time and with a pause: the register is empty each time that the interrupt is enabled.
    for (const byte of bytes) {
      machine.serialIn(port, byte, { bitsPerSecond: ownSpeed });
      machine.runForMs(0.3);
    }
    expect(out.map(({ byte }) => byte)).toEqual(bytes);
  });

  test('two bytes fit, a third written too early is ignored, and the two follow each other without a gap', () => {
    const machine = machineWith(`${open}
      ldi r16, 8
      sts 0xc9, r16
      lds r20, 0xc8      ; empty
      ldi r16, 0x41
      sts 0xce, r16
      lds r21, 0xc8      ; still empty: the byte is in the shift register
      ldi r16, 0x42
      sts 0xce, r16
      lds r22, 0xc8      ; full
      ldi r16, 0x43
      sts 0xce, r16
      sts 0x200, r20
      sts 0x201, r21
      sts 0x202, r22
end:  rjmp end`);
    const out = sent(machine);
    machine.runForMs(1);
    expect([0, 1, 2].map((index) => machine.peek(results + index) & 0x20)).toEqual([0x20, 0x20, 0]);
    expect(out.map(({ byte }) => byte)).toEqual([0x41, 0x42]);
    expect(out[1]!.cycle - out[0]!.cycle).toBe(byteCycles);
  });

  test('TXC rises with the last bit and falls when a one is written to it, and only then', () => {
    const machine = machineWith(`${open}
      ldi r16, 8
      sts 0xc9, r16
      ldi r16, 0x41
      sts 0xce, r16
wait: lds r20, 0xc8
      sbrs r20, 6
      rjmp wait
      sbi 0x05, 0        ; PB0 high
      ldi r16, 2
      sts 0xc8, r16      ; TXC written as zero: stays
      lds r21, 0xc8
      ldi r16, 0x42
      sts 0xc8, r16      ; written as one: falls
      lds r22, 0xc8
      sts 0x200, r21
      sts 0x201, r22
end:  rjmp end`);
    const out = sent(machine);
    machine.runForMs(1);
    expect(machine.peek(results) & 0x40).toBe(0x40);
    expect(machine.peek(results + 1) & 0x40).toBe(0);
    expect(out).toHaveLength(1);
  });
});

describe('receiver', () => {
  const listen = `${open}
      ldi r16, 0x18
      sts 0xc9, r16
wait: sbis 0x03, 0       ; until PB0 is high
      rjmp wait
  `;

  test('unread bytes survive writes to UCSRA and UCSRB', () => {
    const machine = machineWith(`${listen}
      ldi r16, 0x42
      sts 0xc8, r16
      ldi r16, 0x98
      sts 0xc9, r16
      ldi r16, 0x18
      sts 0xc9, r16
      lds r20, 0xc8
      lds r21, 0xce
      lds r22, 0xce
      sts 0x200, r20
      sts 0x201, r21
      sts 0x202, r22
end:  rjmp end`);
    machine.runForMs(0.1);
    machine.runUntil(send(machine, [0x55, 0xaa]) + 100);
    machine.drive(53, 1);
    machine.runForMs(0.1);
    expect(machine.peek(results) & 0x80).toBe(0x80);
    expect([machine.peek(results + 1), machine.peek(results + 2)]).toEqual([0x55, 0xaa]);
  });

  const readAll = `${listen}
      ldi r26, 0
      ldi r27, 2
next: lds r20, 0xc8
      sbrs r20, 7
      rjmp end
      lds r21, 0xce
      stx r20
      stx r21
      rjmp next
end:  sbi 0x04, 1        ; PB1 is output now
stay: rjmp stay`;

  function read(machine: Mega2560): { flags: number; byte: number }[] {
    machine.drive(53, 1);
    expect(machine.runUntilTrue(() => machine.isOutput(52), 1)).toBe(true);
    const all: { flags: number; byte: number }[] = [];
    for (let at = results; machine.peek(at) & 0x80 && all.length < 8; at += 2) {
      all.push({ flags: machine.peek(at) & 0x1c, byte: machine.peek(at + 1) });
    }
    return all;
  }

  test('three frames fit and nothing is overrun', () => {
    const machine = machineWith(readAll, { ramSeed: 3 });
    machine.runForMs(0.1);
    machine.runUntil(send(machine, [1, 2, 3]) + 100);
    expect(read(machine).slice(0, 3)).toEqual([
      { flags: 0, byte: 1 },
      { flags: 0, byte: 2 },
      { flags: 0, byte: 3 },
    ]);
  });

  test('the start bit of a fourth overwrites the one that waits and sets DOR, which the next read clears', () => {
    const machine = machineWith(readAll);
    machine.runForMs(0.1);
    machine.runUntil(send(machine, [1, 2, 3, 4]) + 100);
    expect(read(machine).slice(0, 3)).toEqual([
      { flags: 0x08, byte: 1 },
      { flags: 0, byte: 2 },
      { flags: 0, byte: 4 },
    ]);
  });

  test.each([
    [2, 0],
    [-3, 0],
  ])('a sender %i %% off is understood', (percent) => {
    const machine = machineWith(readAll);
    machine.runForMs(0.1);
    machine.runUntil(send(machine, [0x00, 0x55, 0xff], ownSpeed * (1 + percent / 100)) + 100);
    expect(read(machine).slice(0, 3)).toEqual([
      { flags: 0, byte: 0x00 },
      { flags: 0, byte: 0x55 },
      { flags: 0, byte: 0xff },
    ]);
  });

  test('a sender at a quarter of the speed is read as rubbish with framing errors', () => {
    const machine = machineWith(readAll);
    machine.runForMs(0.1);
    machine.runUntil(send(machine, [0x00, 0x00], ownSpeed / 4) + 100);
    const frames = read(machine);
    expect(frames.some(({ flags }) => (flags & 0x10) !== 0)).toBe(true);
  });

  test('a sender at twice the speed does not get its bytes through', () => {
    const machine = machineWith(readAll);
    machine.runForMs(0.1);
    machine.runUntil(send(machine, [0x5a, 0x33], ownSpeed * 2) + 2 * byteCycles);
    expect(read(machine).map(({ byte }) => byte)).not.toContain(0x5a);
  });

  test('turning the receiver off empties it', () => {
    const machine = machineWith(`${listen}
      ldi r16, 0
      sts 0xc9, r16
      ldi r16, 0x18
      sts 0xc9, r16
      lds r20, 0xc8
      sts 0x200, r20
      sbi 0x04, 1
end:  rjmp end`);
    machine.runForMs(0.1);
    machine.runUntil(send(machine, [1]) + 100);
    machine.drive(53, 1);
    machine.runForMs(0.1);
    expect(machine.peek(results) & 0x80).toBe(0);
  });
});

test('a byte takes the time that UBRR says, with U2X and without', () => {
  const speedOf = (control: number, divider: number) => {
    const machine = machineWith(`
      ldi r16, ${control}
      sts 0xc8, r16
      ldi r16, ${divider}
      sts 0xcc, r16
      ldi r16, 8
      sts 0xc9, r16
      ldi r16, 0x41
      sts 0xce, r16
      sts 0xce, r16
end:  rjmp end`);
    const out = sent(machine);
    machine.runForMs(5);
    return out[1]!.cycle - out[0]!.cycle;
  };
  expect(speedOf(2, 16)).toBe(10 * 8 * 17);
  expect(speedOf(0, 8)).toBe(10 * 16 * 9);
  expect(speedOf(0, 103)).toBe(10 * 16 * 104);
});
