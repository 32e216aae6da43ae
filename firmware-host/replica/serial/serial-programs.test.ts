import { buildSync } from 'esbuild';
import { afterEach, describe, expect, test } from 'vitest';
import type { Output, RequestOutput } from '../../../protocol/record.ts';
import { expectEqualReplay, replicaOf, stopReplicas } from '../recorded-run.fake.ts';
import { serveFirmata } from '../scripted-firmata.fake.ts';
import { type ScriptedSupervisor, startUs } from '../scripted-supervisor.fake.ts';

afterEach(stopReplicas);

function requestsOf(replica: ScriptedSupervisor): RequestOutput[] {
  return replica.outputs.filter((output) => output.kind === 'request');
}

function writesOf(outputs: Output[], port: number): string {
  const parts = outputs.map((output) =>
    output.kind === 'write' && output.port === port ? output.bytes : [],
  );
  return Buffer.concat(parts.map((part) => Buffer.from(part))).toString();
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function bundled(program: string): string {
  const result = buildSync({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    external: ['serialport', 'firmata'],
  });
  return result.outputFiles[0]!.text;
}

const lines = `
  const { SerialPort, ReadlineParser } = require('serialport');
  const gps = new SerialPort({ path: '/dev/ttyS1', baudRate: 4800 });
  gps.pipe(new ReadlineParser({ delimiter: '\\r\\n' })).on('data', (line) => console.log('line', line));
  gps.on('close', (error) => console.log('closed', error && error.message, error && error.disconnected));
  gps.on('error', (error) => console.log('error', error.message, error.code));`;

describe('a serial port in the shape of version 13', () => {
  test('opens, writes, reads, asks and closes through requests and events', async () => {
    const replica = replicaOf(`${lines}
      gps.on('open', () => {
        gps.write('ping\\n', () => console.log('written'));
        gps.drain(() => console.log('drained'));
        gps.get((error, status) => { console.log('cts', status.cts); gps.update({ baudRate: 9600 }, () => gps.close()); });
      });`);
    await replica.start();
    const [open] = requestsOf(replica);
    expect(open).toMatchObject({ request: 0, operation: 'open', port: 0 });
    expect(JSON.parse(open!.argument)).toMatchObject({ path: '/dev/ttyS1', baudRate: 4800, dataBits: 8 });
    const completed = (request: number, result: unknown) =>
      replica.perform(startUs + 1000, {
        kind: 'completed',
        request,
        ok: true,
        result: JSON.stringify(result),
      });
    await completed(0, null);
    expect(writesOf(replica.outputs, 0)).toBe('ping\n');
    expect(requestsOf(replica).map((request) => request.operation)).toEqual(['open', 'drain', 'get']);
    await replica.perform(startUs + 2000, { kind: 'port-data', port: 0, bytes: bytes('$GPGGA,1\r\n$GP') });
    await replica.perform(startUs + 3000, { kind: 'port-data', port: 0, bytes: bytes('RMC\r\n') });
    await completed(1, null);
    await completed(2, { cts: true, dsr: false, dcd: false });
    await completed(3, null);
    const last = await completed(4, null);
    expect(requestsOf(replica).at(-1)).toMatchObject({ operation: 'close', port: 0 });
    expect(replica.consoleText).toBe(
      'written\nline $GPGGA,1\nline $GPRMC\ndrained\ncts true\nclosed null null\n',
    );
    expect(last.alive).toBe(false);
    expect(replica.exitCode).toBe(0);
  });

  test('a failed opening is an error with its code, and the next port has another number', async () => {
    const replica = replicaOf(`${lines}
      gps.once('error', () => new SerialPort({ path: '/dev/ttyS2', baudRate: 4800 }));`);
    await replica.start();
    const result = JSON.stringify({ message: 'Error: Cannot lock port', code: 'EAGAIN' });
    await replica.perform(startUs + 1, { kind: 'completed', request: 0, ok: false, result });
    expect(replica.consoleText).toBe('error Error: Cannot lock port EAGAIN\n');
    expect(requestsOf(replica)[1]).toMatchObject({ operation: 'open', port: 1, request: 1 });
  });

  test('a lost port closes with a disconnect error', async () => {
    const replica = replicaOf(lines);
    await replica.start();
    await replica.perform(startUs + 1, { kind: 'completed', request: 0, ok: true, result: 'null' });
    const done = await replica.perform(startUs + 2, { kind: 'port-lost', port: 0, reason: 'unplugged' });
    expect(replica.consoleText).toBe('closed unplugged true\n');
    expect(done.alive).toBe(false);
  });

  test('writing stops at the end of the credit and goes on when there is more', async () => {
    const replica = replicaOf(`${lines}
      gps.write(Buffer.alloc(65536 + 1000, 'x'), () => console.log('all written'));`);
    await replica.start();
    await replica.perform(startUs + 1, { kind: 'completed', request: 0, ok: true, result: 'null' });
    expect(writesOf(replica.outputs, 0)).toHaveLength(65536);
    await replica.perform(startUs + 2, { kind: 'port-credit', port: 0, bytes: 600 });
    expect(writesOf(replica.outputs, 0)).toHaveLength(66136);
    expect(replica.consoleText).toBe('');
    await replica.perform(startUs + 3, { kind: 'port-credit', port: 0, bytes: 600 });
    expect(writesOf(replica.outputs, 0)).toHaveLength(66536);
    expect(replica.consoleText).toBe('all written\n');
  });
});

describe('a serial port in the shape of version 8', () => {
  test('is constructed with a path, called or not, and has parsers and list()', async () => {
    const replica = replicaOf(`
      const SerialPort = require('serialport');
      const port = SerialPort('/dev/ttyACM0', (error) => console.log('opened', error));
      const other = new SerialPort('/dev/ttyS1', { baudRate: 115200, autoOpen: false });
      const parser = port.pipe(new SerialPort.parsers.Readline());
      parser.on('data', (line) => console.log(line));
      console.log(port instanceof SerialPort, port instanceof SerialPort.SerialPort, port.baudRate, other.isOpen);
      SerialPort.list().then((ports) => console.log(ports.map((entry) => entry.path).join()));`);
    await replica.start();
    await replica.perform(startUs + 1, { kind: 'completed', request: 0, ok: true, result: 'null' });
    await replica.perform(startUs + 2, { kind: 'port-data', port: 0, bytes: bytes('level 3\n') });
    expect(replica.consoleText).toBe('true true 9600 false\n/dev/ttyACM0\nopened null\nlevel 3\n');
  });
});

describe('johnny-five, unmodified', () => {
  const program = bundled(`
    const five = require('johnny-five');
    const board = new five.Board();
    board.on('ready', () => {
      new five.Led(13).blink(50);
      new five.Animation(new five.Servo(9)).enqueue({ duration: 200, cuePoints: [0, 1], keyFrames: [{ degrees: 10 }, { degrees: 90 }] });
      new five.Sensor('A0').on('change', (value) => console.log('sensor', value));
    });`);

  test('finds its board, blinks, animates, and replays with the same digests', async () => {
    const primary = replicaOf(program);
    await primary.start();
    const written = await serveFirmata(primary, { untilUs: startUs + 600_000, announces: true });
    expect(primary.consoleText).toContain('Available');
    expect(primary.consoleText).toContain('Repl');
    const blinks = written.filter((message) => message[0] === 0xf5 || (message[0]! & 0xf0) === 0x90);
    expect(blinks.length).toBeGreaterThanOrEqual(5);
    const servo = written.filter((message) => (message[0]! & 0xf0) === 0xe0);
    expect(servo.length).toBeGreaterThan(3);

    await expectEqualReplay(program, primary);
  });

  test('leaves the program when the REPL reaches the end of stdin, as on a single board', async () => {
    const replica = replicaOf(program);
    await replica.start();
    await serveFirmata(replica, { untilUs: startUs + 200_000, announces: true });
    await replica.perform(replica.endUs, { kind: 'stdin-end' });
    await replica.runUntil(replica.endUs + 2_000_000);
    expect(replica.consoleText).toContain('Closing.');
    expect(replica.exitCode).toBe(0);
  });

  test('asks a silent device for its version within a second', async () => {
    const replica = replicaOf(
      `const { Board } = require('firmata'); new Board('/dev/ttyACM0', () => { console.log('ready'); process.exit(0); });`,
    );
    await replica.start();
    await serveFirmata(replica, { untilUs: startUs + 1_000_000, announces: false });
    expect(replica.consoleText).toBe('ready\n');
  });
});
