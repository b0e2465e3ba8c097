import { readFileSync, writeFileSync } from "node:fs";

/** From the type of a `tkhd` box of version 0 (ISO/IEC 14496-12 §8.3.2). */
const MATRIX = 44;
const WIDTH = 80;
/** How much later they stand in version 1. */
const LONG_TIMES = 12;
const ONE = 1 << 16;

/** Has players turn the pictures of an MP4 by 90 degrees, clockwise. ffmpeg's options for it are others in each version. Throws where no track has a size. */
export function turnPictures(path: string): void {
  const bytes = readFileSync(path);
  let turned = 0;
  for (let at = bytes.indexOf("tkhd"); at !== -1; at = bytes.indexOf("tkhd", at + 4)) {
    const shift = bytes[at + 4] === 1 ? LONG_TIMES : 0;
    const height = bytes.readUInt32BE(at + WIDTH + 4 + shift);
    if (height === 0) continue;
    const matrix = [0, ONE, 0, -ONE, 0, 0, height, 0, 1 << 30];
    for (const [index, value] of matrix.entries()) bytes.writeInt32BE(value | 0, at + MATRIX + shift + 4 * index);
    turned++;
  }
  if (turned === 0) throw new Error(`${path} has no track with a size.`);
  writeFileSync(path, bytes);
}
