import { at, bandBins, type CeltAllocation, type CeltShape } from "./celt-allocation.ts";
import { BAND_LOG_WIDTH, CELT_BANDS, PULSE_BITS, PULSE_INDEX } from "./celt-tables.ts";
import { codewordCount } from "./codeword-count.ts";
import { bitLength, type RangeDecoder } from "./range-decoder.ts";
import { CONTEXT, type SymbolTrace } from "./symbol-trace.ts";

const ANGLE_OFFSET = 4;
const ANGLE_OFFSET_TWO_PHASE = 16;
const EXP2_EIGHTHS = Int32Array.from([16384, 17866, 19483, 21247, 23170, 25267, 27554, 30048]);

/** One frame's band shapes being decoded. */
interface BandReader {
  readonly decoder: RangeDecoder;
  readonly trace: SymbolTrace | undefined;
  readonly intensityBand: number;
  band: number;
  tfChange: number;
  /** Eighths of a bit left for this band and those after it. */
  remaining: number;
}

/** Everything `decodeBands` needs of the frame's header. */
export interface BandFrame {
  readonly shape: CeltShape;
  readonly isTransient: boolean;
  /** Time–frequency change per band. */
  readonly tf: Int32Array;
  readonly allocation: CeltAllocation;
  /** Eighths of a bit in the frame less those reserved for anti-collapse. */
  readonly total: number;
}

/** Decodes the syntax of every band's shape (RFC 6716 §4.3.4); vectors are counted past, not built. */
export function decodeBands(decoder: RangeDecoder, frame: BandFrame, trace: SymbolTrace | undefined): void {
  const { shape, allocation } = frame;
  const reader: BandReader = {
    decoder,
    trace,
    intensityBand: allocation.intensityBand,
    band: 0,
    tfChange: 0,
    remaining: 0,
  };
  const blocks = frame.isTransient ? 1 << shape.lm : 1;
  let { balance } = allocation;
  let { isDualStereo } = allocation;
  for (let band = shape.startBand; band < shape.endBand; band++) {
    const tell = decoder.tellEighths();
    if (band !== shape.startBand) balance -= tell;
    reader.band = band;
    reader.tfChange = at(frame.tf, band);
    reader.remaining = frame.total - tell - 1;
    let bits = 0;
    if (band < allocation.codedBands) {
      const share = Math.trunc(balance / Math.min(3, allocation.codedBands - band));
      bits = Math.max(0, Math.min(16383, reader.remaining + 1, at(allocation.shapeBits, band) + share));
    }
    if (band === allocation.intensityBand) isDualStereo = false;
    const bins = bandBins(band, shape.lm);
    if (isDualStereo) {
      readBand(reader, bins, bits >> 1, blocks, shape.lm);
      readBand(reader, bins, bits >> 1, blocks, shape.lm);
    } else if (shape.channels === 2) readStereoBand(reader, bins, bits, blocks, shape.lm);
    else readBand(reader, bins, bits, blocks, shape.lm);
    balance += at(allocation.shapeBits, band) + tell;
  }
}

function readSign(reader: BandReader): void {
  if (reader.remaining < 8) return;
  reader.decoder.rawBits(1);
  reader.remaining -= 8;
}

function readBand(reader: BandReader, bins: number, bits: number, blocks: number, lm: number): void {
  if (bins === 1) {
    readSign(reader);
    return;
  }
  let { tfChange } = reader;
  let count = blocks;
  let perBlock = Math.trunc(bins / blocks);
  if (tfChange > 0) {
    count >>= tfChange;
    perBlock <<= tfChange;
  }
  while ((perBlock & 1) === 0 && tfChange < 0) {
    count <<= 1;
    perBlock >>= 1;
    tfChange++;
  }
  readPartition(reader, bins, bits, count, lm);
}

function readStereoBand(reader: BandReader, bins: number, bits: number, blocks: number, lm: number): void {
  if (bins === 1) {
    readSign(reader);
    readSign(reader);
    return;
  }
  const angle = readAngle(reader, { bins, bits, blocks, lm, isStereo: true });
  const left = bits - angle.cost;
  if (bins === 2) {
    const hasSide = angle.theta !== 0 && angle.theta !== 16384;
    reader.remaining -= angle.cost + (hasSide ? 8 : 0);
    if (hasSide) reader.decoder.rawBits(1);
    readBand(reader, bins, left - (hasSide ? 8 : 0), blocks, lm);
    return;
  }
  reader.remaining -= angle.cost;
  const mid = Math.max(0, Math.min(left, Math.trunc((left - angle.delta) / 2)));
  readPair(reader, angle.theta, mid, left - mid, (part) => readBand(reader, bins, part, blocks, lm));
}

