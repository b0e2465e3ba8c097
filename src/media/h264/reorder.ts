import type { AvcSps } from "./sps.ts";

/** MaxDpbMbs by level_idc (ITU-T H.264 table A-1); level 1b is 9 or, by flag, 11. */
const MAX_DPB_MBS: Readonly<Record<number, number>> = {
  9: 396,
  10: 396,
  11: 900,
  12: 2376,
  13: 2376,
  20: 2376,
  21: 4752,
  22: 8100,
  30: 8100,
  31: 18_000,
  32: 20_480,
  40: 32_768,
  41: 32_768,
  42: 34_816,
  50: 110_400,
  51: 184_320,
  52: 184_320,
  60: 696_320,
  61: 696_320,
  62: 696_320,
};
/** Profiles that constraint_set3_flag turns into their all-intra form, where every picture is shown at once. */
const INTRA_CAPABLE_PROFILES: readonly number[] = [44, 86, 100, 110, 122, 244];
const CONSTRAINT_SET3 = 0x10;
const MAX_DPB_FRAMES = 16;

/**
 * How many frames may precede a frame in decode order and follow it in output order, at most: what the VUI says,
 * else 0 where order cannot change, else the decoded picture buffer's frames (ITU-T H.264 §E.2.1, §A.3.1).
 */
export function maxAvcReorderFrames(sps: AvcSps): number {
  if (sps.poc.type === 2) return 0;
  if (sps.vui?.maxNumReorderFrames !== undefined) return Math.min(MAX_DPB_FRAMES, sps.vui.maxNumReorderFrames);
  if ((sps.constraintFlags & CONSTRAINT_SET3) !== 0 && INTRA_CAPABLE_PROFILES.includes(sps.profileIdc)) return 0;
  const dpbMbs = MAX_DPB_MBS[sps.levelIdc];
  if (dpbMbs === undefined) return MAX_DPB_FRAMES;
  return Math.min(MAX_DPB_FRAMES, Math.floor(dpbMbs / (sps.widthInMbs * sps.frameHeightInMbs)));
}
