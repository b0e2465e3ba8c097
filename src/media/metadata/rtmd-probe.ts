import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";

/** Finds Sony's real-time metadata samples (`rtmd`). */
export interface RtmdProbe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

const HEAD = [0x00, 0x1c, 0x01, 0x00] as const;
/** The universal label of the first metadata set follows the head of 28 bytes (SMPTE ST 336). */
const LABEL = [0x06, 0x0e, 0x2b, 0x34] as const;
const LABEL_INDEX = 28;
const MAX_SIZE_BYTES = 64 * 1024;

/**
 * A probe for `rtmd`: a head of 28 bytes that begins `00 1C 01 00`, then metadata sets. `sizeBytes` is the constant
 * size that a reference showed; without it the end is open.
 */
export function createRtmdProbe(sizeBytes?: number): RtmdProbe {
  return {
    probe(bytes, startIndex, endIndex) {
      const visibleBytes = endIndex - startIndex;
      for (let i = 0; i < Math.min(visibleBytes, HEAD.length); i++) {
        if (bytes[startIndex + i] !== HEAD[i]) return NO_PACKET;
      }
      if (visibleBytes < LABEL_INDEX + 4) return { kind: "more", neededBytes: LABEL_INDEX + 4 };
      const hasLabel = LABEL.every((byte, i) => bytes[startIndex + LABEL_INDEX + i] === byte);
      const evidenceBits = 28 + (hasLabel ? 32 : 0);
      if (sizeBytes !== undefined) return { kind: "packet", sizeBytes, evidenceBits, isSync: true };
      return { kind: "open", minSizeBytes: 64, maxSizeBytes: MAX_SIZE_BYTES, evidenceBits, isSync: true };
    },
  };
}
