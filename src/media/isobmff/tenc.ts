import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";

const KEY_ID_BYTES = 16;

/** How the samples of a track are encrypted where nothing else is told, ISO/IEC 23001-7 §8.2. */
export interface TrackEncryption {
  /** Pattern in blocks of 16 bytes: so many encrypted, then so many clear, 0–15 each; 0 and 0: all are encrypted. */
  readonly cryptBlocks: number;
  readonly skipBlocks: number;
  /** 16 bytes that name the key. */
  readonly keyId: Uint8Array;
  /** 0 where one vector serves all samples, else 8 or 16. */
  readonly perSampleVectorBytes: number;
  /** The initialization vector of every sample, 8 or 16 bytes; undefined where each has its own. */
  readonly constantVector?: Uint8Array;
}

/** Reads `tenc`; undefined where it says that samples are not encrypted. Throws MEDIA_MALFORMED where it ends early. */
export function parseTenc(box: BoxReader): TrackEncryption | undefined {
  const { version } = box.versionAndFlags();
  box.skip(1);
  const pattern = box.u8();
  const isProtected = box.u8() === 1;
  const perSampleVectorBytes = box.u8();
  const keyId = box.take(KEY_ID_BYTES).slice();
  if (!isProtected) return undefined;
  return {
    // Of version 0 the byte is reserved.
    cryptBlocks: version === 0 ? 0 : pattern >>> 4,
    skipBlocks: version === 0 ? 0 : pattern & 15,
    keyId,
    perSampleVectorBytes,
    ...(perSampleVectorBytes === 0 ? { constantVector: box.take(box.u8()).slice() } : {}),
  };
}

/** Writes `tenc` of version 1, which patterns need. Throws INTERNAL where a field does not fit. */
export function serializeTenc(encryption: TrackEncryption): Uint8Array {
  const { cryptBlocks, skipBlocks, keyId, perSampleVectorBytes, constantVector } = encryption;
  const fields = new FieldWriter(40);
  fields.u8(0);
  fields.u8(cryptBlocks * 16 + skipBlocks);
  fields.u8(1);
  fields.u8(perSampleVectorBytes);
  fields.bytes(keyId);
  if (constantVector !== undefined) {
    fields.u8(constantVector.length);
    fields.bytes(constantVector);
  }
  return serializeFullBox("tenc", 1, 0, fields.finish());
}
