/**
 * A program's history in virtual time: as a board would have recorded it, in a small part of the time.
 *
 * A real replica's process runs the real program; the simulated device and its plant live in the same virtual time.
 * Neither links nor files nor clocks take part, so an hour of a program is a minute or two.
 */
import { WaterTank } from '../../boards/plants/water-tank.ts';
import { SimulatedFirmata } from '../../boards/simulated/firmata.ts';
import { unoProfile } from '../../boards/uno/profile.ts';
import {
  decodeOutputs,
  type JournalRecord,
  type ReplicaEvent,
  type StartEvent,
  turnsOf,
} from '../../protocol/record.ts';
import { type Answer, ReplayProcess } from '../replay/replay-process.ts';

type Done = Extract<Answer, { kind: 'done' }>;

export const historyBeginsUs = 1_800_000_000_000_000;
const answerMsMax = 20_000;
const startEvent: StartEvent = {
  kind: 'start',
  seed: '000102030405060708090a0b0c0d0e0f',
  argv: [],
  env: { TZ: 'UTC' },
  hostname: 'pair',
  ports: ['/dev/ttyACM0'],
  stdinIsTerminal: false,
};

export function replicaProcessOf(code: string, programFile: string): ReplayProcess {
  const options = { code, programFile, sourceMap: '', timeZone: 'UTC', locale: 'en-US', inspect: null };
  return new ReplayProcess({ ...options, answerMsMax });
}

export class FastForward {
  readonly #replica: ReplayProcess;
  readonly #device = new SimulatedFirmata({ profile: unoProfile, plant: new WaterTank() });
  #toProgram: number[] = [];
  #timeUs = historyBeginsUs;
  #wakeAtUs: number | null = null;
  #turn = 0;
  readonly records: JournalRecord[] = [];

  constructor(code: string, programFile: string) {
    this.#replica = replicaProcessOf(code, programFile);
    this.#device.onTransmit = (bytes) => this.#toProgram.push(...bytes);
  }

  get turns(): number {
    return this.#turn;
  }

  stop(): Promise<void> {
    return this.#replica.stop();
  }

  /** Goes on to so long after the beginning. Throws when the program ends or fails. */
  async runTo(durationMs: number): Promise<void> {
    if (this.#turn === 0) {
      const ready = await this.#replica.next();
      if (ready.kind !== 'ready')
        throw new Error(`the replica's process did not begin: ${JSON.stringify(ready)}`);
      await this.#perform(startEvent);
    }
    const endUs = historyBeginsUs + durationMs * 1000;
    for (;;) {
      if (this.#toProgram.length > 0) {
        await this.#perform({
          kind: 'port-data',
          port: 0,
          bytes: Uint8Array.from(this.#toProgram.splice(0)),
        });
        continue;
      }
      const deviceAtMs = this.#device.nextWakeAt;
      const deviceAtUs =
        deviceAtMs === null ? Number.POSITIVE_INFINITY : historyBeginsUs + Math.ceil(deviceAtMs * 1000);
      const nextUs = Math.min(deviceAtUs, this.#wakeAtUs ?? Number.POSITIVE_INFINITY);
      if (nextUs > endUs) return;
      this.#timeUs = Math.max(this.#timeUs, nextUs);
      this.#device.tick(this.#deviceMs);
      const isDue = this.#wakeAtUs !== null && this.#wakeAtUs <= this.#timeUs;
      if (this.#toProgram.length === 0 && isDue) await this.#perform({ kind: 'time' });
    }
  }

  get #deviceMs(): number {
    return (this.#timeUs - historyBeginsUs) / 1000;
  }

  async #perform(event: ReplicaEvent): Promise<void> {
    const turn = this.#turn++;
    this.#replica.send({
      kind: 'turn',
      mode: 'perform',
      turn,
      timeUs: this.#timeUs,
      event,
      values: new Uint8Array(0),
    });
    const done = await this.#replica.next();
    if (done.kind !== 'done') throw new Error(`turn ${turn}: ${JSON.stringify(done)}`);
    this.#timeUs = Math.max(this.#timeUs, done.endUs);
    this.#wakeAtUs = done.wakeAtUs;
    this.#record(event, done);
    for (const output of decodeOutputs(done.outputs)) {
      if (output.kind === 'write') this.#device.receive(this.#deviceMs, output.bytes);
      else if (output.kind === 'request') {
        await this.#perform({ kind: 'completed', request: output.request, ok: true, result: 'null' });
        if (output.operation === 'open') this.#device.opened(this.#deviceMs);
      } else if (output.kind === 'exit') throw new Error(`the program ended itself with code ${output.code}`);
    }
  }

  /** Turns without effect are run-length coded, as on a board (firmware-host/supervisor/record-log.ts). */
  #record(event: ReplicaEvent, done: Done): void {
    const { startUs: timeUs, values, digest } = done;
    const hasOutputs = done.outputs.length > 0;
    const last = this.records.at(-1);
    if (event.kind !== 'time' || hasOutputs || values.length > 0) {
      this.records.push({ kind: 'turn', timeUs, event, values, hasOutputs, digest: hasOutputs ? digest : 0 });
    } else if (last?.kind === 'idle' && last.count === 1) {
      Object.assign(last, { stepUs: timeUs - last.timeUs, count: 2 });
    } else if (last?.kind === 'idle' && last.timeUs + last.count * last.stepUs === timeUs) last.count += 1;
    else this.records.push({ kind: 'idle', timeUs, stepUs: 0, count: 1 });
  }
}

export function turnsIn(records: readonly JournalRecord[]): number {
  return records.reduce((sum, record) => sum + turnsOf(record), 0);
}
