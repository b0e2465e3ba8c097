import type { BoxReader } from "./box-reader.ts";
import { openBoxes } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";

/** The elementary stream descriptor of `mp4a`, `mp4v` and `mp4s`, ISO/IEC 14496-1 §7.2.6. */
export interface ElementaryStreamDescriptor {
  /** 0x40 AAC, 0x20 MPEG-4 visual, 0x6b MP3, 0x6c JPEG, … */
  readonly objectType: number;
  /** 4 visual, 5 audio. */
  readonly streamType: number;
  readonly maxBitsPerSecond: number;
  readonly averageBitsPerSecond: number;
  /** AudioSpecificConfig and the like; empty where the stream has none. */
  readonly decoderSpecificInfo: Uint8Array;
}

/** Reads `esds`. Throws MEDIA_MALFORMED where a descriptor is missing or ends early. */
export function parseEsds(box: BoxReader): ElementaryStreamDescriptor {
  box.versionAndFlags();
  expectTag(box, 3);
  box.skip(2);
  const flags = box.u8();
  if (flags & 0x80) box.skip(2);
  if (flags & 0x40) box.skip(box.u8());
  if (flags & 0x20) box.skip(2);
  expectTag(box, 4);
  const objectType = box.u8();
  const streamType = box.u8() >> 2;
  box.skip(3);
  const maxBitsPerSecond = box.u32();
  const averageBitsPerSecond = box.u32();
  const hasInfo = box.bytesLeft > 0 && box.bytes[box.endIndex - box.bytesLeft] === 5;
  const infoBytes = hasInfo ? expectTag(box, 5) : 0;
  // Some recorders announce more than the box holds: what is there is the configuration.
  const decoderSpecificInfo = box.take(Math.min(infoBytes, box.bytesLeft)).slice();
  return { objectType, streamType, maxBitsPerSecond, averageBitsPerSecond, decoderSpecificInfo };
}

/** Parses the payload of an `esds` kept in `SampleEntry.children`. Throws MEDIA_MALFORMED as `parseEsds` does. */
export function parseEsdsPayload(payload: Uint8Array): ElementaryStreamDescriptor {
  const box = serializeFullBox("esds", 0, 0, payload.subarray(4));
  const [reader] = openBoxes(box, "esds");
  return parseEsds(reader as BoxReader);
}

/** Writes `esds` with ES_ID 0 and an SL descriptor of the predefined MP4 kind. */
export function serializeEsds(descriptor: ElementaryStreamDescriptor): Uint8Array {
  const info = descriptor.decoderSpecificInfo;
  const infoBytes = info.length > 0 ? 5 + info.length : 0;
  const fields = new FieldWriter(64 + info.length);
  writeTag(fields, 3, 3 + 5 + 13 + infoBytes + 6);
  fields.u16(0);
  fields.u8(0);
  writeTag(fields, 4, 13 + infoBytes);
  fields.u8(descriptor.objectType);
  fields.u8((descriptor.streamType << 2) | 1);
  fields.u24(0);
  fields.u32(descriptor.maxBitsPerSecond);
  fields.u32(descriptor.averageBitsPerSecond);
  if (info.length > 0) {
    writeTag(fields, 5, info.length);
    fields.bytes(info);
  }
  writeTag(fields, 6, 1);
  fields.u8(2);
  return serializeFullBox("esds", 0, 0, fields.finish());
}

function expectTag(box: BoxReader, tag: number): number {
  const found = box.u8();
  if (found !== tag) throw box.fail(`descriptor ${tag} is expected, ${found} found`);
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = box.u8();
    length = length * 128 + (byte & 0x7f);
    if (byte < 0x80) break;
  }
  return length;
}

function writeTag(fields: FieldWriter, tag: number, length: number): void {
  fields.u8(tag);
  for (let shift = 21; shift > 0; shift -= 7) fields.u8(0x80 | ((length >>> shift) & 0x7f));
  fields.u8(length & 0x7f);
}
