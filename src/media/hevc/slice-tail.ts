import type { RbspReader } from "../nal/rbsp-reader.ts";
import type { HevcPps } from "./pps.ts";
import type { HevcSps } from "./sps.ts";

const SLICE_B = 0;
const SLICE_I = 2;
const MAX_ACTIVE_REFERENCES = 15;
const MAX_EXTENSION_BYTES = 256;

/** What the first half of a header says that the second half depends on. */
export interface HevcSliceBody {
  readonly sliceType: number;
  readonly pocLsb: number;
  /** NumPicTotalCurr, equation 7-55. */
  readonly usedPictures: number;
  readonly isTemporalMvp: boolean;
}

/** What the second half of a header proves. */
export interface HevcSliceTail {
  readonly evidenceBits: number;
}

/**
 * Reads a slice segment header from the sample adaptive offset flags to its byte alignment (ITU-T H.265 §7.3.6.1).
 * Returns undefined where a value is out of its range.
 */
export function readSliceTail(
  reader: RbspReader,
  sps: HevcSps,
  pps: HevcPps,
  body: HevcSliceBody,
): HevcSliceTail | undefined {
  // Screen content and multilayer headers hold more than is parsed here; what came before must do.
  if (pps.hasFurtherExtensions) return { evidenceBits: 0 };
  if (body.sliceType >= 0 && !readCodingFields(reader, sps, pps, body)) return undefined;
  if ((pps.areTilesEnabled || pps.isEntropySyncEnabled) && !readEntryPoints(reader, sps, pps)) return undefined;
  if (pps.isHeaderExtensionPresent) {
    const bytes = reader.ue();
    if (bytes > MAX_EXTENSION_BYTES) return undefined;
    for (let index = 0; index < bytes && !reader.isBroken; index++) reader.bits(8);
  }
  // byte_alignment(): a one, then zeros up to the boundary (§7.3.2.11).
  const alignmentBits = ((reader.bitsToByteBoundary + 7) & 7) + 1;
  if (reader.bits(alignmentBits) !== 1 << (alignmentBits - 1) || reader.isBroken) return undefined;
  return { evidenceBits: alignmentBits };
}

function readCodingFields(reader: RbspReader, sps: HevcSps, pps: HevcPps, body: HevcSliceBody): boolean {
  const hasChroma = sps.chromaFormatIdc !== 0 && !sps.isSeparateColourPlane;
  let isSao = false;
  if (sps.isSaoEnabled) {
    isSao = reader.flag();
    if (hasChroma && reader.flag()) isSao = true;
  }
  if (body.sliceType !== SLICE_I && !readInterFields(reader, sps, pps, body, hasChroma)) return false;
  const qp = pps.initQp + reader.se();
  if (qp > 51 || qp < -6 * (sps.bitDepthLuma - 8)) return false;
  if (pps.areSliceChromaQpOffsetsPresent && (Math.abs(reader.se()) > 12 || Math.abs(reader.se()) > 12)) return false;
  if (pps.isChromaQpOffsetListEnabled) reader.bits(1);
  let isDeblockingDisabled = pps.isDeblockingDisabled;
  if (pps.isDeblockingOverrideEnabled && reader.flag()) {
    isDeblockingDisabled = reader.flag();
    if (!isDeblockingDisabled && (Math.abs(reader.se()) > 6 || Math.abs(reader.se()) > 6)) return false;
  }
  if (pps.isLoopFilterAcrossSlicesEnabled && (isSao || !isDeblockingDisabled)) reader.bits(1);
  return !reader.isBroken;
}

function readInterFields(
  reader: RbspReader,
  sps: HevcSps,
  pps: HevcPps,
  body: HevcSliceBody,
  hasChroma: boolean,
): boolean {
  const isB = body.sliceType === SLICE_B;
  let countL0 = pps.numRefIdxL0;
  let countL1 = isB ? pps.numRefIdxL1 : 0;
  if (reader.flag()) {
    countL0 = reader.ue() + 1;
    if (isB) countL1 = reader.ue() + 1;
    if (countL0 > MAX_ACTIVE_REFERENCES || countL1 > MAX_ACTIVE_REFERENCES) return false;
  }
  if (pps.isListsModificationPresent && body.usedPictures > 1) {
    const entryBits = Math.ceil(Math.log2(body.usedPictures));
    skipListEntries(reader, countL0, entryBits);
    if (isB) skipListEntries(reader, countL1, entryBits);
  }
  if (isB) reader.bits(1); // mvd_l1_zero_flag
  if (pps.isCabacInitPresent) reader.bits(1);
  if (body.isTemporalMvp) {
    const isFromL0 = !isB || reader.flag();
    const count = isFromL0 ? countL0 : countL1;
    if (count > 1 && reader.ue() >= count) return false; // collocated_ref_idx
  }
  if (isB ? pps.isWeightedBipred : pps.isWeightedPred) skipWeights(reader, countL0, countL1, hasChroma);
  if (reader.ue() > 4) return false; // five_minus_max_num_merge_cand
  if (sps.hasIntegerMvFlag) reader.bits(1);
  return !reader.isBroken;
}

function skipListEntries(reader: RbspReader, count: number, entryBits: number): void {
  if (!reader.flag()) return;
  for (let index = 0; index < count; index++) reader.bits(entryBits);
}

/** pred_weight_table(), §7.3.6.3: all flags of a list come before its weights. */
function skipWeights(reader: RbspReader, countL0: number, countL1: number, hasChroma: boolean): void {
  if (reader.ue() > 7) reader.fail();
  if (hasChroma && Math.abs(reader.se()) > 7) reader.fail();
  skipListWeights(reader, countL0, hasChroma);
  if (countL1 > 0) skipListWeights(reader, countL1, hasChroma);
}

function skipListWeights(reader: RbspReader, count: number, hasChroma: boolean): void {
  const luma = reader.bits(count);
  const chroma = hasChroma ? reader.bits(count) : 0;
  for (let index = count - 1; index >= 0 && !reader.isBroken; index--) {
    if (((luma >> index) & 1) === 1) skipWeight(reader);
    if (((chroma >> index) & 1) === 1) {
      skipWeight(reader);
      skipWeight(reader);
    }
  }
}

function skipWeight(reader: RbspReader): void {
  const weight = reader.se();
  reader.se(); // the offset's range hangs on bit depth and profile
  if (weight < -128 || weight > 127) reader.fail();
}

function readEntryPoints(reader: RbspReader, sps: HevcSps, pps: HevcPps): boolean {
  const count = reader.ue();
  const max = pps.areTilesEnabled ? sps.widthInCtbs * sps.heightInCtbs : sps.heightInCtbs;
  if (count > max) return false;
  if (count === 0) return true;
  const bits = reader.ue() + 1;
  if (bits > 32) return false;
  for (let index = 0; index < count && !reader.isBroken; index++) reader.bits(bits);
  return !reader.isBroken;
}
