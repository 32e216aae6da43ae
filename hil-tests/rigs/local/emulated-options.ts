/** The options and commands of the emulated device's process, checked once at its door. */
import { z } from 'zod';
import { deviceCommandSchema } from './device-options.ts';

/** The speed that the firmware sets up on all its lines. */
export const firmwareBaudRate = 115_200;

export const emulatedOptionsSchema = z.strictObject({
  /** The firmware is the fence: there is no plain mode. */
  mode: z.literal('fenced').default('fenced'),
  plant: z.enum(['water-tank', 'bench', 'none']).default('water-tank'),
  /** Seed of the plant's noise and of what the RAM holds at power-on. */
  seed: z.int().min(0).max(0xffff_ffff).default(1),
  baudRate: z.literal(firmwareBaudRate).default(firmwareBaudRate),
  /** Built into the firmware: another than that of the committed one needs avr-gcc and make. */
  holdTimeMs: z.int().min(10).max(60_000).default(1000),
  /** An Intel hex instead of the committed firmware. */
  firmwareFile: z.string().min(1).optional(),
  /** The EEPROM, 4096 bytes: keeps term and session over a restart of this process. */
  stateFile: z.string().min(1).optional(),
  /** Symbolic links to the two pseudo-terminals. */
  linkPaths: z.tuple([z.string().min(1), z.string().min(1)]).optional(),
  /** Makes a pseudo-terminal of the USB console (UART0) too, with a symbolic link to it here. */
  consoleLinkPath: z.string().min(1).optional(),
  /** How often pins and plant are reported. */
  reportIntervalMs: z.int().min(10).max(60_000).default(100),
});

export type EmulatedOptions = z.infer<typeof emulatedOptionsSchema>;

/** All commands of the simulated device, and what only a machine can suffer. */
export const emulatedCommandSchema = z.discriminatedUnion('command', [
  ...deviceCommandSchema.options,
  /** The supply fails for so long: RAM gone, an EEPROM write in progress torn. */
  z.strictObject({ command: z.literal('power-cycle'), offMs: z.int().min(1).max(60_000).default(100) }),
  /** The clock stops for so long; the pins stay as they are. */
  z.strictObject({ command: z.literal('freeze'), durationMs: z.int().min(1).max(600_000) }),
]);

export type EmulatedCommand = z.infer<typeof emulatedCommandSchema>;
