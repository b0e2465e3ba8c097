import {
  allocationCaps,
  at,
  bandBins,
  type CeltAllocation,
  type CeltShape,
  decodeAllocation,
} from "./celt-allocation.ts";
import { decodeBands } from "./celt-bands.ts";
import {
  type CeltEnergyFrame,
  decodeCoarseEnergy,
  decodeFineEnergy,
  finaliseEnergy,
  silentEnergy,
} from "./celt-energy.ts";
import { CELT_BANDS, SPREAD_ICDF, TAPSET_ICDF, TF_SELECT, TRIM_ICDF } from "./celt-tables.ts";
import type { RangeDecoder } from "./range-decoder.ts";
import { CONTEXT, type SymbolTrace } from "./symbol-trace.ts";

/** What is left to check once a frame's syntax was read to its end. */
export interface CeltFrameResult {
  readonly isSilence: boolean;
  /** False where the bits ran out or a uniform integer was out of range: no encoder wrote this. */
  readonly isValid: boolean;
  readonly energy: CeltEnergyFrame;
}

/** The beginning of a frame's syntax. */
export interface CeltHead {
  readonly isTransient: boolean;
  /** Coarse steps alone. */
  readonly energy: CeltEnergyFrame;
  /** Time–frequency change per band. */
  readonly tf: Int32Array;
  /** Most bits each band can use, and those by which it was boosted, in eighths. */
  readonly caps: Int32Array;
  readonly boosts: Int32Array;
  readonly trim: number;
}

/**
 * Decodes a CELT frame's syntax up to the allocation trim (RFC 6716 §4.3.3): the part that hardly hangs on the frame's
 * size. Symbols but those of the energy go to `trace` where one is given.
 */
export function decodeCeltHead(decoder: RangeDecoder, shape: CeltShape, trace: SymbolTrace | undefined): CeltHead {
  const sizeBits = decoder.sizeBits;
  if (decodeSilence(decoder, sizeBits, trace)) return silentHead(shape);
  if (shape.startBand === 0 && decoder.tell() + 16 <= sizeBits) decodePostFilter(decoder, sizeBits, trace);
  const isTransient = shape.lm > 0 && decoder.tell() + 3 <= sizeBits && decoder.bit(3);
  trace?.add(CONTEXT.transient, isTransient ? 1 : 0, isTransient ? 1 / 8 : 7 / 8);
  const isIntra = decoder.tell() + 3 <= sizeBits && decoder.bit(3);
  trace?.add(CONTEXT.intra, isIntra ? 1 : 0, isIntra ? 1 / 8 : 7 / 8);
  const energy = decodeCoarseEnergy(decoder, shape, isIntra);
  const tf = decodeTimeFrequency(decoder, shape, isTransient, trace);
  if (decoder.tell() + 4 <= sizeBits) {
    const spread = decoder.symbol(SPREAD_ICDF, 5);
    trace?.add(CONTEXT.spread, spread, weightOf(SPREAD_ICDF, spread, 32) / 32);
  }
  const caps = allocationCaps(shape);
  const boosts = new Int32Array(CELT_BANDS);
  const boosted = decodeBoosts(decoder, shape, caps, boosts, trace);
  let trim = USUAL_TRIM;
  if (decoder.tellEighths() + 48 <= boosted) {
    trim = decoder.symbol(TRIM_ICDF, 7);
    trace?.add(CONTEXT.trim, trim, weightOf(TRIM_ICDF, trim, 128) / 128);
  }
  return { isTransient, energy, tf, caps, boosts, trim };
}

const USUAL_TRIM = 5;
const NO_BANDS = new Int32Array(0);

function silentHead(shape: CeltShape): CeltHead {
  const energy = silentEnergy(shape);
  return { isTransient: false, energy, tf: NO_BANDS, caps: NO_BANDS, boosts: NO_BANDS, trim: USUAL_TRIM };
}

/**
 * Decodes the whole syntax of a CELT frame (RFC 6716 §4.3), or of the CELT part of a hybrid one, up to its last bit.
 * Symbols but those of the energy go to `trace` where one is given.
 */
export function decodeCeltFrame(
  decoder: RangeDecoder,
  shape: CeltShape,
  trace: SymbolTrace | undefined,
): CeltFrameResult {
  const sizeBits = decoder.sizeBits;
  const { isTransient, energy, tf, caps, boosts, trim } = decodeCeltHead(decoder, shape, trace);
  if (energy.isSilence) return { isSilence: true, isValid: true, energy };
  const left = sizeBits * 8 - decoder.tellEighths() - 1;
  const antiCollapseReserve = isTransient && shape.lm >= 2 && left >= (shape.lm + 2) << 3 ? 8 : 0;
  const allocation = decodeAllocation(decoder, shape, boosts, caps, trim, left - antiCollapseReserve);
  traceAllocation(shape, allocation, trace);
  decodeFineEnergy(decoder, shape, allocation, energy);
  decodeBands(decoder, { shape, isTransient, tf, allocation, total: sizeBits * 8 - antiCollapseReserve }, trace);
  if (antiCollapseReserve > 0) {
    const isOn = decoder.rawBits(1);
    trace?.add(CONTEXT.antiCollapse, isOn, 0.5);
  }
  finaliseEnergy(decoder, shape, allocation, energy, sizeBits - decoder.tell());
  return { isSilence: false, isValid: !decoder.hasRangeError && decoder.tell() <= sizeBits, energy };
}

