import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";

/** Finds Motion JPEG B packets (`mjpb`), whose fields state their length. All are sync samples. */
export interface MjpegBProbe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/** Bytes of a field's header that are looked at. */
const HEADER_BYTES = 40;
/** Longest field that is believed. */
const MAX_FIELD_BYTES = 64 * 1024 * 1024;

/**
 * A probe for Motion JPEG B (QuickTime File Format, "Motion-JPEG Format B"): `mjpg` at +4, field size, padded field
 * size, offset of the second field or 0, then offsets of the tables, which lie within the field.
 */
export function createMjpegBProbe(): MjpegBProbe {
  return {
    probe(bytes, startIndex, endIndex) {
      if (endIndex - startIndex < HEADER_BYTES) return { kind: "more", neededBytes: HEADER_BYTES };
      const first = readField(bytes, startIndex);
      if (first === undefined) return NO_PACKET;
      const evidenceBits = 32 + 30;
      if (first.nextFieldOffset === 0) {
        return { kind: "packet", sizeBytes: first.paddedSizeBytes, evidenceBits, isSync: true };
      }
      const secondIndex = startIndex + first.nextFieldOffset;
      if (secondIndex + HEADER_BYTES > endIndex) {
        return { kind: "more", neededBytes: first.nextFieldOffset + HEADER_BYTES };
      }
      const second = readField(bytes, secondIndex);
      if (second === undefined) return NO_PACKET;
      const sizeBytes = first.nextFieldOffset + second.paddedSizeBytes;
      return { kind: "packet", sizeBytes, evidenceBits: evidenceBits * 2, isSync: true };
    },
  };
}

function readField(
  bytes: Uint8Array,
  index: number,
): { readonly paddedSizeBytes: number; readonly nextFieldOffset: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + index, HEADER_BYTES);
  if (view.getUint32(4) !== 0x6d6a7067) return undefined;
  const fieldSizeBytes = view.getUint32(8);
  const paddedSizeBytes = view.getUint32(12);
  const nextFieldOffset = view.getUint32(16);
  if (fieldSizeBytes < HEADER_BYTES || fieldSizeBytes > paddedSizeBytes || paddedSizeBytes > MAX_FIELD_BYTES) {
    return undefined;
  }
  if (nextFieldOffset !== 0 && (nextFieldOffset < fieldSizeBytes || nextFieldOffset > MAX_FIELD_BYTES))
    return undefined;
  for (let at = 20; at < HEADER_BYTES; at += 4) if (view.getUint32(at) >= fieldSizeBytes) return undefined;
  return { paddedSizeBytes, nextFieldOffset };
}
