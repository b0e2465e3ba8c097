import {
  ALLOCATION,
  ALLOCATION_CAPS,
  ALLOCATION_COUNT,
  BAND_EDGES,
  BAND_LOG_WIDTH,
  CELT_BANDS,
  LOG2_EIGHTHS,
} from "./celt-tables.ts";
import type { RangeDecoder } from "./range-decoder.ts";

const MAX_FINE_BITS = 8;
const FINE_OFFSET = 21;
const INTERPOLATION_STEPS = 6;

/** What fixes a frame's shape. Bands are half-open: `[startBand, endBand)`. */
export interface CeltShape {
  /** log2 of the frame's length in 120-sample units, 0 to 3. */
  readonly lm: number;
  readonly channels: 1 | 2;
  readonly startBand: number;
  readonly endBand: number;
}

/** Where the bits of a frame go (RFC 6716 §4.3.3). Bits are in eighths unless named otherwise. */
export interface CeltAllocation {
  /** First band that was skipped: those from here on have fine energy at most. */
  readonly codedBands: number;
  /** First band coded as intensity stereo; 0 in mono. */
  readonly intensityBand: number;
  readonly isDualStereo: boolean;
  /** Eighths of a bit for the shape of each band. */
  readonly shapeBits: Int32Array;
  /** Whole bits of fine energy per channel of each band. */
  readonly fineBits: Int32Array;
  /** 1 where the band comes last when left-over bits are handed out. */
  readonly finePriority: Int32Array;
  readonly balance: number;
}

/** Most bits each band can use, in eighths. */
export function allocationCaps(shape: CeltShape): Int32Array {
  const caps = new Int32Array(CELT_BANDS);
  const row = (2 * shape.lm + shape.channels - 1) * CELT_BANDS;
  for (let band = 0; band < CELT_BANDS; band++) {
    const bins = bandBins(band, shape.lm);
    caps[band] = ((at(ALLOCATION_CAPS, row + band) + 64) * shape.channels * bins) >> 2;
  }
  return caps;
}

/** Bins of a band at a frame length. */
export function bandBins(band: number, lm: number): number {
  return bandWidth(band) << lm;
}

/** A table's entry; the index is the caller's own arithmetic, so a miss cannot come from the bytes. */
export function at(table: Int32Array, index: number): number {
  return table[index] as number;
}

function bandWidth(band: number): number {
  return at(BAND_EDGES, band + 1) - at(BAND_EDGES, band);
}

interface Curves {
  readonly low: Int32Array;
  readonly step: Int32Array;
  readonly thresholds: Int32Array;
  readonly skipStart: number;
}

/**
 * Computes the allocation and decodes the skip, intensity and dual stereo parameters. `boosts` are the dynamic
 * allocation offsets and `total` the bits left, both in eighths.
 */
export function decodeAllocation(
  decoder: RangeDecoder,
  shape: CeltShape,
  boosts: Int32Array,
  caps: Int32Array,
  trim: number,
  total: number,
): CeltAllocation {
  let left = Math.max(total, 0);
  const skipReserve = left >= 8 ? 8 : 0;
  left -= skipReserve;
  let intensityReserve = 0;
  let dualReserve = 0;
  if (shape.channels === 2) {
    intensityReserve = at(LOG2_EIGHTHS, shape.endBand - shape.startBand);
    if (intensityReserve > left) intensityReserve = 0;
    else {
      left -= intensityReserve;
      dualReserve = left >= 8 ? 8 : 0;
      left -= dualReserve;
    }
  }
  const curves = chooseCurves(shape, boosts, caps, trim, left);
  const bits = interpolate(shape, curves, caps, left);
  const skip = decodeSkips(decoder, shape, curves, bits, left, { skipReserve, intensityReserve });
  let total2 = skip.total;
  let intensityBand = 0;
  if (skip.intensityReserve > 0) {
    intensityBand = shape.startBand + decoder.uniform(skip.codedBands + 1 - shape.startBand);
  }
  if (intensityBand <= shape.startBand) {
    total2 += dualReserve;
    dualReserve = 0;
  }
  const isDualStereo = dualReserve > 0 && decoder.bit(1);
  spreadRemainder(shape, skip.codedBands, bits, total2 - skip.sum);
  const fine = divideFine(shape, bits, caps, { codedBands: skip.codedBands, intensityBand, isDualStereo });
  return { codedBands: skip.codedBands, intensityBand, isDualStereo, shapeBits: bits, ...fine };
}

