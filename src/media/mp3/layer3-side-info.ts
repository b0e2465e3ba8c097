import { BitReader } from "../bytes/bit-reader.ts";
import type { MpegAudioHeader } from "./mpeg-audio-header.ts";

/** Bytes of layer III side information after the header and the optional CRC. */
export function sideInfoSizeBytes(header: MpegAudioHeader): number {
  if (header.version === 1) return header.channelCount === 1 ? 17 : 32;
  return header.channelCount === 1 ? 9 : 17;
}

/**
 * Evidence in bits that a layer III side information (ISO/IEC 11172-3 §2.4.1.7, 13818-3 §2.4.1.7) stands at
 * `startIndex`; undefined where it cannot. The caller has seen to it that `sideInfoSizeBytes` bytes are there.
 */
export function layer3SideInfoEvidence(
  bytes: Uint8Array,
  startIndex: number,
  header: MpegAudioHeader,
): number | undefined {
  const reader = new BitReader(bytes, startIndex, startIndex + sideInfoSizeBytes(header));
  const isMpeg1 = header.version === 1;
  const mainDataBegin = reader.bits(isMpeg1 ? 9 : 8);
  reader.skip(isMpeg1 ? (header.channelCount === 1 ? 5 : 3) : header.channelCount);
  if (isMpeg1) reader.skip(4 * header.channelCount);
  const partCount = (isMpeg1 ? 2 : 1) * header.channelCount;
  let mainDataBits = 0;
  let evidenceBits = 0;
  for (let part = 0; part < partCount; part++) {
    mainDataBits += reader.bits(12);
    const isGood = skipGranuleChannel(reader, isMpeg1);
    if (!isGood) return undefined;
    evidenceBits += 1.2; // big_values ≤ 288 of 511, and the tables and block types that do not exist
  }
  const overheadBytes = 4 + (header.hasCrc ? 2 : 0) + sideInfoSizeBytes(header);
  const capacityBits = (mainDataBegin + Math.max(0, header.frameSizeBytes - overheadBytes)) * 8;
  if (header.frameSizeBytes > 0) {
    if (mainDataBits > capacityBits) return undefined;
    evidenceBits += -Math.log2(Math.max(2 ** -20, sumOfUniformsBelow(partCount, capacityBits / 4096)));
  }
  return evidenceBits;
}

/** Reads one granule of one channel after part2_3_length; false where a field has a value no encoder may write. */
function skipGranuleChannel(reader: BitReader, isMpeg1: boolean): boolean {
  if (reader.bits(9) > 288) return false;
  reader.skip(8 + (isMpeg1 ? 4 : 9));
  if (reader.flag()) {
    if (reader.bits(2) === 0) return false;
    reader.skip(1);
    if (isForbiddenTable(reader.bits(5)) || isForbiddenTable(reader.bits(5))) return false;
    reader.skip(9);
  } else {
    for (let region = 0; region < 3; region++) if (isForbiddenTable(reader.bits(5))) return false;
    reader.skip(7);
  }
  reader.skip(isMpeg1 ? 3 : 2);
  return true;
}

/** Huffman tables 4 and 14 do not exist (ISO/IEC 11172-3 Table B.7). */
function isForbiddenTable(table: number): boolean {
  return table === 4 || table === 14;
}

/** Chance that the sum of `count` numbers, uniform on [0, 1), is at most `limit` (the Irwin–Hall distribution). */
function sumOfUniformsBelow(count: number, limit: number): number {
  if (limit >= count) return 1;
  let sum = 0;
  let term = 1;
  let factorial = 1;
  for (let i = 1; i <= count; i++) factorial *= i;
  for (let k = 0; k <= Math.floor(limit); k++) {
    sum += term * (limit - k) ** count;
    term = (-term * (count - k)) / (k + 1);
  }
  return sum / factorial;
}
