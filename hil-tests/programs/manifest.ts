/**
 * The control programs that every rig runs, and what each of them needs and shows.
 *
 * They are written as a user writes them: nothing in `fixtures/` knows of the pair. Each file opens with a comment
 * that says what it does, followed by what it needs (`// plant:`, `// chips:`, `// devices:`, `// stdin:`), so that a
 * program stays runnable by hand; `programs.test.ts` holds this list and those comments to each other.
 *
 * They are chatty on purpose: every one of them writes to its device at least every 300 ms or so, so that a board that is
 * killed at a random moment dies in the middle of something.
 */
import { fileURLToPath } from 'node:url';

export interface ProgramExpectation {
  /** Seen on standard output within `activityDeadlineMs` of an undisturbed run. */
  stdout?: RegExp;
  /** Firmata messages that actuate or ask a chip (not: queries of the handshake), at least this many by then. */
  outputsMin: number;
  /** The program ends by itself, with this code. Programs without it run until they are stopped. */
  exitCode?: number;
}

export interface ProgramEntry {
  /** Relative to `fixtures/`. */
  file: string;
  /** What stands behind the pins of the Uno: the bench (knob, buttons, chips), the water tank, or no Uno at all. */
  plant: 'bench' | 'tank' | 'none';
  /** `kind@address` for I2C (hexadecimal), `kind@pin` for the others; see device.ts. */
  chips?: readonly string[];
  /** Plain devices on further ports, `kind@path`: `nmea` sends a position often, `lines` answers each line with one. */
  devices?: readonly string[];
  /** Typed at start. Standard input stays open afterwards: a REPL ends the program at end of file. */
  stdin?: string;
  expectation: ProgramExpectation;
}

/** An undisturbed program has met its expectation by then, on a busy machine. */
export const activityDeadlineMs = 20_000;

export function programPath(entry: ProgramEntry): string {
  return fileURLToPath(new URL(`./fixtures/${entry.file}`, import.meta.url));
}