function curveBits(shape: CeltShape, quality: number, band: number, trimOffset: number): number {
  const raw = ((shape.channels * bandWidth(band) * at(ALLOCATION, quality * CELT_BANDS + band)) << shape.lm) >> 2;
  return raw > 0 ? Math.max(0, raw + trimOffset) : 0;
}

/** Finds the two rows of the static table between which the budget lies. */
function chooseCurves(shape: CeltShape, boosts: Int32Array, caps: Int32Array, trim: number, total: number): Curves {
  const { startBand, endBand, channels, lm } = shape;
  const thresholds = new Int32Array(CELT_BANDS);
  const trims = new Int32Array(CELT_BANDS);
  for (let band = startBand; band < endBand; band++) {
    const width = bandWidth(band);
    thresholds[band] = Math.max(channels << 3, (((3 * width) << lm) << 3) >> 4);
    trims[band] = (channels * width * (trim - 5 - lm) * (endBand - band - 1) * (1 << (lm + 3))) >> 6;
    if (width << lm === 1) trims[band] = at(trims, band) - (channels << 3);
  }
  let lo = 1;
  let hi = ALLOCATION_COUNT - 1;
  while (lo <= hi) {
    const mid = (lo + hi) >> 1;
    let sum = 0;
    let isDone = false;
    for (let band = endBand - 1; band >= startBand; band--) {
      const bits = curveBits(shape, mid, band, at(trims, band)) + at(boosts, band);
      if (bits >= at(thresholds, band) || isDone) {
        isDone = true;
        sum += Math.min(bits, at(caps, band));
      } else if (bits >= channels << 3) sum += channels << 3;
    }
    if (sum > total) hi = mid - 1;
    else lo = mid + 1;
  }
  const upper = lo;
  const lower = lo - 1;
  const low = new Int32Array(CELT_BANDS);
  const step = new Int32Array(CELT_BANDS);
  let skipStart = startBand;
  for (let band = startBand; band < endBand; band++) {
    const boost = at(boosts, band);
    let first = curveBits(shape, lower, band, at(trims, band));
    let second = upper >= ALLOCATION_COUNT ? at(caps, band) : curveBits(shape, upper, band, at(trims, band));
    // The cap, standing in for a twelfth row, is trimmed like one.
    if (upper >= ALLOCATION_COUNT && second > 0) second = Math.max(0, second + at(trims, band));
    if (lower > 0) first += boost;
    second += boost;
    if (boost > 0) skipStart = band;
    low[band] = first;
    step[band] = Math.max(0, second - first);
  }
  return { low, step, thresholds, skipStart };
}

/** Bisects between the two curves, then gives each band its bits. */
function interpolate(shape: CeltShape, curves: Curves, caps: Int32Array, total: number): Int32Array {
  const { startBand, endBand, channels } = shape;
  const floor = channels << 3;
  const { low, step, thresholds } = curves;
  let lo = 0;
  let hi = 1 << INTERPOLATION_STEPS;
  for (let i = 0; i < INTERPOLATION_STEPS; i++) {
    const mid = (lo + hi) >> 1;
    let sum = 0;
    let isDone = false;
    for (let band = endBand - 1; band >= startBand; band--) {
      const bits = at(low, band) + ((mid * at(step, band)) >> INTERPOLATION_STEPS);
      if (bits >= at(thresholds, band) || isDone) {
        isDone = true;
        sum += Math.min(bits, at(caps, band));
      } else if (bits >= floor) sum += floor;
    }
    if (sum > total) hi = mid;
    else lo = mid;
  }
  const result = new Int32Array(CELT_BANDS);
  let isDone = false;
  for (let band = endBand - 1; band >= startBand; band--) {
    let bits = at(low, band) + ((lo * at(step, band)) >> INTERPOLATION_STEPS);
    if (bits < at(thresholds, band) && !isDone) bits = bits >= floor ? floor : 0;
    else isDone = true;
    result[band] = Math.min(bits, at(caps, band));
  }
  return result;
}

