import { type AccessUnitJudge, type NalVerdict, readNalLength } from "../nal/access-unit-walk.ts";
import { weighDolbyVision } from "../nal/dolby-vision.ts";
import { RbspReader } from "../nal/rbsp-reader.ts";
import { MAX_SEI_BYTES, walkSei } from "../nal/sei.ts";
import type { AvcParameterSets } from "./parameter-sets.ts";
import { type AvcSliceHeader, parseAvcSliceHeader } from "./slice-header.ts";
import { AVC_PROFILES } from "./sps.ts";

/** NAL unit types that a plain stream may begin an access unit with: 1, 2, 5–9, 13–15 (table 7-1). */
const START_TYPES = (1 << 1) | (1 << 2) | (0x1f << 5) | (7 << 13);
/** −log2(allowed header bytes / 256): of the types above, with every nal_ref_idc that they allow. */
const HEADER_EVIDENCE_BITS = 3;
const MAX_PARAMETER_SET_BYTES = 1024;
const MAX_EXTENSION_BYTES = 1024;
const PPS = 8;
const DOLBY_VISION_LAYER = 30;
const BASELINE = 66;
const EXTENDED = 88;

/**
 * The cheap part of every question: whether length field and header byte at `bytes[startIndex]` may begin a sample.
 * False where they are not visible before `endIndex`.
 */
export function mayStartAvcSample(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  sets: AvcParameterSets,
): boolean {
  const nalIndex = startIndex + sets.lengthSizeBytes;
  if (nalIndex >= endIndex) return false;
  const header = bytes[nalIndex] as number;
  if (header >= 0x80 || ((START_TYPES >> (header & 0x1f)) & 1) === 0) return false;
  const nalBytes = readNalLength(bytes, startIndex, sets.lengthSizeBytes);
  return nalBytes > 0 && nalBytes <= sets.maxNalBytes;
}

/** Follows the NAL units of one sample by the order rules of ITU-T H.264 §7.4.1.2.3 and the picture rules of §7.4.1.2.4. */
export class AvcAccessUnitJudge implements AccessUnitJudge {
  readonly nalHeaderBytes = 1;
  readonly lengthSizeBytes: number;
  maxNalBytes: number;
  readonly lengthEvidenceBits: number;
  nalEvidenceBits = 0;
  /** The first slice of the first picture (frame or first field). */
  picture: AvcSliceHeader | undefined;
  /** The first slice of the second field. */
  secondField: AvcSliceHeader | undefined;
  recoveryFrameCount: number | undefined;
  /** Every slice seen is I or SI. */
  isAllIntra = true;
  readonly parameterSetNals: Uint8Array[] = [];
  #sets: AvcParameterSets;
  #isForked = false;
  #firstMbs: number[] = [];
  #pendingSetCount = 0;
  #pendingRecovery: number | undefined;

  constructor(sets: AvcParameterSets) {
    this.#sets = sets;
    this.lengthSizeBytes = sets.lengthSizeBytes;
    this.maxNalBytes = sets.maxNalBytes;
    this.lengthEvidenceBits = sets.lengthEvidenceBits;
  }

  beginPending(): void {
    this.#pendingSetCount = this.parameterSetNals.length;
    this.#pendingRecovery = this.recoveryFrameCount;
  }

  dropPending(): void {
    this.parameterSetNals.length = this.#pendingSetCount;
    this.recoveryFrameCount = this.#pendingRecovery;
  }

  judge(bytes: Uint8Array, nalIndex: number, visibleEnd: number, nalBytes: number, hasPicture: boolean): NalVerdict {
    const header = bytes[nalIndex] as number;
    if (header >= 0x80) return "refuse";
    this.nalEvidenceBits = HEADER_EVIDENCE_BITS;
    switch (header & 0x1f) {
      case 1:
      case 2:
      case 5:
        return this.#judgeSlice(bytes, nalIndex, visibleEnd, nalBytes);
      case 6:
        return this.#judgeSei(bytes, nalIndex, visibleEnd, nalBytes);
      case 7:
      case 8:
        return this.#judgeParameterSet(bytes, nalIndex, visibleEnd, nalBytes);
      case 9:
        return this.#judgeDelimiter(bytes, nalIndex, visibleEnd, nalBytes, hasPicture);
      default:
        return this.#judgeRare(bytes, nalIndex, visibleEnd, nalBytes, hasPicture);
    }
  }

