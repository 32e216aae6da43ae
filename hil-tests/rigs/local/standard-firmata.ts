/**
 * A StandardFirmata for the Mega, built where the test runs and never kept: a third party's firmware, whose licence and bytes stay
 * out of this repository.
 *
 *     npm package node-pixel (Firmata's Arduino library as it was published) --.
 *                                                                               >-- avr-g++ --> StandardFirmata.hex
 *     Debian package arduino-core-avr (core, Wire) ----------------------------'
 *
 * Neither brings the Servo library that the sketch includes: a stand-in takes its calls and moves nothing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const npmPackage = 'node-pixel@0.11.0';
const libraryInPackage = 'package/firmware/src/libs/firmata/arduino';
const arduino = '/usr/share/arduino/hardware/arduino/avr';
const stepMsMax = 120_000;

const servoStandIn = `#pragma once
#define MAX_SERVOS 48
class Servo {
  bool isAttached = false;
 public:
  void attach(int) { isAttached = true; }
  void attach(int, int, int) { isAttached = true; }
  void detach() { isAttached = false; }
  void write(int) {}
  bool attached() { return isAttached; }
};
`;

export type StandardFirmata =
  | { kind: 'built'; hexFile: string }
  /** Something is not on this machine and cannot be had: no fault of the firmware. */
  | { kind: 'missing'; reason: string };

/** In `folder`, which is the caller's to remove. Throws when what is there does not build. */
export function buildStandardFirmata(folder: string): StandardFirmata {
  for (const tool of ['avr-gcc', 'avr-g++', 'avr-objcopy']) {
    if (spawnSync(tool, ['--version'], { stdio: 'ignore' }).status !== 0) {
      return { kind: 'missing', reason: 'needs Debian packages gcc-avr and avr-libc' };
    }
  }
  const core = join(arduino, 'cores/arduino');
  if (!existsSync(core)) return { kind: 'missing', reason: 'needs Debian package arduino-core-avr' };
  const packed = spawnSync('npm', ['pack', npmPackage, '--silent', '--pack-destination', folder], {
    cwd: folder,
    encoding: 'utf8',
    timeout: stepMsMax,
  });
  const archive = packed.stdout?.trim().split('\n').at(-1) ?? '';
  if (packed.status !== 0 || archive === '') {
    return { kind: 'missing', reason: `npm cannot fetch ${npmPackage}, which carries Firmata's sources` };
  }
  must(folder, 'tar', ['xzf', join(folder, archive), libraryInPackage]);
  return { kind: 'built', hexFile: compile(folder, core, join(folder, libraryInPackage)) };
}

function compile(folder: string, core: string, library: string): string {
  const wire = join(arduino, 'libraries/Wire/src');
  const objects = join(folder, 'objects');
  mkdirSync(objects);
  writeFileSync(join(folder, 'Servo.h'), servoStandIn);
  const sketch = join(folder, 'StandardFirmata.cpp');
  const text = readFileSync(join(library, 'examples/StandardFirmata/StandardFirmata.ino'), 'utf8');
  writeFileSync(sketch, `#include <Arduino.h>\n${text}`);
  const include = [core, join(arduino, 'variants/mega'), wire, join(wire, 'utility'), folder, library];
  const flags = [
    '-mmcu=atmega2560',
    '-DF_CPU=16000000L',
    '-DARDUINO=10819',
    '-DARDUINO_AVR_MEGA2560',
    '-DARDUINO_ARCH_AVR',
    // avr-libc's float.h has it in C only.
    '-DDECIMAL_DIG=__DECIMAL_DIG__',
    ...['-Os', '-w', '-ffunction-sections', '-fdata-sections'],
    ...include.map((each) => `-I${each}`),
  ];
  const inFolder = (where: string, ending: RegExp): string[] =>
    readdirSync(where)
      .filter((name) => ending.test(name))
      .map((name) => join(where, name));
  const sources = [
    ...inFolder(core, /\.(cpp|c|S)$/),
    ...inFolder(wire, /\.cpp$/),
    ...inFolder(join(wire, 'utility'), /\.c$/),
    ...inFolder(library, /\.cpp$/),
    sketch,
  ];
  for (const [index, source] of sources.entries()) {
    const object = join(objects, `${index}-${basename(source)}.o`);
    const isPlusPlus = source.endsWith('.cpp');
    const dialect = isPlusPlus
      ? ['-std=gnu++11', '-fno-exceptions', '-fno-threadsafe-statics', '-fpermissive']
      : source.endsWith('.S')
        ? ['-x', 'assembler-with-cpp']
        : ['-std=gnu11'];
    must(folder, isPlusPlus ? 'avr-g++' : 'avr-gcc', [...flags, ...dialect, '-c', source, '-o', object]);
  }
  const elf = join(folder, 'StandardFirmata.elf');
  const hexFile = join(folder, 'StandardFirmata.hex');
  const linked = inFolder(objects, /\.o$/);
  must(folder, 'avr-gcc', ['-mmcu=atmega2560', '-Os', '-Wl,--gc-sections', ...linked, '-lm', '-o', elf]);
  must(folder, 'avr-objcopy', ['-O', 'ihex', '-R', '.eeprom', elf, hexFile]);
  return hexFile;
}

function must(cwd: string, program: string, words: string[]): void {
  const { status, stderr } = spawnSync(program, words, { cwd, encoding: 'utf8', timeout: stepMsMax });
  if (status !== 0) throw new Error(`${program} ended with code ${status}: ${stderr}`);
}
