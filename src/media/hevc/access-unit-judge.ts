import { type AccessUnitJudge, type NalVerdict, readNalLength } from "../nal/access-unit-walk.ts";
import { weighDolbyVision } from "../nal/dolby-vision.ts";
import { RbspReader } from "../nal/rbsp-reader.ts";
import { MAX_SEI_BYTES, walkSei } from "../nal/sei.ts";
import type { HevcParameterSets } from "./parameter-sets.ts";
import { type HevcSliceHeader, parseHevcSliceHeader } from "./slice-header.ts";

/** −log2 of the chance that two random bytes are the header of a base layer NAL unit of a type in use. */
const HEADER_EVIDENCE_BITS = 8.8;
/** NAL unit types 0–9, 16–21, as a bit mask (table 7-1). */
const BASE_VCL_TYPES = 0x3ff | (0x3f << 16);
const FIRST_NON_VCL = 32;
const SPS = 33;
const PPS = 34;
const MAX_PARAMETER_SET_BYTES = 2048;
const DOLBY_VISION_METADATA = 62;
const DOLBY_VISION_LAYER = 63;

/**
 * The cheap part of every question: whether length field and header bytes at `bytes[startIndex]` may begin a sample
 * with a base layer slice, VPS, SPS, PPS, AUD or prefix SEI. False where they are not visible before `endIndex`.
 */
export function mayStartHevcSample(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  sets: HevcParameterSets,
): boolean {
  const nalIndex = startIndex + sets.lengthSizeBytes;
  if (nalIndex + 1 >= endIndex) return false;
  const byte0 = bytes[nalIndex] as number;
  const byte1 = bytes[nalIndex + 1] as number;
  if ((byte0 & 0x81) !== 0 || byte1 === 0 || byte1 > 7) return false;
  const type = byte0 >> 1;
  if (type < FIRST_NON_VCL ? ((BASE_VCL_TYPES >> type) & 1) === 0 : type > 35 && type !== 39) return false;
  const nalBytes = readNalLength(bytes, startIndex, sets.lengthSizeBytes);
  return nalBytes > 2 && nalBytes <= sets.maxNalBytes;
}

/** Follows the NAL units of one sample by the order rules of ITU-T H.265 §7.4.2.4.4 and §7.4.2.4.5. */
export class HevcAccessUnitJudge implements AccessUnitJudge {
  readonly nalHeaderBytes = 2;
  readonly lengthSizeBytes: number;
  maxNalBytes: number;
  readonly lengthEvidenceBits: number;
  nalEvidenceBits = 0;
  /** The first slice segment of the base layer picture. */
  picture: HevcSliceHeader | undefined;
  hasRecoveryPoint = false;
  endsSequence = false;
  readonly parameterSetNals: Uint8Array[] = [];
  #sets: HevcParameterSets;
  #isForked = false;
  #lastAddress = 0;
  #pendingSetCount = 0;
  #pendingRecovery = false;

  constructor(sets: HevcParameterSets) {
    this.#sets = sets;
    this.lengthSizeBytes = sets.lengthSizeBytes;
    this.maxNalBytes = sets.maxNalBytes;
    this.lengthEvidenceBits = sets.lengthEvidenceBits;
  }

  beginPending(): void {
    this.#pendingSetCount = this.parameterSetNals.length;
    this.#pendingRecovery = this.hasRecoveryPoint;
  }

  dropPending(): void {
    this.parameterSetNals.length = this.#pendingSetCount;
    this.hasRecoveryPoint = this.#pendingRecovery;
  }

  judge(bytes: Uint8Array, nalIndex: number, visibleEnd: number, nalBytes: number, hasPicture: boolean): NalVerdict {
    const byte0 = bytes[nalIndex] as number;
    const byte1 = bytes[nalIndex + 1] as number;
    const temporalIdPlus1 = byte1 & 7;
    if (byte0 > 0x7f || temporalIdPlus1 === 0) return "refuse";
    const type = byte0 >> 1;
    const layerId = ((byte0 & 1) << 5) | (byte1 >> 3);
    this.nalEvidenceBits = HEADER_EVIDENCE_BITS;
    if (layerId > 0) return this.#judgeLayer(bytes, nalIndex, visibleEnd, nalBytes, type, layerId, hasPicture);
    if (type < FIRST_NON_VCL) return this.#judgeSlice(bytes, nalIndex, visibleEnd, type, temporalIdPlus1 - 1);
    if (type <= 34) return this.#judgeParameterSet(bytes, nalIndex, visibleEnd, nalBytes);
    return this.#judgeNonVcl(bytes, nalIndex, visibleEnd, nalBytes, type, hasPicture);
  }

