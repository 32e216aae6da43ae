import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { openPseudoTerminal, type PseudoTerminal } from '../../hil-tests/rigs/local/pseudo-terminal.ts';
import { PromptSerialPort } from './prompt-serial-port.ts';

interface Line {
  terminal: PseudoTerminal;
  port: PromptSerialPort;
  /** What came out at the far end, and at the port. */
  far: string;
  near: string;
  until(condition: () => boolean): Promise<void>;
}

async function openLine(): Promise<Line> {
  const terminal = openPseudoTerminal();
  onTestFinished(() => terminal.close());
  const port = new PromptSerialPort({ path: terminal.path, baudRate: 115_200 });
  let looks: (() => void)[] = [];
  const line: Line = {
    terminal,
    port,
    far: '',
    near: '',
    until: (condition) =>
      new Promise((resolve) => {
        const look = () => {
          if (condition()) resolve();
          else looks.push(look);
        };
        look();
      }),
  };
  const heard = () => {
    const due = looks;
    looks = [];
    for (const look of due) look();
  };
  terminal.onData((bytes) => {
    line.far += Buffer.from(bytes).toString('latin1');
    heard();
  });
  port.on('data', (bytes: Buffer) => {
    line.near += bytes.toString('latin1');
    heard();
  });
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
  onTestFinished(async () => {
    if (port.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
  });
  return line;
}

/** More than the kernel takes for a reader that does not read. */
const muchText = 'much text '.repeat(10_000);

/** Writes more than there is room for; the answer is kept until it is asked for. */
function writeTooMuch({ terminal, port }: Line): { outcome: Promise<Error | null>; isOver(): boolean } {
  let over = false;
  terminal.pause();
  const outcome = new Promise<Error | null>((resolve) => {
    port.write(muchText, (error) => {
      over = true;
      resolve(error ?? null);
    });
  });
  return { outcome, isOver: () => over };
}

test('every byte value passes unchanged in both directions', async () => {
  const line = await openLine();
  const everyByte = Buffer.from(Uint8Array.from({ length: 256 }, (_, value) => value));
  line.port.write(everyByte);
  line.terminal.write(everyByte);
  await line.until(() => line.far.length === 256 && line.near.length === 256);
  expect(line.far).toBe(everyByte.toString('latin1'));
  expect(line.near).toBe(everyByte.toString('latin1'));
});

test('a write that waits for room is not forgotten when bytes arrive meanwhile', async () => {
  const line = await openLine();
  const write = writeTooMuch(line);
  for (const letter of 'abcdefgh') {
    line.terminal.write(Buffer.from(letter));
    await line.until(() => line.near.endsWith(letter));
  }
  expect(write.isOver()).toBe(false);
  line.terminal.resume();
  expect(await write.outcome).toBe(null);
  await line.until(() => line.far.length === muchText.length);
  expect(line.far).toBe(muchText);
});

test('drain waits for a write that waits for room', async () => {
  const line = await openLine();
  const write = writeTooMuch(line);
  const drained = new Promise<boolean>((resolve) => line.port.drain(() => resolve(write.isOver())));
  line.terminal.resume();
  expect(await drained).toBe(true);
});

test('a port that is closed while a write waits answers that write', async () => {
  const line = await openLine();
  const write = writeTooMuch(line);
  line.port.on('error', () => {});
  await new Promise<void>((resolve) => line.port.close(() => resolve()));
  expect((await write.outcome)?.message).toBe('the port is closed');
});

test('a hang-up is the loss of the port, at once and once, read under way or not', async () => {
  const reading = await openLine();
  const lost = once(reading.port, 'close');
  reading.terminal.close();
  expect((await lost)[0]).toMatchObject({ disconnected: true });

  const paused = await openLine();
  paused.port.pause();
  paused.terminal.write(Buffer.from('x'));
  paused.terminal.close();
  let closings = 0;
  paused.port.on('close', () => closings++);
  const closed = once(paused.port, 'close');
  paused.port.resume();
  await closed;
  expect(closings).toBe(1);
});

test('a port that is not there is refused with its path', async () => {
  const port = new PromptSerialPort({ path: '/dev/understudy-no-such-port', baudRate: 9600 });
  const refused = await new Promise<Error | null>((resolve) => port.open(resolve));
  expect(refused?.message).toMatch(/No such file or directory.*\/dev\/understudy-no-such-port/);
});
