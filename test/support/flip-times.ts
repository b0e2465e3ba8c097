import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { parsePesHeader } from "../../src/media/mpegts/pes-header.ts";
import { parseTsPacket, TS_PACKET_BYTES } from "../../src/media/mpegts/ts-packet.ts";

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
  /** Views of the bytes. */
  const pictures: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += TS_PACKET_BYTES) {
    const packet = parseTsPacket(bytes, at);
    if (packet?.pid !== VIDEO_PID || !packet.isUnitStart) continue;
    if (parsePesHeader(packet.payload)?.ptsTicks !== undefined) pictures.push(packet.payload);
  }
  for (const [picture, bit] of flips) {
    const header = pictures[picture];
    const part = LAYOUT.find(({ lowestBit, bits }) => bit >= lowestBit && bit < lowestBit + bits);
    if (header === undefined || part === undefined)
      throw new Error(`${from} has no picture ${picture} with a bit ${bit} of time.`);
    header[part.byte] = (header[part.byte] as number) ^ (1 << (bit - part.lowestBit + part.shift));
  }
  writeFileSync(to, bytes);
}