/** Weight of a symbol of an inverse cumulative table. */
function weightOf(inverseCumulative: Int32Array, symbol: number, total: number): number {
  return (symbol === 0 ? total : at(inverseCumulative, symbol - 1)) - at(inverseCumulative, symbol);
}

function decodeSilence(decoder: RangeDecoder, sizeBits: number, trace: SymbolTrace | undefined): boolean {
  const tell = decoder.tell();
  const isSilence = tell >= sizeBits || (tell === 1 && decoder.bit(15));
  trace?.add(CONTEXT.silence, isSilence ? 1 : 0, isSilence ? 2 ** -15 : 1 - 2 ** -15);
  if (isSilence) decoder.consumeAll();
  return isSilence;
}

function decodePostFilter(decoder: RangeDecoder, sizeBits: number, trace: SymbolTrace | undefined): void {
  const isOn = decoder.bit(1);
  trace?.add(CONTEXT.postFilter, isOn ? 1 : 0, 0.5);
  if (!isOn) return;
  const octave = decoder.uniform(6);
  trace?.add(CONTEXT.octave, octave, 1 / 6);
  decoder.rawBits(4 + octave);
  const gain = decoder.rawBits(3);
  trace?.add(CONTEXT.gain, gain, 1 / 8);
  if (decoder.tell() + 2 <= sizeBits) {
    const tapset = decoder.symbol(TAPSET_ICDF, 2);
    trace?.add(CONTEXT.tapset, tapset, tapset === 0 ? 0.5 : 0.25);
  }
}

/** tf_change and tf_select (RFC 6716 §4.3.4.5), resolved to the change of each band. */
function decodeTimeFrequency(
  decoder: RangeDecoder,
  shape: CeltShape,
  isTransient: boolean,
  trace: SymbolTrace | undefined,
): Int32Array {
  const result = new Int32Array(CELT_BANDS);
  let budget = decoder.sizeBits;
  let logp = isTransient ? 2 : 4;
  const hasSelect = shape.lm > 0 && decoder.tell() + logp + 1 <= budget;
  if (hasSelect) budget--;
  let current = 0;
  let anyChange = 0;
  const context = CONTEXT.tf + (isTransient ? 2 : 0);
  for (let band = shape.startBand; band < shape.endBand; band++) {
    if (decoder.tell() + logp <= budget) {
      const flip = decoder.bit(logp);
      trace?.add(context + (band > shape.startBand ? 1 : 0), flip ? 1 : 0, flip ? 2 ** -logp : 1 - 2 ** -logp);
      if (flip) current ^= 1;
      anyChange |= current;
    }
    result[band] = current;
    logp = isTransient ? 4 : 5;
  }
  const row = (shape.lm * 2 + (isTransient ? 1 : 0)) * 4;
  let select = 0;
  if (hasSelect && TF_SELECT[row + anyChange] !== TF_SELECT[row + 2 + anyChange]) {
    select = decoder.bit(1) ? 1 : 0;
    trace?.add(CONTEXT.tfSelect, select, 0.5);
  }
  for (let band = shape.startBand; band < shape.endBand; band++) {
    result[band] = at(TF_SELECT, row + 2 * select + at(result, band));
  }
  return result;
}

/** Dynamic allocation (RFC 6716 §4.3.3); returns the frame's eighths of a bit less those boosted. */
function decodeBoosts(
  decoder: RangeDecoder,
  shape: CeltShape,
  caps: Int32Array,
  boosts: Int32Array,
  trace: SymbolTrace | undefined,
): number {
  let firstLogp = 6;
  let total = decoder.sizeBits * 8;
  let tell = decoder.tellEighths();
  for (let band = shape.startBand; band < shape.endBand; band++) {
    const width = shape.channels * bandBins(band, shape.lm);
    const quantum = Math.min(width << 3, Math.max(48, width));
    let logp = firstLogp;
    let boost = 0;
    while (tell + (logp << 3) < total && boost < at(caps, band)) {
      const isSet = decoder.bit(logp);
      if (boost === 0) trace?.add(CONTEXT.boost + band, isSet ? 1 : 0, isSet ? 2 ** -logp : 1 - 2 ** -logp);
      tell = decoder.tellEighths();
      if (!isSet) break;
      boost += quantum;
      total -= quantum;
      logp = 1;
    }
    boosts[band] = boost;
    if (boost > 0) firstLogp = Math.max(2, firstLogp - 1);
  }
  return total;
}

function traceAllocation(shape: CeltShape, allocation: CeltAllocation, trace: SymbolTrace | undefined): void {
  if (!trace) return;
  trace.add(CONTEXT.skip, allocation.codedBands, 2 ** -(1 + shape.endBand - allocation.codedBands));
  if (shape.channels !== 2) return;
  trace.add(CONTEXT.intensity, allocation.intensityBand, 1 / (allocation.codedBands + 1 - shape.startBand));
  trace.add(CONTEXT.dualStereo, allocation.isDualStereo ? 1 : 0, 0.5);
}