export const programs: readonly ProgramEntry[] = [
  {
    file: 'accelerometer-adxl345.js',
    plant: 'bench',
    chips: ['adxl345@0x53'],
    expectation: { stdout: /x -?[\d.]+ y/m, outputsMin: 20 },
  },
  {
    file: 'accelerometer.js',
    plant: 'bench',
    expectation: { stdout: /inclination|shaken/m, outputsMin: 20 },
  },
  { file: 'animation-leds.js', plant: 'bench', expectation: { stdout: /show 1 over/m, outputsMin: 60 } },
  { file: 'animation-servos.js', plant: 'bench', expectation: { stdout: /wave at \d+/m, outputsMin: 40 } },
  { file: 'async-await.js', plant: 'bench', expectation: { stdout: /clear/m, outputsMin: 20 } },
  {
    file: 'barometer.js',
    plant: 'bench',
    chips: ['bmp180@0x77'],
    expectation: { stdout: /[\d.]+ kPa/m, outputsMin: 20 },
  },
  { file: 'blink.js', plant: 'bench', expectation: { outputsMin: 15 } },
  { file: 'board-loop.js', plant: 'bench', expectation: { stdout: /round 2, pins 20/m, outputsMin: 30 } },
  { file: 'board-wait.js', plant: 'bench', expectation: { stdout: /sending 1/m, outputsMin: 20 } },
  { file: 'button.js', plant: 'bench', expectation: { stdout: /press 2/m, outputsMin: 40 } },
  {
    file: 'compass.js',
    plant: 'bench',
    chips: ['hmc5883l@0x1e'],
    expectation: { stdout: /heading \d+ \w+/m, outputsMin: 15 },
  },
  { file: 'config-file.js', plant: 'bench', expectation: { stdout: /right starts over/m, outputsMin: 40 } },
  {
    file: 'date-scheduler.js',
    plant: 'bench',
    expectation: { stdout: /\d\d:\d\d:\d\d valve 2/m, outputsMin: 30 },
  },
  {
    file: 'encoder.js',
    plant: 'bench',
    chips: ['encoder@2-4'],
    expectation: { stdout: /count -?\d/m, outputsMin: 20 },
  },
  {
    file: 'exit-handler.js',
    plant: 'bench',
    expectation: { stdout: /process exit 3/m, outputsMin: 60, exitCode: 3 },
  },
  {
    file: 'expander.js',
    plant: 'bench',
    chips: ['mcp23017@0x20'],
    expectation: { stdout: /switch 11 is 0/m, outputsMin: 30 },
  },
  { file: 'file-log-append.js', plant: 'bench', expectation: { stdout: /20 rows/m, outputsMin: 10 } },
  { file: 'file-log-stream.js', plant: 'bench', expectation: { stdout: /closed with/m, outputsMin: 30 } },
  { file: 'file-log-sync.js', plant: 'bench', expectation: { stdout: /saved 20 times/m, outputsMin: 10 } },
  {
    file: 'gps-serial.js',
    plant: 'bench',
    devices: ['nmea@/dev/ttyUSB1'],
    expectation: { stdout: /fix 2: 5\d\.\d{5}, /m, outputsMin: 20 },
  },
  {
    file: 'greenhouse/main.ts',
    plant: 'bench',
    expectation: { stdout: /(heat|vent|rest) after 20/m, outputsMin: 20 },
  },
  { file: 'hrtime-spin.js', plant: 'bench', expectation: { stdout: /10 trains/m, outputsMin: 60 } },
  { file: 'immediate-loop.js', plant: 'bench', expectation: { stdout: /duty 0\.3/m, outputsMin: 30 } },
  {
    file: 'imu-mpu6050.js',
    plant: 'bench',
    chips: ['mpu6050@0x68'],
    expectation: { stdout: /a -?[\d.]+ .*°C/m, outputsMin: 20 },
  },
  {
    file: 'keypad.js',
    plant: 'bench',
    chips: ['keypad@A0'],
    expectation: { stdout: /key ./m, outputsMin: 20 },
  },
  {
    file: 'lcd-i2c.js',
    plant: 'bench',
    chips: ['pcf8574@0x27'],
    expectation: { stdout: /bars \d/m, outputsMin: 40 },
  },
  { file: 'lcd-parallel.js', plant: 'bench', expectation: { stdout: /shown 0\.75/m, outputsMin: 60 } },
  { file: 'led-fade.js', plant: 'bench', expectation: { stdout: /cold|warm/m, outputsMin: 40 } },
  {
    file: 'led-matrix-ht16k33.js',
    plant: 'bench',
    chips: ['ht16k33@0x70'],
    expectation: { stdout: /20 drops/m, outputsMin: 60 },
  },
  { file: 'led-matrix.js', plant: 'bench', expectation: { stdout: /frame 5/m, outputsMin: 60 } },
  { file: 'led-pulse.js', plant: 'bench', expectation: { outputsMin: 40 } },
  { file: 'leds-collection.js', plant: 'bench', expectation: { stdout: /round 4/m, outputsMin: 60 } },
  { file: 'motor-pwm.js', plant: 'bench', expectation: { stdout: /reverse/m, outputsMin: 20 } },
  { file: 'pid.js', plant: 'tank', expectation: { stdout: /level [\d.]+ %, demand/m, outputsMin: 20 } },
  { file: 'piezo-song.js', plant: 'bench', expectation: { stdout: /tempo 180/m, outputsMin: 20 } },
  {
    file: 'proximity-hcsr04.js',
    plant: 'bench',
    chips: ['hcsr04@7'],
    expectation: { stdout: /[\d.]+ cm, /m, outputsMin: 15 },
  },
  { file: 'random-walk.js', plant: 'bench', expectation: { stdout: /step 20 at/m, outputsMin: 40 } },
  {
    file: 'raw-serial.js',
    plant: 'none',
    devices: ['lines@/dev/ttyUSB1'],
    expectation: { stdout: /asked 10/m, outputsMin: 20 },
  },
  {
    file: 'relay-joystick.js',
    plant: 'bench',
    expectation: { stdout: /(left|right|up|down) on/m, outputsMin: 20 },
  },
  { file: 'repl.js', plant: 'bench', expectation: { stdout: /try: dim/m, outputsMin: 30 } },
  { file: 'rgb-cycle.js', plant: 'bench', expectation: { stdout: /round 1/m, outputsMin: 40 } },
  {
    file: 'sensor-scale.js',
    plant: 'bench',
    expectation: { stdout: /raw \d+, scaled \d+/m, outputsMin: 30 },
  },
  { file: 'servo-continuous.js', plant: 'bench', expectation: { stdout: /turn at 0/m, outputsMin: 30 } },
  { file: 'servo-sweep.js', plant: 'bench', expectation: { stdout: /at \d+ degrees/m, outputsMin: 30 } },
  { file: 'seven-segment.js', plant: 'bench', expectation: { stdout: /^5$/m, outputsMin: 40 } },
  { file: 'shift-register.js', plant: 'bench', expectation: { stdout: /end reached/m, outputsMin: 40 } },
  { file: 'state-machine.js', plant: 'bench', expectation: { stdout: /spin -> fill/m, outputsMin: 20 } },
  {
    file: 'stdin-commands.js',
    plant: 'bench',
    stdin: 'on\nstatus\nblink 60\nstatus\n',
    expectation: { stdout: /lamp blinks/m, outputsMin: 30 },
  },
  { file: 'stepper.js', plant: 'bench', expectation: { stdout: /quarter 3 cw/m, outputsMin: 10 } },
  { file: 'streams.js', plant: 'bench', expectation: { stdout: /line mean=[\d.]+/m, outputsMin: 20 } },
  { file: 'temporal-queue.js', plant: 'bench', expectation: { stdout: /sequence 2/m, outputsMin: 20 } },
  {
    file: 'thermometer-ds18b20.js',
    plant: 'bench',
    chips: ['ds18b20@2'],
    expectation: { stdout: /\d °C at sensor 0x/m, outputsMin: 20 },
  },
  { file: 'thermometer-lm35.js', plant: 'bench', expectation: { stdout: /\d+\.\d °C/m, outputsMin: 20 } },
  { file: 'timers.js', plant: 'bench', expectation: { stdout: /nested 10/m, outputsMin: 40 } },
  { file: 'top-level-await.mjs', plant: 'bench', expectation: { stdout: /burst 4: mean/m, outputsMin: 4 } },
];

/** The programs of `examples/`, in the same terms. */
export const examples: readonly ProgramEntry[] = [
  {
    file: '../../../examples/clock-display.js',
    plant: 'bench',
    chips: ['pcf8574@0x27'],
    expectation: { stdout: /\d\d:\d\d:\d\d/m, outputsMin: 60 },
  },
  {
    file: '../../../examples/data-logger.js',
    plant: 'bench',
    expectation: { stdout: /25 rows/m, outputsMin: 20 },
  },
  {
    file: '../../../examples/plant-watering.js',
    plant: 'bench',
    expectation: { stdout: /gulp 1/m, outputsMin: 5 },
  },
  {
    file: '../../../examples/servo-sweep.js',
    plant: 'bench',
    expectation: { stdout: /stopped at \d+/m, outputsMin: 20 },
  },
  {
    file: '../../../examples/tank.js',
    plant: 'tank',
    expectation: { stdout: /valve on[\s\S]*pump on/, outputsMin: 100 },
  },
  {
    file: '../../../examples/thermostat.js',
    plant: 'bench',
    chips: ['ds18b20@2'],
    expectation: { stdout: /heater off/m, outputsMin: 2 },
  },
];