  #judgeSlice(bytes: Uint8Array, nalIndex: number, visibleEnd: number, type: number, temporalId: number): NalVerdict {
    if (((BASE_VCL_TYPES >> type) & 1) === 0) return "refuse";
    // Random access points are of the lowest sub-layer (§7.4.2.2).
    if (type >= 16 && temporalId > 0) return "refuse";
    const reader = new RbspReader(bytes, nalIndex + 2, visibleEnd);
    const slice = parseHevcSliceHeader(reader, type, temporalId, this.#sets);
    if (slice === undefined) return "refuse";
    this.nalEvidenceBits += 1 + slice.evidenceBits;
    const { picture } = this;
    if (slice.isFirstSegmentInPicture) {
      if (picture !== undefined) return "next";
      this.picture = slice;
      return "picture";
    }
    if (picture === undefined || !isSamePicture(picture, slice) || slice.segmentAddress <= this.#lastAddress) {
      return "refuse";
    }
    this.#lastAddress = slice.segmentAddress;
    this.nalEvidenceBits += 8 + (slice.isDependent ? 0 : slice.sps.log2MaxPocLsb);
    return "picture";
  }

  /** Everything of other layers belongs to the access unit of its base layer picture (§F.7.4.2.4.4). */
  #judgeLayer(
    bytes: Uint8Array,
    nalIndex: number,
    visibleEnd: number,
    nalBytes: number,
    type: number,
    layerId: number,
    hasPicture: boolean,
  ): NalVerdict {
    if (layerId > this.#sets.maxLayerId) return "refuse";
    if (type < FIRST_NON_VCL) return hasPicture && ((BASE_VCL_TYPES >> type) & 1) === 1 ? "suffix" : "refuse";
    if (type <= 34) {
      if (nalBytes > MAX_PARAMETER_SET_BYTES || nalIndex + nalBytes > visibleEnd) return "refuse";
      this.parameterSetNals.push(bytes.slice(nalIndex, nalIndex + nalBytes));
    } else if (type !== 39 && type !== 40) return "refuse";
    return hasPicture ? "suffix" : "prefix";
  }

  #judgeParameterSet(bytes: Uint8Array, nalIndex: number, visibleEnd: number, nalBytes: number): NalVerdict {
    if (nalBytes > MAX_PARAMETER_SET_BYTES || nalIndex + nalBytes > visibleEnd) return "refuse";
    const known = this.#sets.find(bytes, nalIndex, nalBytes);
    if (known !== undefined) {
      this.nalEvidenceBits += Math.min(64, 8 * (nalBytes - 2));
      this.parameterSetNals.push(known);
      return "prefix";
    }
    if (!this.#mayBeParameterSet(bytes, nalIndex, visibleEnd)) return "refuse";
    const nal = bytes.slice(nalIndex, nalIndex + nalBytes);
    // Laid over the sets in force for this sample only: the caller's change when the sample is accepted.
    if (!this.#isForked) this.#sets = this.#sets.fork();
    this.#isForked = true;
    if (this.#sets.update([nal]) === 0) return "refuse";
    this.maxNalBytes = this.#sets.maxNalBytes;
    this.nalEvidenceBits += 6;
    this.parameterSetNals.push(nal);
    return "prefix";
  }

  /** A look at the first fields spares the full parse, which ends in an exception on nearly all random bytes. */
  #mayBeParameterSet(bytes: Uint8Array, nalIndex: number, visibleEnd: number): boolean {
    const type = (bytes[nalIndex] as number) >> 1;
    const reader = new RbspReader(bytes, nalIndex + 2, visibleEnd);
    if (type === PPS) return reader.ue() <= 63 && this.#sets.sps(reader.ue()) !== undefined && !reader.isBroken;
    if (type === SPS) {
      reader.bits(4); // sps_video_parameter_set_id
      const maxSubLayersMinus1 = reader.bits(3);
      reader.bits(1);
      // general_profile_space is 0 in every version of the specification.
      return maxSubLayersMinus1 < 7 && reader.bits(2) === 0 && !reader.isBroken;
    }
    reader.bits(16);
    return reader.bits(16) === 0xffff; // vps_reserved_0xffff_16bits
  }

  #judgeNonVcl(
    bytes: Uint8Array,
    nalIndex: number,
    visibleEnd: number,
    nalBytes: number,
    type: number,
    hasPicture: boolean,
  ): NalVerdict {
    switch (type) {
      case 35:
        return this.#judgeDelimiter(bytes, nalIndex, visibleEnd, nalBytes, hasPicture);
      case 36: // end of sequence
      case 37: // end of bitstream
        if (!hasPicture || nalBytes !== 2) return "refuse";
        this.endsSequence = true;
        this.nalEvidenceBits += Math.log2(this.maxNalBytes);
        return "suffix";
      case 38:
        return this.#judgeFiller(bytes, nalIndex, visibleEnd, nalBytes, hasPicture);
      case 39:
        return this.#judgeSei(bytes, nalIndex, visibleEnd, nalBytes) ? "prefix" : "refuse";
      case 40:
        return hasPicture && this.#judgeSei(bytes, nalIndex, visibleEnd, nalBytes) ? "suffix" : "refuse";
      case DOLBY_VISION_METADATA:
      case DOLBY_VISION_LAYER:
        return hasPicture ? this.#judgeDolbyVision(bytes, nalIndex, visibleEnd, type) : "refuse";
      default:
        // Types 41–44 and 48–55 come before the slices; no other is in use.
        return !hasPicture && ((type >= 41 && type <= 44) || (type >= 48 && type <= 55)) ? "prefix" : "refuse";
    }
  }

  #judgeDelimiter(
    bytes: Uint8Array,
    nalIndex: number,
    visibleEnd: number,
    nalBytes: number,
    hasPicture: boolean,
  ): NalVerdict {
    // pic_type in three bits, then the stop bit (§7.3.2.5).
    if (nalBytes !== 3 || nalIndex + 3 > visibleEnd || ((bytes[nalIndex + 2] as number) & 0x1f) !== 0x10) {
      return "refuse";
    }
    this.nalEvidenceBits += 5 + Math.log2(this.maxNalBytes);
    return hasPicture ? "next" : "prefix";
  }

  #judgeSei(bytes: Uint8Array, nalIndex: number, visibleEnd: number, nalBytes: number): boolean {
    const reader = new RbspReader(bytes, nalIndex + 2, visibleEnd);
    const findings = nalBytes > MAX_SEI_BYTES ? undefined : walkSei(reader, nalIndex + nalBytes - visibleEnd);
    if (findings === undefined) return false;
    this.nalEvidenceBits += findings.evidenceBits;
    if (findings.recoveryCode !== undefined) this.hasRecoveryPoint = true;
    return true;
  }

  #judgeDolbyVision(bytes: Uint8Array, nalIndex: number, visibleEnd: number, type: number): NalVerdict {
    const bits = weighDolbyVision(bytes, nalIndex, visibleEnd, type === DOLBY_VISION_LAYER);
    this.nalEvidenceBits += bits;
    return bits > 0 ? "suffix" : "refuse";
  }

  /** Filler data: 0xFF throughout, then the trailing byte (§7.3.2.8). */
  #judgeFiller(
    bytes: Uint8Array,
    nalIndex: number,
    visibleEnd: number,
    nalBytes: number,
    hasPicture: boolean,
  ): NalVerdict {
    const lastIndex = nalIndex + nalBytes - 1;
    const end = Math.min(lastIndex, visibleEnd, nalIndex + 64);
    for (let index = nalIndex + 2; index < end; index++) if (bytes[index] !== 0xff) return "refuse";
    if (lastIndex < visibleEnd && nalBytes > 2 && bytes[lastIndex] !== 0x80) return "refuse";
    this.nalEvidenceBits += 8 * Math.max(0, end - nalIndex - 2);
    return hasPicture ? "suffix" : "prefix";
  }
}

/** All segments of a picture share PPS, type and, where they say it, order (§7.4.7.1). */
function isSamePicture(first: HevcSliceHeader, slice: HevcSliceHeader): boolean {
  return (
    first.nalUnitType === slice.nalUnitType &&
    first.temporalId === slice.temporalId &&
    first.pps === slice.pps &&
    (slice.isDependent || first.pocLsb === slice.pocLsb)
  );
}
