import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import { DNXHD_HEADER_BYTES, parseDnxhdHeader } from "./coding-unit.ts";

/** What is known of a track's frames; a field left out is not checked. */
export interface DnxhdConstraints {
  readonly compressionId?: number;
  readonly widthPixels?: number;
  /** Constant length of the reference's packets; overrides what the compression id says. */
  readonly packetSizeBytes?: number;
}

/** Finds VC-3 frames, one per sample (both fields where interlaced) and all sync samples. */
export interface DnxhdProbe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/** Bounds of an unknown compression id: the header, and 8K 4:4:4 at the highest known rate. */
const MIN_SIZE_BYTES = 8192;
const MAX_SIZE_BYTES = 32 * 1024 * 1024;

/** A probe for DNxHD and DNxHR (SMPTE ST 2019-1). */
export function createDnxhdProbe(constraints: DnxhdConstraints = {}): DnxhdProbe {
  return {
    probe(bytes, startIndex, endIndex) {
      const visibleBytes = endIndex - startIndex;
      if (visibleBytes > 0 && bytes[startIndex] !== 0) return NO_PACKET;
      if (visibleBytes > 1 && bytes[startIndex + 1] !== 0) return NO_PACKET;
      if (visibleBytes < DNXHD_HEADER_BYTES) return { kind: "more", neededBytes: DNXHD_HEADER_BYTES };
      const header = parseDnxhdHeader(bytes, startIndex);
      if (header === undefined) return NO_PACKET;
      const { compressionId, widthPixels } = constraints;
      if (compressionId !== undefined && compressionId !== header.compressionId) return NO_PACKET;
      if (widthPixels !== undefined && widthPixels !== header.widthPixels) return NO_PACKET;
      const sizeBytes = constraints.packetSizeBytes ?? header.frameSizeBytes;
      // Header size and version 38, bit depth 1.4, CID 24 (32 when known), width 16 when known.
      const evidenceBits = 63 + (compressionId === undefined ? 0 : 8) + (widthPixels === undefined ? 0 : 16);
      if (sizeBytes === undefined) {
        return { kind: "open", minSizeBytes: MIN_SIZE_BYTES, maxSizeBytes: MAX_SIZE_BYTES, evidenceBits, isSync: true };
      }
      const isWithTrailer = isTrailer(bytes, startIndex + sizeBytes - 4, endIndex);
      return { kind: "packet", sizeBytes, evidenceBits: evidenceBits + (isWithTrailer ? 32 : 0), isSync: true };
    },
  };
}

/** A coding unit ends with the end-of-frame mark `60 0D C0 DE` (ST 2019-1 §7). */
function isTrailer(bytes: Uint8Array, index: number, endIndex: number): boolean {
  return (
    index + 4 <= endIndex &&
    bytes[index] === 0x60 &&
    bytes[index + 1] === 0x0d &&
    bytes[index + 2] === 0xc0 &&
    bytes[index + 3] === 0xde
  );
}
