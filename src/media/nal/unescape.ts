/**
 * The raw byte sequence payload of a NAL unit: the bytes after its header with every emulation prevention byte
 * (the 3 of `00 00 03`) taken out (ITU-T H.264 §7.4.1, H.265 §7.4.2).
 */
export function unescapeNal(nal: Uint8Array, headerBytes: number): Uint8Array {
  const rbsp = new Uint8Array(Math.max(0, nal.length - headerBytes));
  let length = 0;
  let zeros = 0;
  for (let index = headerBytes; index < nal.length; index++) {
    const byte = nal[index] as number;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    rbsp[length++] = byte;
  }
  return rbsp.subarray(0, length);
}

/** Whether `bytes[startIndex, startIndex + known.length)` equals `known`. */
export function matchesBytes(bytes: Uint8Array, startIndex: number, known: Uint8Array): boolean {
  for (let index = 0; index < known.length; index++) {
    if (bytes[startIndex + index] !== known[index]) return false;
  }
  return true;
}

/** How many bytes of `nal` from `startIndex` on, a NAL unit's payload, hold the first `payloadBytes` of it unescaped. */
export function escapedLength(nal: Uint8Array, startIndex: number, payloadBytes: number): number {
  let index = startIndex;
  let zeros = 0;
  for (let left = payloadBytes; left > 0 && index < nal.length; index++) {
    const byte = nal[index] as number;
    const isEscape = zeros >= 2 && byte === 3;
    zeros = byte === 0 ? zeros + 1 : 0;
    if (!isEscape) left--;
  }
  return index - startIndex;
}

/** Puts an emulation prevention byte wherever two zeros are followed by 3 or less (ITU-T H.264 §7.4.1). */
export function escapeNal(bytes: Uint8Array): Uint8Array {
  const escaped = new Uint8Array(bytes.length + Math.ceil(bytes.length / 2));
  let length = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte <= 3) {
      escaped[length++] = 3;
      zeros = 0;
    }
    escaped[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return escaped.subarray(0, length);
}