  #judgeSlice(bytes: Uint8Array, nalIndex: number, visibleEnd: number, nalBytes: number): NalVerdict {
    const header = bytes[nalIndex] as number;
    if ((header & 0x60) === 0 && (header & 0x1f) === 5) return "refuse";
    const slice = parseAvcSliceHeader(new RbspReader(bytes, nalIndex + 1, visibleEnd), header, this.#sets);
    if (slice === undefined || nalBytes > this.#sets.maxNalBytes) return "refuse";
    this.nalEvidenceBits += slice.evidenceBits;
    const verdict = this.#placeSlice(slice);
    if (verdict === "picture" && slice.sliceType !== 2 && slice.sliceType !== 4) this.isAllIntra = false;
    return verdict;
  }

  #placeSlice(slice: AvcSliceHeader): NalVerdict {
    const isFirst = slice.firstMbInSlice === 0;
    const current = this.secondField ?? this.picture;
    if (current === undefined) {
      if (slice.redundantPicCnt > 0 || (!isFirst && !mayReorderSlices(slice))) return "refuse";
      this.picture = slice;
      this.#firstMbs = [slice.firstMbInSlice];
      this.nalEvidenceBits += 1;
      return "picture";
    }
    if (isSamePicture(current, slice)) {
      if (slice.redundantPicCnt > 0) return "suffix";
      if (!this.#isNewAddress(slice)) return isFirst ? "next" : "refuse";
      this.nalEvidenceBits += slice.sps.log2MaxFrameNum + 4;
      return "picture";
    }
    if (this.secondField === undefined && isSecondField(current, slice)) {
      this.secondField = slice;
      this.#firstMbs = [slice.firstMbInSlice];
      this.nalEvidenceBits += slice.sps.log2MaxFrameNum + 2;
      return "picture";
    }
    return isFirst || mayReorderSlices(slice) ? "next" : "refuse";
  }

  /** Addresses rise, except where the profile lets slices come in any order: there each comes once. */
  #isNewAddress(slice: AvcSliceHeader): boolean {
    const { firstMbInSlice } = slice;
    const isNew = mayReorderSlices(slice)
      ? !this.#firstMbs.includes(firstMbInSlice)
      : firstMbInSlice > (this.#firstMbs.at(-1) ?? -1);
    if (isNew) this.#firstMbs.push(firstMbInSlice);
    return isNew;
  }

  #judgeSei(bytes: Uint8Array, nalIndex: number, visibleEnd: number, nalBytes: number): NalVerdict {
    const reader = new RbspReader(bytes, nalIndex + 1, visibleEnd);
    const findings = nalBytes > MAX_SEI_BYTES ? undefined : walkSei(reader, nalIndex + nalBytes - visibleEnd);
    if (findings === undefined) return "refuse";
    this.nalEvidenceBits += findings.evidenceBits;
    if (findings.recoveryCode !== undefined) this.recoveryFrameCount = findings.recoveryCode;
    return "prefix";
  }

