/** Start code values that matter here (ISO/IEC 14496-2 Table 6-3); the code is the byte after `00 00 01`. */
export const START_CODE = {
  firstVideoObjectLayer: 0x20,
  lastVideoObjectLayer: 0x2f,
  visualObjectSequence: 0xb0,
  userData: 0xb2,
  groupOfVop: 0xb3,
  visualObject: 0xb5,
  vop: 0xb6,
} as const;

/** Index of the next `00 00 01` whose code byte lies within the range too; −1 without one. */
export function findStartCode(bytes: Uint8Array, startIndex: number, endIndex: number): number {
  const last = Math.min(endIndex, bytes.length) - 2;
  let index = startIndex + 2;
  while (index < last + 1) {
    const byte = bytes[index] as number;
    if (byte > 1) index += 3;
    else if (byte === 0) index++;
    else if (bytes[index - 1] === 0 && bytes[index - 2] === 0) return index - 2;
    else index += 3;
  }
  return -1;
}
