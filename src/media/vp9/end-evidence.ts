import type { Vp9Model } from "./model.ts";
import { parseSuperframeIndex } from "./superframe.ts";

/**
 * log2 of how much likelier it is that a packet which starts at `packetStart` ends at `packetEnd` than that any bytes
 * stand there: by the superframe index, whose sizes must add up, else by the zeros that the coder's flush leaves. May
 * be negative. `minSizeBytes` is what the start said; shorter packets get −64.
 */
export function vp9EndEvidenceBits(
  bytes: Uint8Array,
  packetStart: number,
  packetEnd: number,
  model: Vp9Model,
  minSizeBytes = 1,
): number {
  if (packetEnd - packetStart < minSizeBytes) return IMPOSSIBLE_BITS;
  const index = parseSuperframeIndex(bytes, packetStart, packetEnd);
  if (!index) {
    // A last byte that looks like a marker would be misread: encoders add a byte after it.
    const last = bytes[packetEnd - 1] ?? 0;
    if ((last & 0xe0) === 0xc0) return IMPOSSIBLE_BITS;
    return model.tailBits(bytes, packetStart, packetEnd);
  }
  const total = index.frameBytes.reduce((sum, size) => sum + size, 0);
  if (total + index.indexBytes !== packetEnd - packetStart) return IMPOSSIBLE_BITS;
  return 11 + 8 * (index.indexBytes - 2);
}

const IMPOSSIBLE_BITS = -64;
