import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { parsePesHeader } from "../../src/media/mpegts/pes-header.ts";

/** Of MPEG-TS (ISO/IEC 13818-1 §2.4.3.2). */
const PACKET_BYTES = 188;
/** The one that ffmpeg gives the first stream. */
const VIDEO_PID = 0x100;
/** Where the parts of a PES packet's presentation time stand from its beginning: its lowest bit of each byte, and in which byte (§2.4.3.6). */
const LAYOUT = [
  { byte: 13, lowestBit: 0, shift: 1, bits: 7 },
  { byte: 12, lowestBit: 7, shift: 0, bits: 8 },
  { byte: 11, lowestBit: 15, shift: 1, bits: 7 },
  { byte: 10, lowestBit: 22, shift: 0, bits: 8 },
  { byte: 9, lowestBit: 30, shift: 1, bits: 3 },
];

/** Copies a capture of MPEG-TS with one bit of the presentation times of some pictures turned; pictures count from 0, bits from the lowest of 33, in 90 kHz. Throws where a picture tells no time. */
export function flipTimes(from: string, to: string, flips: readonly (readonly [picture: number, bit: number])[]): void {
  copyFileSync(from, to);
  const bytes = readFileSync(to);
  const begins: number[] = [];
  for (let at = 0; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) {
    const begin = pictureAt(bytes, at);
    if (begin !== undefined) begins.push(begin);
  }
  for (const [picture, bit] of flips) {
    const begin = begins[picture];
    const part = LAYOUT.find(({ lowestBit, bits }) => bit >= lowestBit && bit < lowestBit + bits);
    if (begin === undefined || part === undefined)
      throw new Error(`${from} has no picture ${picture} with a bit ${bit} of time.`);
    const index = begin + part.byte;
    bytes[index] = (bytes[index] as number) ^ (1 << (bit - part.lowestBit + part.shift));
  }
  writeFileSync(to, bytes);
}

/** Where the PES packet of a picture begins in that transport packet; undefined where none with a time does. */
function pictureAt(bytes: Uint8Array, at: number): number | undefined {
  const [, high = 0, low = 0, control = 0, adaptationBytes = 0] = bytes.subarray(at, at + 5);
  const isBeginning = (high & 0x40) !== 0 && ((high & 0x1f) << 8) + low === VIDEO_PID;
  const begin = at + 4 + ((control & 0x20) === 0 ? 0 : 1 + adaptationBytes);
  if (!isBeginning || parsePesHeader(bytes.subarray(begin, at + PACKET_BYTES))?.ptsTicks === undefined)
    return undefined;
  return begin;
}