  #judgeParameterSet(bytes: Uint8Array, nalIndex: number, visibleEnd: number, nalBytes: number): NalVerdict {
    if (nalBytes > MAX_PARAMETER_SET_BYTES || nalIndex + nalBytes > visibleEnd) return "refuse";
    const known = this.#sets.find(bytes, nalIndex, nalBytes);
    if (known !== undefined) {
      this.nalEvidenceBits += Math.min(64, 8 * (nalBytes - 1));
      this.parameterSetNals.push(known);
      return "prefix";
    }
    if (!this.#mayBeParameterSet(bytes, nalIndex, visibleEnd)) return "refuse";
    if (!this.#takeParameterSet(bytes.slice(nalIndex, nalIndex + nalBytes))) return "refuse";
    this.nalEvidenceBits += 6;
    return "prefix";
  }

  /** A look at the first fields spares the full parse, which ends in an exception on nearly all random bytes. */
  #mayBeParameterSet(bytes: Uint8Array, nalIndex: number, visibleEnd: number): boolean {
    const reader = new RbspReader(bytes, nalIndex + 1, visibleEnd);
    if (((bytes[nalIndex] as number) & 0x1f) === PPS) {
      return reader.ue() <= 255 && this.#sets.sps(reader.ue()) !== undefined && !reader.isBroken;
    }
    const profileIdc = reader.bits(8);
    reader.bits(6); // constraint flags
    return AVC_PROFILES.includes(profileIdc) && reader.bits(2) === 0 && reader.bits(8) > 8 && reader.ue() <= 31;
  }

  #judgeDelimiter(
    bytes: Uint8Array,
    nalIndex: number,
    visibleEnd: number,
    nalBytes: number,
    hasPicture: boolean,
  ): NalVerdict {
    // primary_pic_type in three bits, then the stop bit (§7.3.2.4).
    if (nalBytes !== 2 || nalIndex + 2 > visibleEnd || ((bytes[nalIndex + 1] as number) & 0x1f) !== 0x10) {
      return "refuse";
    }
    this.nalEvidenceBits += 5 + Math.log2(this.maxNalBytes);
    const awaitsField = this.picture?.isField === true && this.secondField === undefined;
    return hasPicture && !awaitsField ? "next" : "prefix";
  }

  #judgeRare(
    bytes: Uint8Array,
    nalIndex: number,
    visibleEnd: number,
    nalBytes: number,
    hasPicture: boolean,
  ): NalVerdict {
    const header = bytes[nalIndex] as number;
    switch (header & 0x1f) {
      case 3: // data partitions B and C follow their A
      case 4:
        return this.picture?.nalUnitType === 2 ? "suffix" : "refuse";
      case 10: // end of sequence
      case 11: // end of stream
        this.nalEvidenceBits += 5 + Math.log2(this.maxNalBytes);
        return hasPicture && nalBytes === 1 && (header & 0x60) === 0 ? "suffix" : "refuse";
      case 12:
        return this.#judgeFiller(bytes, nalIndex, visibleEnd, nalBytes, hasPicture);
      case 13: // SPS extension
        return nalBytes <= MAX_EXTENSION_BYTES ? "prefix" : "refuse";
      case 15: // subset SPS
        return this.#judgeSubsetSps(bytes, nalIndex, visibleEnd, nalBytes);
      case 14: // prefix NAL unit: comes before each base layer slice
        return this.#sets.allowsLayers && nalBytes >= 4 && nalBytes <= MAX_EXTENSION_BYTES ? "prefix" : "refuse";
      case 19:
        return hasPicture ? this.#judgeAuxiliary(bytes, nalIndex, visibleEnd) : "refuse";
      case 20: // slice of another layer or view
      case 21:
        return this.#sets.allowsLayers && hasPicture && nalBytes >= 4 ? "suffix" : "refuse";
      case 28: // Dolby Vision metadata
      case 30: // Dolby Vision enhancement layer
        return hasPicture ? this.#judgeDolbyVision(bytes, nalIndex, visibleEnd) : "refuse";
      default:
        return "refuse";
    }
  }

  #judgeDolbyVision(bytes: Uint8Array, nalIndex: number, visibleEnd: number): NalVerdict {
    const isLayer = ((bytes[nalIndex] as number) & 0x1f) === DOLBY_VISION_LAYER;
    const bits = this.#sets.allowsDolbyVision ? weighDolbyVision(bytes, nalIndex, visibleEnd, isLayer) : 0;
    this.nalEvidenceBits += bits;
    return bits > 0 ? "suffix" : "refuse";
  }

  /** Filler data: 0xFF throughout, then the trailing byte (§7.3.2.7). */
  #judgeFiller(
    bytes: Uint8Array,
    nalIndex: number,
    visibleEnd: number,
    nalBytes: number,
    hasPicture: boolean,
  ): NalVerdict {
    const lastIndex = nalIndex + nalBytes - 1;
    const end = Math.min(lastIndex, visibleEnd, nalIndex + 64);
    for (let index = nalIndex + 1; index < end; index++) if (bytes[index] !== 0xff) return "refuse";
    if (lastIndex < visibleEnd && nalBytes > 1 && bytes[lastIndex] !== 0x80) return "refuse";
    this.nalEvidenceBits += 8 * (end - nalIndex - 1);
    return hasPicture ? "suffix" : "prefix";
  }

  #judgeSubsetSps(bytes: Uint8Array, nalIndex: number, visibleEnd: number, nalBytes: number): NalVerdict {
    if (nalBytes < 5 || nalBytes > MAX_PARAMETER_SET_BYTES || nalIndex + nalBytes > visibleEnd) return "refuse";
    return this.#takeParameterSet(bytes.slice(nalIndex, nalIndex + nalBytes)) ? "prefix" : "refuse";
  }

  /** Lays a set over those in force, for this sample only: the caller's sets change when the sample is accepted. */
  #takeParameterSet(nal: Uint8Array): boolean {
    if (!this.#isForked) this.#sets = this.#sets.fork();
    this.#isForked = true;
    if (this.#sets.update([nal]) === 0) return false;
    this.maxNalBytes = this.#sets.maxNalBytes;
    this.parameterSetNals.push(nal);
    return true;
  }

  /** An auxiliary (alpha) picture's slice has the header of a slice of its primary picture (§7.4.1.2.4). */
  #judgeAuxiliary(bytes: Uint8Array, nalIndex: number, visibleEnd: number): NalVerdict {
    const current = this.secondField ?? this.picture;
    const header = ((bytes[nalIndex] as number) & 0x60) | (current?.isIdr === true ? 5 : 1);
    const slice = parseAvcSliceHeader(new RbspReader(bytes, nalIndex + 1, visibleEnd), header, this.#sets);
    if (slice === undefined || current === undefined || slice.frameNum !== current.frameNum) return "refuse";
    this.nalEvidenceBits += slice.evidenceBits + slice.sps.log2MaxFrameNum;
    return "suffix";
  }
}

