/** What the device says about itself: versions, capabilities, analog mapping, pin states. */
import type { BoardProfile } from '../profile.ts';
import { command, protocolMajor, protocolMinor, sysex, toPairs } from './messages.ts';
import type { Pin } from './pins.ts';

const endOfPin = 0x7f;
const notAnalog = 0x7f;

export function versionReport(): number[] {
  return [command.reportVersion, protocolMajor, protocolMinor];
}

/** Firmware name and version, data of sysex 0x79. */
export function firmwareReport(profile: BoardProfile): number[] {
  const name = [...profile.firmwareName].map((character) => character.charCodeAt(0) & 0x7f);
  return [profile.firmwareMajor, profile.firmwareMinor, ...toPairs(name)];
}

/** For each pin pairs of mode and resolution, closed by 0x7f. */
export function capabilityResponse(profile: BoardProfile): number[] {
  const data: number[] = [];
  for (const pin of profile.pins) {
    for (const { mode, resolutionBits } of pin.capabilities) data.push(mode, resolutionBits);
    data.push(endOfPin);
  }
  return data;
}

/** For each pin its analog channel or 0x7f. */
export function analogMappingResponse(profile: BoardProfile): number[] {
  return profile.pins.map((pin) => pin.analogChannel ?? notAnalog);
}

/** Pin, mode and what was last written (the pull-up for inputs), low seven bits first. */
export function pinStateResponse(pin: Pin): number[] {
  const data = [pin.number, pin.mode, pin.value & 0x7f];
  if (pin.value >= 0x80) data.push((pin.value >> 7) & 0x7f);
  if (pin.value >= 0x4000) data.push((pin.value >> 14) & 0x7f);
  return data;
}

/** The queries among the sysexes: response id and data, or null when `id` is no (valid) query. */
export function answerQuery(
  id: number,
  data: Uint8Array,
  profile: BoardProfile,
  pins: readonly Pin[],
): { id: number; data: number[] } | null {
  switch (id) {
    case sysex.firmware:
      return { id, data: firmwareReport(profile) };
    case sysex.capabilityQuery:
      return { id: sysex.capabilityResponse, data: capabilityResponse(profile) };
    case sysex.analogMappingQuery:
      return { id: sysex.analogMappingResponse, data: analogMappingResponse(profile) };
    case sysex.pinStateQuery: {
      const pin = pins[data[0] ?? -1];
      return pin === undefined ? null : { id: sysex.pinStateResponse, data: pinStateResponse(pin) };
    }
    default:
      return null;
  }
}
