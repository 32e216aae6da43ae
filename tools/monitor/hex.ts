/** Bytes for eyes: `68 65 6c 6c 6f 0d 0a        hello..`. */
export function hexLines(bytes: Uint8Array, bytesPerLine = 16): string[] {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; start += bytesPerLine) {
    const part = [...bytes.subarray(start, start + bytesPerLine)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = part
      .map((byte) => (byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.'))
      .join('');
    lines.push(`${hex.padEnd(3 * bytesPerLine)} ${text}`);
  }
  return lines;
}
