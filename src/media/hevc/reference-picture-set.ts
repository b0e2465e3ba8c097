import type { BitInput } from "../nal/bit-input.ts";

/** A short-term reference picture set (ITU-T H.265 §7.4.8): POC differences, nearest first, and whether each is in use. */
export interface ShortTermRefPicSet {
  /** Pictures before the current one in output order: falling, all negative. */
  readonly negative: readonly RefPic[];
  /** Pictures after it: rising, all positive. */
  readonly positive: readonly RefPic[];
}

/** One picture of a set. */
export interface RefPic {
  readonly deltaPoc: number;
  readonly isUsed: boolean;
}

/** sps_max_dec_pic_buffering is at most 16, the current picture counted; 16 is forgiven (§A.4.2). */
const MAX_PICTURES = 16;

/**
 * Parses st_ref_pic_set(index) (§7.3.7). `known` are the sets of the SPS (before `index`, while the SPS itself is parsed);
 * in a slice header `index` equals their number. Returns undefined where a value is out of range.
 */
export function parseShortTermRefPicSet(
  reader: BitInput,
  index: number,
  known: readonly ShortTermRefPicSet[],
  isInSlice: boolean,
): ShortTermRefPicSet | undefined {
  if (index > 0 && reader.flag()) return parsePredicted(reader, index, known, isInSlice);
  const negativeCount = reader.ue();
  const positiveCount = reader.ue();
  if (negativeCount + positiveCount > MAX_PICTURES) return undefined;
  const negative = readDeltas(reader, negativeCount, -1);
  const positive = readDeltas(reader, positiveCount, 1);
  return negative === undefined || positive === undefined ? undefined : { negative, positive };
}

/** How many pictures of the set the current one may refer to. */
export function countUsed(set: ShortTermRefPicSet): number {
  let count = 0;
  for (const picture of set.negative) if (picture.isUsed) count++;
  for (const picture of set.positive) if (picture.isUsed) count++;
  return count;
}

function readDeltas(reader: BitInput, count: number, sign: 1 | -1): RefPic[] | undefined {
  const pictures: RefPic[] = [];
  let deltaPoc = 0;
  for (let index = 0; index < count; index++) {
    const step = reader.ue() + 1;
    if (step > 0x8000) return undefined;
    deltaPoc += sign * step;
    pictures.push({ deltaPoc, isUsed: reader.flag() });
  }
  return pictures;
}

/** Inter prediction of a set from another one, equations 7-61 and 7-62. */
function parsePredicted(
  reader: BitInput,
  index: number,
  known: readonly ShortTermRefPicSet[],
  isInSlice: boolean,
): ShortTermRefPicSet | undefined {
  const back = isInSlice ? reader.ue() + 1 : 1;
  const source = known[index - back];
  if (source === undefined) return undefined;
  const isNegative = reader.flag();
  const size = reader.ue() + 1;
  if (size > 0x8000) return undefined;
  const deltaRps = isNegative ? -size : size;
  // Order of the flags: negative ones, positive ones, then the source picture itself.
  const candidates = [...source.negative, ...source.positive, { deltaPoc: 0, isUsed: false }];
  const kept: RefPic[] = [];
  for (const candidate of candidates) {
    const isUsed = reader.flag();
    const isKept = isUsed || reader.flag();
    if (isKept) kept.push({ deltaPoc: candidate.deltaPoc + deltaRps, isUsed });
  }
  if (kept.length > MAX_PICTURES) return undefined;
  return {
    negative: kept.filter((picture) => picture.deltaPoc < 0).sort((a, b) => b.deltaPoc - a.deltaPoc),
    positive: kept.filter((picture) => picture.deltaPoc > 0).sort((a, b) => a.deltaPoc - b.deltaPoc),
  };
}
