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

function writeTag(fields: FieldWriter, tag: number, length: number): void {
  fields.u8(tag);
  for (let shift = 21; shift > 0; shift -= 7) fields.u8(0x80 | ((length >>> shift) & 0x7f));
  fields.u8(length & 0x7f);
}
