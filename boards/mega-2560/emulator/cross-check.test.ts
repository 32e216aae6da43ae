/**
 * A second opinion: the same firmware, the same bytes at the same moments, on our emulator and on libsimavr, an independent
 * one in C. What the firmware answers must be the same, byte for byte, on all its lines.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ControllerMessage, encodeStreamMessage } from '../../../protocol/device-stream/frames.ts';
import { parseIntelHex } from './intel-hex.ts';
import { Mega2560 } from './machine.ts';
import { programBytes } from './registers.ts';

const firmwareFile = fileURLToPath(new URL('../firmware/understudy-mega-2560.hex', import.meta.url));
const runnerSource = fileURLToPath(new URL('./simavr-runner.c', import.meta.url));
const clockHz = 16_000_000;
const cyclesPerMs = clockHz / 1000;
const bitsPerSecond = 115_200;
/** One after the other on the line, and a little more: simavr takes a byte whenever it is given one. */
const byteCycles = Math.ceil((10.5 * clockHz) / bitsPerSecond);

interface ScriptByte {
  cycle: number;
  uart: number;
  byte: number;
}

/** The capabilities of 70 pins, or the console's report, at 115200 baud and with room to spare. */
const longAnswerMs = 200;
const setPinMode = 0xf4;
const pinStateQuery = (pin: number): number[] => [0xf0, 0x6d, pin, 0xf7];
const capabilityQuery = [0xf0, 0x6b, 0xf7];
const firmwareQuery = [0xf0, 0x79, 0xf7];
const analogMappingQuery = [0xf0, 0x69, 0xf7];

/**
 * A controller on each line: attach, outputs, the queries with long answers, a takeover, a stale frame, a damaged frame, a
 * message cut in two, and the console. Far enough apart that neither emulator's notion of an instruction's length matters.
 */
function session(): { script: ScriptByte[]; endCycle: number } {
  const script: ScriptByte[] = [];
  let ms = 120;
  const bytes = (uart: number, content: Iterable<number>) => {
    let cycle = ms * cyclesPerMs;
    for (const byte of content) {
      script.push({ cycle, uart, byte });
      cycle += byteCycles;
    }
    ms += 50;
  };
  const say = (uart: number, message: ControllerMessage) => bytes(uart, encodeStreamMessage(message));
  let offset = 0;
  const data = (uart: number, term: number, content: readonly number[]) => {
    say(uart, { kind: 'data', term, offset, bytes: Uint8Array.from(content) });
    offset += content.length;
  };
  say(1, { kind: 'query' });
  say(2, { kind: 'query' });
  say(1, { kind: 'attach', term: 1, session: 1, inputs: 0 });
  data(1, 1, [setPinMode, 13, 1, 0xf5, 13, 1]);
  data(1, 1, firmwareQuery);
  say(1, { kind: 'input-ack', term: 1, offset: 44 });
  data(1, 1, analogMappingQuery);
  data(1, 1, pinStateQuery(13));
  data(1, 1, [setPinMode, 9, 3, 0xe9, 0x40, 0x00]);
  data(1, 1, pinStateQuery(9));
  data(1, 1, [setPinMode, 6, 4, 0xe6, 0x5a, 0x00]);
  say(2, { kind: 'attach', term: 2, session: 1, inputs: 0 });
  say(1, { kind: 'data', term: 1, offset, bytes: Uint8Array.of(0xf5, 13, 0) });
  say(2, { kind: 'resend', term: 2, offset: 0 });
  say(2, { kind: 'data', term: 2, offset: offset + 5, bytes: Uint8Array.of(1, 2, 3) });
  const damaged = encodeStreamMessage({ kind: 'keepalive', term: 2 });
  damaged[2] = damaged[2]! ^ 0x10;
  bytes(2, damaged);
  data(2, 2, capabilityQuery.slice(0, 2));
  data(2, 2, capabilityQuery.slice(2));
  ms += longAnswerMs;
  say(2, { kind: 'keepalive', term: 2 });
  bytes(0, [0x3f, 0x0a]);
  ms += longAnswerMs;
  say(2, { kind: 'release', term: 2 });
  ms += 100;
  return { script, endCycle: ms * cyclesPerMs };
}

type Answers = Record<number, string>;

/** How deep the stack ever was: it depends on where exactly an interrupt fell, to the instruction. */
const stackDepth = /stack_unused=\d+/;

function answersOf(bytes: readonly { uart: number; byte: number }[]): Answers {
  return Object.fromEntries(
    [0, 1, 2].map((uart) => {
      const sent = bytes.filter((each) => each.uart === uart).map(({ byte }) => byte);
      const text = Buffer.from(sent).toString('latin1').replace(stackDepth, 'stack_unused=?');
      return [uart, Buffer.from(text, 'latin1').toString('hex')];
    }),
  );
}

function onOurs(script: readonly ScriptByte[], endCycle: number): Answers {
  const parsed = parseIntelHex(readFileSync(firmwareFile, 'utf8'), programBytes);
  if (parsed.kind === 'fault') throw new Error(parsed.text);
  const machine = new Mega2560({ program: parsed.bytes, startUpMs: 0 });
  const sent: { uart: number; byte: number }[] = [];
  machine.onSerialOut((uart, byte) => sent.push({ uart, byte }));
  for (const { cycle, uart, byte } of script) machine.serialIn(uart, byte, { cycle, bitsPerSecond });
  machine.runUntil(endCycle);
  expect([...machine.complaints]).toEqual([]);
  return answersOf(sent);
}

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'understudy-simavr-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a scripted session on libsimavr gives the same bytes on every line', {
  timeout: 120_000,
}, (context) => {
  const runner = join(directory, 'simavr-runner');
  const built = spawnSync('gcc', ['-O1', '-o', runner, runnerSource, '-lsimavr'], { encoding: 'utf8' });
  if (built.status !== 0) {
    return context.skip(
      `no second emulator: gcc with libsimavr-dev is needed (${built.stderr ?? built.error})`,
    );
  }
  const { script, endCycle } = session();
  const input = script.map(({ cycle, uart, byte }) => `${cycle} ${uart} ${byte}\n`).join('');
  const run = spawnSync(runner, [firmwareFile, String(endCycle)], {
    input,
    encoding: 'utf8',
    timeout: 100_000,
  });
  expect(run.status, run.stderr).toBe(0);
  const theirs = answersOf(
    run.stdout
      .split('\n')
      .filter((line) => /^\d \d+$/.test(line))
      .map((line) => ({ uart: Number(line.split(' ')[0]), byte: Number(line.split(' ')[1]) })),
  );
  const ours = onOurs(script, endCycle);
  expect(ours[2]!.length).toBeGreaterThan(1000);
  expect(ours).toEqual(theirs);
});
