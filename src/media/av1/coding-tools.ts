import type { BitReader } from "../bytes/bit-reader.ts";
import { type FrameContext, isSkipModeAllowed } from "./frame-context.ts";
import type { SegmentQuantizers } from "./frame-state.ts";
import { parseNonSymmetric } from "./tile-info.ts";

/** What the second half of a frame header leaves behind. */
export interface CodingTools {
  /** False where the parse had to stop at a field whose presence hangs on an unknown reference. */
  readonly isComplete: boolean;
  /** Undefined where they are those of an unknown frame. */
  readonly segmentQuantizers: SegmentQuantizers | undefined;
}

/** Parses uncompressed_header from quantization_params on (AV1 §5.9.12 ff.). Throws MEDIA_MALFORMED on underrun. */
export function skipCodingTools(reader: BitReader, context: FrameContext): CodingTools {
  const planes = context.sequence.monochrome ? 1 : 3;
  const quantizer = parseQuantization(reader, context);
  const segmentQuantizers = parseSegmentation(reader, context);
  if (!segmentQuantizers) return { isComplete: false, segmentQuantizers };
  skipDeltas(reader, quantizer.base, context.allowIntraBlockCopy);
  const codedLossless =
    !quantizer.hasDelta && segmentIndexes(segmentQuantizers, quantizer.base).every((index) => index === 0);
  const allLossless = codedLossless && context.size.frameWidth === context.size.upscaledWidth;
  if (!codedLossless && !context.allowIntraBlockCopy) {
    skipLoopFilter(reader, planes);
    if (context.sequence.enableCdef) skipCdef(reader, planes);
  }
  if (!allLossless && !context.allowIntraBlockCopy && context.sequence.enableRestoration) {
    skipRestoration(reader, context, planes);
  }
  if (!codedLossless) reader.skip(1); // tx_mode_select
  const referenceSelect = !context.isIntra && reader.flag();
  const skipModeAllowed = referenceSelect ? isSkipModeAllowed(context) : false;
  if (skipModeAllowed === undefined) return { isComplete: false, segmentQuantizers };
  if (skipModeAllowed) reader.skip(1);
  if (!context.isIntra && !context.errorResilient && context.sequence.enableWarpedMotion) reader.skip(1);
  reader.skip(1); // reduced_tx_set
  if (!context.isIntra) skipGlobalMotion(reader, context.allowHighPrecisionMv);
  if (context.sequence.filmGrainParamsPresent && (context.showFrame || context.showableFrame)) {
    skipFilmGrain(reader, context);
  }
  return { isComplete: true, segmentQuantizers };
}

/** su(n), AV1 §4.10.6. */
function parseSigned(reader: BitReader, bits: number): number {
  const value = reader.bits(bits);
  return value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
}

function parseQuantization(reader: BitReader, context: FrameContext): { base: number; hasDelta: boolean } {
  const base = reader.bits(8);
  const delta = (): number => (reader.flag() ? parseSigned(reader, 7) : 0);
  let hasDelta = delta() !== 0;
  if (!context.sequence.monochrome) {
    const isDifferent = context.sequence.separateUvDeltaQ && reader.flag();
    for (let i = 0; i < (isDifferent ? 4 : 2); i++) hasDelta = delta() !== 0 || hasDelta;
  }
  if (reader.flag()) reader.skip(context.sequence.separateUvDeltaQ ? 12 : 8); // using_qmatrix
  return { base, hasDelta };
}

const SEGMENT_FEATURE_BITS = [8, 6, 6, 6, 6, 3, 0, 0] as const;
const SEGMENT_FEATURE_SIGNED = [true, true, true, true, true, false, false, false] as const;
const NO_SEGMENTS: SegmentQuantizers = new Array<undefined>(8).fill(undefined);

/** segmentation_params (AV1 §5.9.14); undefined where the values are those of an unknown frame. */
function parseSegmentation(reader: BitReader, context: FrameContext): SegmentQuantizers | undefined {
  if (!reader.flag()) return NO_SEGMENTS;
  let updateData = true;
  if (context.primaryReference !== 7) {
    if (reader.flag()) reader.skip(1);
    updateData = reader.flag();
  }
  if (!updateData) {
    const slot = context.referenceSlots[context.primaryReference];
    return slot === undefined ? undefined : context.state.references[slot]?.segmentQuantizers;
  }
  const quantizers: (number | undefined)[] = [];
  for (let segment = 0; segment < 8; segment++) {
    quantizers.push(undefined);
    for (let feature = 0; feature < 8; feature++) {
      if (!reader.flag()) continue;
      const bits = SEGMENT_FEATURE_BITS[feature] ?? 0;
      const value = SEGMENT_FEATURE_SIGNED[feature] ? parseSigned(reader, bits + 1) : reader.bits(bits);
      if (feature === 0) quantizers[segment] = value;
    }
  }
  return quantizers;
}