/** Reads both halves of a split, the richer first, and hands what it leaves over to the other. */
function readPair(reader: BandReader, theta: number, mid: number, side: number, read: (bits: number) => void): void {
  const before = reader.remaining;
  if (mid >= side) {
    read(mid);
    const over = mid - (before - reader.remaining);
    read(over > 24 && theta !== 0 ? side + over - 24 : side);
  } else {
    read(side);
    const over = side - (before - reader.remaining);
    read(over > 24 && theta !== 16384 ? mid + over - 24 : mid);
  }
}

function readPartition(reader: BandReader, bins: number, bits: number, blocks: number, lm: number): void {
  const list = at(PULSE_INDEX, (lm + 1) * CELT_BANDS + reader.band);
  const largest = at(PULSE_BITS, list + at(PULSE_BITS, list));
  if (lm !== -1 && bits > largest + 12 && bins > 2) {
    const half = bins >> 1;
    const halfBlocks = (blocks + 1) >> 1;
    const angle = readAngle(reader, { bins: half, bits, blocks, lm: lm - 1, isStereo: false });
    const left = bits - angle.cost;
    let { delta } = angle;
    if (blocks > 1 && (angle.theta & 0x3fff) !== 0) {
      if (angle.theta > 8192) delta -= delta >> (4 - (lm - 1));
      else delta = Math.min(0, delta + ((half << 3) >> (5 - (lm - 1))));
    }
    const mid = Math.max(0, Math.min(left, Math.trunc((left - delta) / 2)));
    reader.remaining -= angle.cost;
    readPair(reader, angle.theta, mid, left - mid, (part) => readPartition(reader, half, part, halfBlocks, lm - 1));
    return;
  }
  let pseudo = bitsToPulses(list, bits);
  let cost = pulseCost(list, pseudo);
  reader.remaining -= cost;
  while (reader.remaining < 0 && pseudo > 0) {
    reader.remaining += cost;
    pseudo--;
    cost = pulseCost(list, pseudo);
    reader.remaining -= cost;
  }
  if (pseudo === 0) return;
  const pulses = pseudo < 8 ? pseudo : (8 + (pseudo & 7)) << ((pseudo >> 3) - 1);
  reader.decoder.uniform(codewordCount(bins, pulses));
}

function pulseCost(list: number, pseudo: number): number {
  return pseudo === 0 ? 0 : at(PULSE_BITS, list + pseudo) + 1;
}

function bitsToPulses(list: number, bits: number): number {
  const wanted = bits - 1;
  let lo = 0;
  let hi = at(PULSE_BITS, list);
  for (let i = 0; i < 6; i++) {
    const mid = (lo + hi + 1) >> 1;
    if (at(PULSE_BITS, list + mid) >= wanted) hi = mid;
    else lo = mid;
  }
  const below = lo === 0 ? -1 : at(PULSE_BITS, list + lo);
  return wanted - below <= at(PULSE_BITS, list + hi) - wanted ? lo : hi;
}

interface AngleRequest {
  readonly bins: number;
  readonly bits: number;
  readonly blocks: number;
  readonly lm: number;
  readonly isStereo: boolean;
}

interface Angle {
  /** 0 to 16384. */
  readonly theta: number;
  /** Eighths of a bit used. */
  readonly cost: number;
  /** How many eighths more the mid deserves than the side, negated. */
  readonly delta: number;
}

function readAngle(reader: BandReader, request: AngleRequest): Angle {
  const { decoder } = reader;
  const { bins, bits, isStereo } = request;
  const pulseCap = at(BAND_LOG_WIDTH, reader.band) + request.lm * 8;
  const offset = (pulseCap >> 1) - (isStereo && bins === 2 ? ANGLE_OFFSET_TWO_PHASE : ANGLE_OFFSET);
  const isMono = isStereo && reader.band >= reader.intensityBand;
  const steps = isMono ? 1 : angleSteps(bins, bits, offset, pulseCap, isStereo);
  const before = decoder.tellEighths();
  let theta = 0;
  if (steps !== 1) {
    const index = readAngleIndex(reader, request, steps);
    theta = Math.floor((index * 16384) / steps);
  } else if (isStereo && bits > 16 && reader.remaining > 16) decoder.bit(2);
  const cost = decoder.tellEighths() - before;
  if (theta === 0) return { theta, cost, delta: -16384 };
  if (theta === 16384) return { theta, cost, delta: 16384 };
  const mid = integerCosine(theta);
  const side = integerCosine(16384 - theta);
  return { theta, cost, delta: multiplyQ15((bins - 1) << 7, logTangent(side, mid)) };
}