/** Arbitrary slice order (Baseline without constraint_set1, Extended) or several slice groups (§7.4.3). */
function mayReorderSlices(slice: AvcSliceHeader): boolean {
  const { sps, pps } = slice;
  if (pps.sliceGroupCount > 1 || sps.profileIdc === EXTENDED) return true;
  return sps.profileIdc === BASELINE && (sps.constraintFlags & 0x40) === 0;
}

/** No difference of §7.4.1.2.4 lies between two slices. */
function isSamePicture(a: AvcSliceHeader, b: AvcSliceHeader): boolean {
  return (
    a.frameNum === b.frameNum &&
    a.pps === b.pps &&
    a.isField === b.isField &&
    a.isBottomField === b.isBottomField &&
    (a.nalRefIdc === 0) === (b.nalRefIdc === 0) &&
    a.isIdr === b.isIdr &&
    a.idrPicId === b.idrPicId &&
    a.pocLsb === b.pocLsb &&
    a.deltaPocBottom === b.deltaPocBottom &&
    a.deltaPoc0 === b.deltaPoc0 &&
    a.deltaPoc1 === b.deltaPoc1
  );
}

/** Two fields of opposite parity with one frame_num share a frame; the second starts no sequence (§3.30). */
function isSecondField(first: AvcSliceHeader, slice: AvcSliceHeader): boolean {
  return (
    first.isField &&
    slice.isField &&
    first.isBottomField !== slice.isBottomField &&
    first.frameNum === slice.frameNum &&
    // Some encoders mark both fields of an IDR frame so.
    (!slice.isIdr || first.isIdr) &&
    slice.firstMbInSlice === 0
  );
}
