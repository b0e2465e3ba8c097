import type { BitReader } from "../bytes/bit-reader.ts";

/** Passes over scaling_list() of `entries` deltas (ITU-T H.264 §7.3.2.1.1.1): the list ends early where a scale becomes 0. */
function skipAvcScalingList(reader: BitReader, entries: number): void {
  let lastScale = 8;
  for (let index = 0; index < entries; index++) {
    const nextScale = (lastScale + reader.se() + 256) & 0xff;
    if (nextScale === 0) return;
    lastScale = nextScale;
  }
}

/** Passes over `listCount` optional scaling lists: six of 4×4, then 8×8. */
export function skipAvcScalingMatrix(reader: BitReader, listCount: number): void {
  for (let index = 0; index < listCount; index++) {
    if (reader.flag()) skipAvcScalingList(reader, index < 6 ? 16 : 64);
  }
}
