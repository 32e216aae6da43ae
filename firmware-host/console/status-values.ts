/** The names of what `watch` can tell, and their values: every figure of a status that is one word. */
import type { StatusOnConsole } from './console-schema.ts';

export type StatusValue = number | string | boolean | null;

/**
 * `role`, `lagTurns`, `ethernet.roundTripMs`, `/dev/ttyACM0.confirmed`, `/dev/ttyACM0.D13`: a link's or device's own
 * figures stand behind its name. Names come in the order of the status.
 */
export function valuesOf(status: StatusOnConsole): Map<string, StatusValue> {
  const values = new Map<string, StatusValue>();
  const { links, devices, ...board } = status;
  put(values, '', board);
  for (const { name, discarded, ...link } of links) {
    put(values, `${name}.`, link);
    const total = Object.values(discarded).reduce((sum, count) => sum + count, 0);
    values.set(`${name}.discarded`, total);
  }
  for (const { name, pins, ...device } of devices) {
    put(values, `${name}.`, device);
    for (const pin of pins ?? []) values.set(`${name}.${pin.name}`, pin.value);
  }
  return values;
}

function put(values: Map<string, StatusValue>, prefix: string, from: object): void {
  for (const [key, value] of Object.entries(from)) {
    if (value === null || ['number', 'string', 'boolean'].includes(typeof value)) {
      values.set(`${prefix}${key}`, value as StatusValue);
    }
  }
}
