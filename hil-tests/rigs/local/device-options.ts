/** The options of the simulated device's process, checked once at its door. */
import { z } from 'zod';

const port = z.int().min(0).max(1);

export const deviceOptionsSchema = z.strictObject({
  /** `fenced`: the stream of protocol/README.md §12 on both ports. `plain`: Firmata straight through, both ports equal. */
  mode: z.enum(['fenced', 'plain']).default('fenced'),
  board: z.enum(['uno', 'mega-2560']).default('uno'),
  plant: z.enum(['water-tank', 'bench', 'none']).default('water-tank'),
  /** Seed of the plant's noise. */
  seed: z.int().min(0).max(0xffff_ffff).default(1),
  baudRate: z.int().min(1200).max(4_000_000).default(115_200),
  holdTimeMs: z.int().min(10).max(60_000).default(1000),
  windowBytes: z.int().min(64).max(4096).default(256),
  inputRingBytes: z.int().min(64).max(65_535).default(1024),
  /** Keeps term, port and session over a restart of this process, as the EEPROM of a real device does. */
  stateFile: z.string().min(1).optional(),
  /** Symbolic links to the two pseudo-terminals. */
  linkPaths: z.tuple([z.string().min(1), z.string().min(1)]).optional(),
  /** How often pins and plant are reported. */
  reportIntervalMs: z.int().min(10).max(60_000).default(100),
});

export type DeviceOptions = z.infer<typeof deviceOptionsSchema>;

export const deviceCommandSchema = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('restart') }),
  z.strictObject({
    command: z.literal('plant'),
    action: z.literal('press-button'),
    durationMs: z.int().min(10).max(60_000).default(150),
  }),
  z.strictObject({ command: z.literal('close-port'), port }),
  z.strictObject({ command: z.literal('open-port'), port }),
  /** Sends text to the program: something that every Firmata program can be watched to receive. */
  z.strictObject({ command: z.literal('send-string'), text: z.string().max(60) }),
  z.strictObject({ command: z.literal('stop') }),
]);

export type DeviceCommand = z.infer<typeof deviceCommandSchema>;