/** get_qidx with ignoreDeltaQ (AV1 §7.12.2) for every segment. */
function segmentIndexes(quantizers: SegmentQuantizers, base: number): number[] {
  return quantizers.map((value) => (value === undefined ? base : Math.min(255, Math.max(0, base + value))));
}

function skipDeltas(reader: BitReader, base: number, allowIntraBlockCopy: boolean): void {
  if (base === 0 || !reader.flag()) return;
  reader.skip(2);
  if (!allowIntraBlockCopy && reader.flag()) reader.skip(3);
}

function skipLoopFilter(reader: BitReader, planes: number): void {
  const levels = reader.bits(12);
  if (planes > 1 && levels > 0) reader.skip(12);
  reader.skip(3);
  if (!reader.flag() || !reader.flag()) return;
  for (let i = 0; i < 10; i++) if (reader.flag()) reader.skip(7);
}

function skipCdef(reader: BitReader, planes: number): void {
  reader.skip(2);
  const strengths = 1 << reader.bits(2);
  reader.skip(strengths * (planes > 1 ? 12 : 6));
}

function skipRestoration(reader: BitReader, context: FrameContext, planes: number): void {
  let uses = false;
  let usesChroma = false;
  for (let plane = 0; plane < planes; plane++) {
    if (reader.bits(2) === 0) continue;
    uses = true;
    if (plane > 0) usesChroma = true;
  }
  if (!uses) return;
  const isLarger = reader.flag();
  if (!context.sequence.use128Superblock && isLarger) reader.skip(1);
  if (context.sequence.subsamplingX && context.sequence.subsamplingY && usesChroma) reader.skip(1);
}

/** global_motion_params (AV1 §5.9.24): the lengths do not hang on the previous frame's values. */
function skipGlobalMotion(reader: BitReader, allowHighPrecisionMv: boolean): void {
  for (let reference = 0; reference < 7; reference++) {
    if (!reader.flag()) continue;
    const isRotateZoom = reader.flag();
    const isTranslation = !isRotateZoom && reader.flag();
    if (!isTranslation) {
      for (let i = 0; i < (isRotateZoom ? 2 : 4); i++) skipSubexponential(reader, 12);
    }
    const translationBits = isTranslation ? (allowHighPrecisionMv ? 9 : 8) : 12;
    skipSubexponential(reader, translationBits);
    skipSubexponential(reader, translationBits);
  }
}

/** decode_subexp (AV1 §5.9.27) over the 2·2^bits + 1 values of a signed parameter. */
function skipSubexponential(reader: BitReader, absoluteBits: number): void {
  const symbols = 2 ** (absoluteBits + 1) + 1;
  let base = 0;
  for (let i = 0; ; i++) {
    const bits = i > 0 ? 3 + i - 1 : 3;
    const span = 2 ** bits;
    if (symbols <= base + 3 * span) {
      parseNonSymmetric(reader, symbols - base);
      return;
    }
    if (!reader.flag()) {
      reader.skip(bits);
      return;
    }
    base += span;
  }
}

/** film_grain_params (AV1 §5.9.30). */
function skipFilmGrain(reader: BitReader, context: FrameContext): void {
  if (!reader.flag()) return;
  reader.skip(16);
  if (context.frameType === 1 && !reader.flag()) {
    reader.skip(3);
    return;
  }
  const { monochrome, subsamplingX, subsamplingY } = context.sequence;
  const lumaPoints = reader.bits(4);
  reader.skip(16 * lumaPoints);
  const fromLuma = !monochrome && reader.flag();
  let cbPoints = 0;
  let crPoints = 0;
  if (!monochrome && !fromLuma && !(subsamplingX && subsamplingY && lumaPoints === 0)) {
    cbPoints = reader.bits(4);
    reader.skip(16 * cbPoints);
    crPoints = reader.bits(4);
    reader.skip(16 * crPoints);
  }
  reader.skip(2);
  const lag = reader.bits(2);
  const lumaCoefficients = 2 * lag * (lag + 1);
  const chromaCoefficients = lumaPoints > 0 ? lumaCoefficients + 1 : lumaCoefficients;
  if (lumaPoints > 0) reader.skip(8 * lumaCoefficients);
  if (fromLuma || cbPoints > 0) reader.skip(8 * chromaCoefficients);
  if (fromLuma || crPoints > 0) reader.skip(8 * chromaCoefficients);
  reader.skip(4);
  if (cbPoints > 0) reader.skip(25);
  if (crPoints > 0) reader.skip(25);
  reader.skip(2);
}
