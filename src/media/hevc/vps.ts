import { BitReader } from "../bytes/bit-reader.ts";
import { unescapeNal } from "../nal/unescape.ts";
import { type HevcProfile, parseProfileTierLevel } from "./profile-tier-level.ts";
import { type HevcTiming, readHevcTiming } from "./vui.ts";

/** A video parameter set (ITU-T H.265 §7.3.2.1), the parts that repair uses. */
export interface HevcVps extends HevcProfile {
  /** vps_video_parameter_set_id, 0–15. */
  readonly id: number;
  /** Layers of the whole stream, 1–63; more than 1 in MV-HEVC and SHVC. */
  readonly maxLayers: number;
  readonly maxSubLayers: number;
  readonly timing: HevcTiming | undefined;
}

const MAX_LAYER_SETS = 1024;

/** Parses a VPS NAL unit, header bytes first. Throws MEDIA_MALFORMED where the bits run out. */
export function parseHevcVps(nal: Uint8Array): HevcVps {
  const reader = new BitReader(unescapeNal(nal, 2));
  const id = reader.bits(4);
  reader.skip(2); // vps_base_layer_internal_flag, vps_base_layer_available_flag
  const maxLayers = reader.bits(6) + 1;
  const maxSubLayersMinus1 = reader.bits(3);
  reader.skip(1 + 16); // vps_temporal_id_nesting_flag, vps_reserved_0xffff_16bits
  const profile = parseProfileTierLevel(reader, maxSubLayersMinus1);
  const first = reader.flag() ? 0 : maxSubLayersMinus1;
  for (let layer = first; layer <= maxSubLayersMinus1; layer++) {
    for (let field = 0; field < 3; field++) reader.ue();
  }
  const maxLayerId = reader.bits(6);
  const layerSets = Math.min(MAX_LAYER_SETS, reader.ue());
  for (let set = 0; set < layerSets; set++) reader.skip(maxLayerId + 1);
  const timing = reader.flag() ? readHevcTiming(reader) : undefined;
  return { ...profile, id, maxLayers, maxSubLayers: maxSubLayersMinus1 + 1, timing };
}