function angleSteps(bins: number, bits: number, offset: number, pulseCap: number, isStereo: boolean): number {
  const degrees = isStereo && bins === 2 ? 2 * bins - 2 : 2 * bins - 1;
  const share = Math.trunc((bits + degrees * offset) / degrees);
  const log = Math.min(64, bits - pulseCap - 32, share);
  if (log < 4) return 1;
  return ((at(EXP2_EIGHTHS, log & 7) >> (14 - (log >> 3))) + 1) & ~1;
}

/** Decodes the angle's index, 0 to `steps`, by the density that its kind of split has. */
function readAngleIndex(reader: BandReader, request: AngleRequest, steps: number): number {
  const { decoder } = reader;
  const half = steps >> 1;
  if (request.isStereo && request.bins > 2) {
    const total = 3 * (half + 1) + half;
    const position = decoder.position(total);
    const edge = 3 * (half + 1);
    const index = position < edge ? Math.floor(position / 3) : half + 1 + position - edge;
    const low = index <= half ? 3 * index : edge + index - 1 - half;
    const weight = index <= half ? 3 : 1;
    decoder.update(low, low + weight, total);
    traceAngle(reader, request, index, steps, weight / total);
    return index;
  }
  if (request.blocks > 1 || request.isStereo) {
    const index = decoder.uniform(steps + 1);
    traceAngle(reader, request, index, steps, 1 / (steps + 1));
    return index;
  }
  const total = (half + 1) * (half + 1);
  const position = decoder.position(total);
  let index: number;
  if (position < (half * (half + 1)) >> 1) index = (integerRoot(8 * position + 1) - 1) >> 1;
  else index = (2 * (steps + 1) - integerRoot(8 * (total - position - 1) + 1)) >> 1;
  const weight = index <= half ? index + 1 : steps + 1 - index;
  const low = index <= half ? (index * (index + 1)) >> 1 : total - (((steps + 1 - index) * (steps + 2 - index)) >> 1);
  decoder.update(low, low + weight, total);
  traceAngle(reader, request, index, steps, weight / total);
  return index;
}

function traceAngle(
  reader: BandReader,
  request: AngleRequest,
  index: number,
  steps: number,
  probability: number,
): void {
  if (!reader.trace) return;
  const resolution = bitLength(steps >> 1);
  const base = request.isStereo
    ? CONTEXT.stereoAngle + 8 * reader.band
    : CONTEXT.splitAngle + (request.blocks > 1 ? 8 : 0);
  // At most 17 classes: both ends for themselves, the rest by equal parts.
  const perClass = Math.max(1, steps / 16);
  const symbolClass = index === 0 ? 0 : Math.min(16, 1 + Math.floor((index - 1) / perClass));
  const size = index === 0 || index === steps ? 1 : perClass;
  reader.trace.add(base + Math.min(7, resolution - 1), index === steps ? 17 : symbolClass, probability, size);
}

function integerRoot(value: number): number {
  return Math.floor(Math.sqrt(value));
}

function multiplyQ15(a: number, b: number): number {
  return (16384 + a * b) >> 15;
}

/** The cosine that all decoders agree on to the bit (RFC 6716 §4.3.4.4). */
function integerCosine(angle: number): number {
  const x = (4096 + angle * angle) >> 13;
  const inner = multiplyQ15(x, 8277 + multiplyQ15(-626, x));
  return 1 + (32767 - x) + multiplyQ15(x, -7651 + inner);
}

function logTangent(sine: number, cosine: number): number {
  const cosineLog = bitLength(cosine);
  const sineLog = bitLength(sine);
  const c = cosine << (15 - cosineLog);
  const s = sine << (15 - sineLog);
  const curve = (v: number): number => multiplyQ15(v, multiplyQ15(v, -2597) + 7932);
  return (sineLog - cosineLog) * 2048 + curve(s) - curve(c);
}
