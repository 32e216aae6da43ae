/** The commands as a user gives them: against the firmware's machine code on a pseudo-terminal, and a fake avrdude. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openPseudoTerminal, type PseudoTerminal } from '../../hil-tests/rigs/local/pseudo-terminal.ts';
import { buildStandardFirmata } from '../../hil-tests/rigs/local/standard-firmata.ts';
import { type Ended, scratchFolder, startCommand } from '../command-line.test-rig.ts';

const fileOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const hex = fileOf('boards/mega-2560/firmware/understudy-mega-2560.hex');
const version = '1.0.0';

/** A firmware on the emulated Mega; resolves when it runs. */
async function emulated(processFile: string, options: Record<string, unknown>): Promise<void> {
  const child = spawn(
    process.execPath,
    [fileOf(`hil-tests/rigs/local/${processFile}`), '--options', JSON.stringify(options)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.stdin.end();
    await exited;
  });
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the device ended with code ${code}`)));
    // Goes on listening: a device that nobody hears any more would stop at a full pipe.
    lines.on('line', (line) => {
      if (JSON.parse(line).event === 'ready') resolve();
    });
  });
}

/** Our firmware; the path of its console. */
async function mega(): Promise<string> {
  const consoleLinkPath = join(scratchFolder(), 'console');
  await emulated('emulated-device-process.ts', { plant: 'none', consoleLinkPath });
  return consoleLinkPath;
}

/** Something else at the end of the line. */
function other(answer: (terminal: PseudoTerminal, bytes: Uint8Array) => void): string {
  const terminal = openPseudoTerminal();
  onTestFinished(() => terminal.close());
  terminal.onData((bytes) => answer(terminal, bytes));
  return terminal.path;
}

const device = (...words: string[]): Promise<Ended> => startCommand(['device', ...words]).ended;

describe('info', () => {
  test('reads who the machine code is, from its console', async () => {
    const path = await mega();
    const json = await device('info', path, '--json');
    expect([json.code, json.stderr]).toEqual([0, '']);
    const said = JSON.parse(json.stdout);
    expect(said).toMatchObject({ schema: 1, kind: 'device-info', port: path });
    expect(said.warning).toContain('RESET-EN');
    expect(said.info).toMatchObject({
      firmware: version,
      stream: 1,
      term: 0,
      port: null,
      hold_ms: 1000,
      last_reset: 'power',
      lines: { a: { received: 0, overruns: 0 }, b: { received: 0 } },
      other: {},
    });
    expect(said.info.session).toBeGreaterThan(0);
    expect(said.info.stack_unused).toBeGreaterThan(0);
    const table = await device('info', path);
    expect(table.code).toBe(0);
    expect(table.stdout).toMatch(new RegExp(`^session +${said.info.session} \\(boot id\\)$`, 'm'));
    expect(table.stderr).toContain('raises DTR');
  });

  test('asks again when the first question was lost', async () => {
    const path = await mega();
    const real = await device('info', path, '--json');
    const info = JSON.parse(real.stdout).info;
    let questions = 0;
    const line = lineOf(info);
    const lossy = other((terminal, bytes) => {
      if (!Buffer.from(bytes).includes('?')) return;
      questions += 1;
      // The first answer is torn, as by a reset in its middle.
      terminal.write(Buffer.from(questions === 1 ? `${line.slice(0, 200)}\r\n` : `${line}\r\n`));
    });
    const heard = await device('info', lossy, '--json');
    expect(JSON.parse(heard.stdout).info).toEqual(info);
    expect(questions).toBeGreaterThan(1);
  });

  test.each<[string, string, RegExp, (terminal: PseudoTerminal, bytes: Uint8Array) => void]>([
    ['a device that says nothing', 'DEVICE_SILENT', /did not answer within 1000 ms/, () => {}],
    [
      'a device that says something else',
      'DEVICE_GARBLED',
      /begin 24 47 50 47 47 41/,
      (terminal) => terminal.write(Buffer.from('$GPGGA,1\r\n')),
    ],
    [
      'a StandardFirmata',
      'DEVICE_FOREIGN',
      /Firmata 2\.5 at 57600/,
      (terminal, bytes) => {
        if (terminal.baudRate() === 57_600 && bytes.includes(0xf9)) terminal.write(Uint8Array.of(0xf9, 2, 5));
      },
    ],
    [
      'a StandardFirmata that names itself',
      'DEVICE_FOREIGN',
      /Firmata 2\.6, Hi at/,
      (terminal, bytes) => {
        if (bytes.includes(0x79)) terminal.write(Uint8Array.of(0xf0, 0x79, 2, 6, 72, 0, 105, 0, 0xf7));
      },
    ],
  ])('%s', async (_what, code, text, answer) => {
    const ended = await device('info', other(answer), '--timeout', '1000');
    expect(ended.code).toBe(9);
    expect(ended.stdout).toBe('');
    expect(ended.stderr).toContain(`${code}: `);
    expect(ended.stderr).toMatch(text);
  });

  test('a real StandardFirmata, built here, is known for what it is', {
    timeout: 120_000,
  }, async (context) => {
    const folder = scratchFolder();
    const firmware = buildStandardFirmata(folder);
    if (firmware.kind === 'missing') return context.skip(firmware.reason);
    const linkPaths = [join(folder, 'a'), join(folder, 'b')];
    const options = { mode: 'plain', plant: 'none', firmwareFile: firmware.hexFile, linkPaths };
    await emulated('emulated-plain-process.ts', options);
    const ended = await device('info', linkPaths[0]!, '--timeout', '1500');
    expect(ended.code).toBe(9);
    expect(ended.stderr).toMatch(/DEVICE_FOREIGN: .* answers as Firmata 2\.\d/);
  });

  test('a port that is not there, or no port', async () => {
    const missing = await device('info', '/dev/ttyACM99');
    expect(missing.code).toBe(9);
    expect(missing.stderr).toContain('DEVICE_PORT_UNUSABLE: /dev/ttyACM99: does not exist');
    const file = await device('info', hex);
    expect(file.code).toBe(9);
    expect(file.stderr).toContain('is no device');
    expect((await device('info')).code).toBe(2);
    expect((await device('info', '/dev/ttyACM99', '--timeout', '5')).code).toBe(2);
  });
});

/** The line that the values came from. */
function lineOf(info: Record<string, unknown>): string {
  const words = ['understudy', `firmware=${info.firmware}`];
  for (const [key, value] of Object.entries(info)) {
    if (key === 'firmware' || key === 'lines' || key === 'other') continue;
    words.push(`${key}=${value === null ? '-' : typeof value === 'boolean' ? Number(value) : value}`);
  }
  for (const [board, counters] of Object.entries(info.lines as Record<string, Record<string, number>>)) {
    for (const [key, value] of Object.entries(counters)) words.push(`${key}_${board}=${value}`);
  }
  return words.join(' ');
}

/** An avrdude that writes down how it was called, says `text` and ends with `code`. */
function fakeAvrdude(
  code = 0,
  text = 'avrdude done.  Thank you.',
): { env: Record<string, string>; calls(): string[] } {
  const folder = scratchFolder();
  const log = join(folder, 'calls');
  mkdirSync(join(folder, 'bin'));
  const program = join(folder, 'bin', 'avrdude');
  writeFileSync(program, `#!/bin/sh\necho "avrdude $*" >> '${log}'\necho '${text}' >&2\nexit ${code}\n`);
  chmodSync(program, 0o755);
  return {
    env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` },
    calls: () => readFileSync(log, 'utf8').trim().split('\n'),
  };
}

describe('flash', () => {
  const flash = (env: Record<string, string>, ...words: string[]): Promise<Ended> =>
    startCommand(['device', 'flash', ...words], { env }).ended;

  test('calls avrdude, then reads back who answers', async () => {
    const port = await mega();
    const avrdude = fakeAvrdude();
    const ended = await flash(avrdude.env, '--port', port, '--json');
    expect(ended.code).toBe(0);
    const said = JSON.parse(ended.stdout);
    const call = `avrdude -c wiring -p m2560 -P ${port} -b 115200 -D -U flash:w:${hex}:i`;
    expect(avrdude.calls()).toEqual([call]);
    expect(said).toMatchObject({ kind: 'device-flash', dryRun: false, commands: [call], image: { version } });
    expect(said.info).toMatchObject({ firmware: version, term: 0 });
    expect(ended.stderr).toContain('Thank you');
  });

  test('with an ISP programmer the fuses go first, and without a console nothing is read back', async () => {
    const avrdude = fakeAvrdude();
    const ended = await flash(avrdude.env, '--programmer', 'usbasp', '--fuses');
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('not read back');
    const calls = [
      'avrdude -c usbasp -p m2560 -U lfuse:w:0xff:m -U hfuse:w:0xd1:m -U efuse:w:0xfc:m',
      `avrdude -c usbasp -p m2560 -U flash:w:${hex}:i`,
    ];
    expect(avrdude.calls()).toEqual(calls);
    const dry = fakeAvrdude();
    const printed = await flash(dry.env, '--programmer', 'usbasp', '--fuses', '--dry-run');
    expect(printed.stdout.trim().split('\n')).toEqual(calls);
    expect(dry.calls).toThrow('ENOENT');
  });

  test('an avrdude that fails ends it: no second call, nothing read back', async () => {
    const avrdude = fakeAvrdude(1, 'avrdude: ser_open(): permission denied');
    const ended = await flash(avrdude.env, '--programmer', 'usbasp', '--fuses');
    expect(ended.code).toBe(9);
    expect(ended.stderr).toMatch(/DEVICE_FLASH_FAILED: avrdude ended with code 1: this user may not use/);
    expect(avrdude.calls()).toHaveLength(1);
  });

  test('another firmware answers afterwards', async () => {
    const path = await mega();
    const line = lineOf(JSON.parse((await device('info', path, '--json')).stdout).info);
    const old = other((terminal) => terminal.write(Buffer.from(`${line.replace(version, '0.9.0')}\r\n`)));
    const ended = await flash(fakeAvrdude().env, '--port', old);
    expect(ended.code).toBe(9);
    expect(ended.stderr).toMatch(/DEVICE_FLASH_DIFFERS: firmware 1\.0\.0 was flashed, but 0\.9\.0 answers/);
  });

  test('no avrdude, no port', async () => {
    const without = await flash({ PATH: scratchFolder() }, '--programmer', 'usbasp');
    expect(without.code).toBe(12);
    expect(without.stderr).toContain('MACHINE_AVRDUDE: ');
    const avrdude = fakeAvrdude();
    const noPort = await flash(avrdude.env, '--port', '/dev/ttyACM99');
    expect(noPort.code).toBe(9);
    expect(noPort.stderr).toContain('DEVICE_PORT_UNUSABLE');
    expect(avrdude.calls).toThrow('ENOENT');
  });

  test('options that cannot be, and a hex that must not be flashed', async () => {
    const avrdude = fakeAvrdude();
    const folder = scratchFolder();
    const torn = join(folder, 'torn.hex');
    writeFileSync(torn, readFileSync(hex, 'utf8').slice(0, 2000));
    const foreign = join(folder, 'foreign.hex');
    writeFileSync(foreign, ':0400000001020304F2\n:00000001FF\n');
    const long = join(folder, 'long.hex');
    const lines = readFileSync(hex, 'utf8').trimEnd().split('\n');
    // One byte in the bootloader's room: linear address 0x3e000.
    lines.splice(-1, 0, ':020000040003F7', ':01E00000FF20');
    writeFileSync(long, `${lines.join('\n')}\n`);
    for (const [text, ...words] of [
      ['USAGE_ARGUMENT: --fuses needs', '--port', '/dev/null', '--fuses'],
      ['USAGE_ARGUMENT: --programmer wiring needs --port'],
      ['DEVICE_HEX_UNUSABLE: /nowhere.hex cannot be read', '--programmer', 'usbasp', '--hex', '/nowhere.hex'],
      [`DEVICE_HEX_UNUSABLE: ${torn}:`, '--programmer', 'usbasp', '--hex', torn],
      ['is not the firmware of the fenced board', '--programmer', 'usbasp', '--hex', foreign],
      ['must be at most 253952 bytes', '--port', '/dev/null', '--hex', long],
    ]) {
      const ended = await flash(avrdude.env, ...words);
      expect([text, ended.code]).toEqual([text, 2]);
      expect(ended.stderr).toContain(text);
    }
    expect(avrdude.calls).toThrow('ENOENT');
    expect((await flash(avrdude.env, '--programmer', 'usbasp', '--hex', long, '--dry-run')).code).toBe(0);
  });
});