/** Decodes which high bands are skipped. `bits` is changed to what the skipped bands keep. */
function decodeSkips(
  decoder: RangeDecoder,
  shape: CeltShape,
  curves: Curves,
  bits: Int32Array,
  total: number,
  reserves: { readonly skipReserve: number; readonly intensityReserve: number },
): { codedBands: number; sum: number; total: number; intensityReserve: number } {
  const { startBand, endBand, channels } = shape;
  const floor = channels << 3;
  const firstEdge = at(BAND_EDGES, startBand);
  let { intensityReserve } = reserves;
  let sum = 0;
  for (let band = startBand; band < endBand; band++) sum += at(bits, band);
  let codedBands = endBand;
  for (; ; codedBands--) {
    const band = codedBands - 1;
    if (band <= curves.skipStart) return { codedBands, sum, total: total + reserves.skipReserve, intensityReserve };
    const span = at(BAND_EDGES, codedBands) - firstEdge;
    const perBin = Math.trunc((total - sum) / span);
    const rest = Math.max(total - sum - span * perBin - (at(BAND_EDGES, band) - firstEdge), 0);
    let bandBits = at(bits, band) + perBin * bandWidth(band) + rest;
    if (bandBits >= Math.max(at(curves.thresholds, band), floor + 8)) {
      if (decoder.bit(1)) return { codedBands, sum, total, intensityReserve };
      sum += 8;
      bandBits -= 8;
    }
    sum -= at(bits, band) + intensityReserve;
    if (intensityReserve > 0) intensityReserve = at(LOG2_EIGHTHS, band - startBand);
    sum += intensityReserve;
    bits[band] = bandBits >= floor ? floor : 0;
    if (bandBits >= floor) sum += floor;
  }
}

function spreadRemainder(shape: CeltShape, codedBands: number, bits: Int32Array, remainder: number): void {
  const span = at(BAND_EDGES, codedBands) - at(BAND_EDGES, shape.startBand);
  const perBin = Math.trunc(remainder / span);
  let left = remainder - span * perBin;
  for (let band = shape.startBand; band < codedBands; band++) {
    const width = bandWidth(band);
    const extra = Math.min(left, width);
    bits[band] = at(bits, band) + perBin * width + extra;
    left -= extra;
  }
}

/** Divides each band's bits between fine energy and shape. `bits` becomes the shape's part. */
function divideFine(
  shape: CeltShape,
  bits: Int32Array,
  caps: Int32Array,
  stereo: { readonly codedBands: number; readonly intensityBand: number; readonly isDualStereo: boolean },
): Pick<CeltAllocation, "fineBits" | "finePriority" | "balance"> {
  const { channels, startBand, endBand, lm } = shape;
  const fineBits = new Int32Array(CELT_BANDS);
  const finePriority = new Int32Array(CELT_BANDS);
  const isStereo = channels === 2 ? 1 : 0;
  let balance = 0;
  for (let band = startBand; band < stereo.codedBands; band++) {
    const bins = bandBins(band, lm);
    const available = at(bits, band) + balance;
    let excess: number;
    let fine = 0;
    if (bins > 1) {
      excess = Math.max(available - at(caps, band), 0);
      const kept = available - excess;
      const hasAngle = channels === 2 && bins > 2 && !stereo.isDualStereo && band < stereo.intensityBand;
      const split = splitBand(
        kept,
        channels,
        channels * bins + (hasAngle ? 1 : 0),
        bins,
        at(BAND_LOG_WIDTH, band) + lm * 8,
      );
      fine = split.fine;
      finePriority[band] = split.priority;
      bits[band] = kept - ((channels * fine) << 3);
    } else {
      excess = Math.max(0, available - (channels << 3));
      bits[band] = available - excess;
      finePriority[band] = 1;
    }
    if (excess > 0) {
      const extra = Math.min(excess >> (isStereo + 3), MAX_FINE_BITS - fine);
      fine += extra;
      const extraBits = (extra * channels) << 3;
      finePriority[band] = extraBits >= excess - balance ? 1 : 0;
      excess -= extraBits;
    }
    fineBits[band] = fine;
    balance = excess;
  }
  for (let band = stereo.codedBands; band < endBand; band++) {
    fineBits[band] = (at(bits, band) >> isStereo) >> 3;
    bits[band] = 0;
    finePriority[band] = at(fineBits, band) < 1 ? 1 : 0;
  }
  return { fineBits, finePriority, balance };
}

function splitBand(
  bits: number,
  channels: number,
  degrees: number,
  bins: number,
  logBins: number,
): { fine: number; priority: 0 | 1 } {
  const scaledLog = degrees * logBins;
  let offset = (scaledLog >> 1) - degrees * FINE_OFFSET;
  if (bins === 2) offset += (degrees << 3) >> 2;
  if (bits + offset < (degrees * 2) << 3) offset += scaledLog >> 2;
  else if (bits + offset < (degrees * 3) << 3) offset += scaledLog >> 3;
  let fine = Math.max(0, bits + offset + (degrees << 2));
  fine = Math.floor(fine / degrees) >> 3;
  if (channels * fine > bits >> 3) fine = (bits >> (channels - 1)) >> 3;
  fine = Math.min(fine, MAX_FINE_BITS);
  return { fine, priority: fine * (degrees << 3) >= bits + offset ? 1 : 0 };
}
