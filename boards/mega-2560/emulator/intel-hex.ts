/**
 * Intel hex (Intel's "Hexadecimal Object File Format Specification", revision A, 1988) to program memory: what
 * avr-objcopy writes and avrdude flashes. Every line is checked, because a half-copied file must not become a firmware.
 */

export type HexFault =
  | 'HEX_LINE_MALFORMED'
  | 'HEX_CHECKSUM'
  | 'HEX_RECORD_TYPE'
  | 'HEX_TOO_LARGE'
  | 'HEX_NO_END'
  | 'HEX_EMPTY';

export type HexResult =
  | { kind: 'program'; bytes: Uint8Array; usedBytes: number }
  | { kind: 'fault'; fault: HexFault; line: number; text: string };

const dataRecord = 0;
const endRecord = 1;
const segmentAddressRecord = 2;
const segmentStartRecord = 3;
const linearAddressRecord = 4;
const linearStartRecord = 5;
const headerBytes = 5;
const erased = 0xff;

/** `memoryBytes`: size of the program memory; what no line fills stays erased (0xff). */
export function parseIntelHex(text: string, memoryBytes: number): HexResult {
  const bytes = new Uint8Array(memoryBytes).fill(erased);
  let base = 0;
  let usedBytes = 0;
  let dataBytes = 0;
  const lines = text.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const fault = (code: HexFault, what: string): HexResult => ({
      kind: 'fault',
      fault: code,
      line: index + 1,
      text: what,
    });
    const record = recordOf(line);
    if (record === null) return fault('HEX_LINE_MALFORMED', 'a line is ":" and an even number of hex digits');
    const sum = record.reduce((total, byte) => (total + byte) & 0xff, 0);
    if (sum !== 0) return fault('HEX_CHECKSUM', `the bytes of a line add up to 0 modulo 256 (got ${sum})`);
    const address = (record[1]! << 8) | record[2]!;
    const data = record.subarray(4, record.length - 1);
    switch (record[3]) {
      case dataRecord: {
        const end = base + address + data.length;
        if (end > memoryBytes)
          return fault('HEX_TOO_LARGE', `program memory has ${memoryBytes} bytes (byte ${end} wanted)`);
        bytes.set(data, base + address);
        usedBytes = Math.max(usedBytes, end);
        dataBytes += data.length;
        break;
      }
      case endRecord:
        if (dataBytes === 0) return fault('HEX_EMPTY', 'the file ends before any data');
        return { kind: 'program', bytes, usedBytes };
      case segmentAddressRecord:
      case linearAddressRecord:
        if (data.length !== 2) return fault('HEX_LINE_MALFORMED', 'an address record carries two bytes');
        base = ((data[0]! << 8) | data[1]!) * (record[3] === linearAddressRecord ? 0x1_0000 : 16);
        break;
      case segmentStartRecord:
      case linearStartRecord:
        break;
      default:
        return fault('HEX_RECORD_TYPE', `record types are 0..5 (got ${record[3]})`);
    }
  }
  return { kind: 'fault', fault: 'HEX_NO_END', line: lines.length, text: 'the end record is missing' };
}

/** Length, address, type, data and checksum; null when it is no line of this format. */
function recordOf(line: string): Uint8Array | null {
  if (!/^:(?:[0-9A-Fa-f]{2}){5,}$/.test(line)) return null;
  const record = Uint8Array.from({ length: (line.length - 1) / 2 }, (_, index) =>
    Number.parseInt(line.slice(1 + 2 * index, 3 + 2 * index), 16),
  );
  return record[0] === record.length - headerBytes ? record : null;
}
