import { at, type CeltAllocation, type CeltShape } from "./celt-allocation.ts";
import {
  CELT_BANDS,
  COARSE_ENERGY,
  INTER_BAND_LEAK,
  INTER_TIME_PREDICTION,
  INTRA_BAND_LEAK,
  SMALL_ENERGY_ICDF,
} from "./celt-tables.ts";
import type { RangeDecoder } from "./range-decoder.ts";
import { CONTEXT, type SymbolTrace } from "./symbol-trace.ts";

/** Band energies that one frame leaves for the next to be predicted from. */
export interface CeltEnergy {
  /** log2 of each band's amplitude over its mean, at channel·21 + band. */
  readonly levels: Float64Array;
  /** Whether the levels are those of the frame before, not a guess. */
  isKnown: boolean;
}

/** The state before any frame. */
export function createCeltEnergy(): CeltEnergy {
  return { levels: new Float64Array(2 * CELT_BANDS), isKnown: false };
}

/** An independent copy. */
export function copyCeltEnergy(energy: CeltEnergy): CeltEnergy {
  return { levels: energy.levels.slice(), isKnown: energy.isKnown };
}

/**
 * What one frame says of band energies. Its bits decode the same whatever came before: only the levels that come of
 * them, and how surprising they are, hang on the frame before.
 */
export interface CeltEnergyFrame {
  readonly shape: CeltShape;
  readonly isSilence: boolean;
  readonly isIntra: boolean;
  /** Coarse steps of 6 dB, at channel·21 + band. */
  readonly steps: Int16Array;
  /** The probability that the code gives each step; 1 where nothing was coded. */
  readonly probabilities: Float64Array;
  /** What the fine energy adds, in steps. */
  readonly offsets: Float64Array;
}

/** Decodes the coarse energy (RFC 6716 §4.3.2.1). */
export function decodeCoarseEnergy(decoder: RangeDecoder, shape: CeltShape, isIntra: boolean): CeltEnergyFrame {
  const steps = new Int16Array(2 * CELT_BANDS);
  const probabilities = new Float64Array(2 * CELT_BANDS);
  const row = (2 * shape.lm + (isIntra ? 1 : 0)) * CELT_BANDS;
  for (let band = shape.startBand; band < shape.endBand; band++) {
    for (let channel = 0; channel < shape.channels; channel++) {
      const index = channel * CELT_BANDS + band;
      steps[index] = decodeStep(decoder, row + band, probabilities, index);
    }
  }
  return { shape, isSilence: false, isIntra, steps, probabilities, offsets: new Float64Array(2 * CELT_BANDS) };
}

const NO_STEPS = new Int16Array(0);
const NO_NUMBERS = new Float64Array(0);

/** The energy of a silent frame. */
export function silentEnergy(shape: CeltShape): CeltEnergyFrame {
  return {
    shape,
    isSilence: true,
    isIntra: false,
    steps: NO_STEPS,
    probabilities: NO_NUMBERS,
    offsets: NO_NUMBERS,
  };
}

const SURPRISE_LIMIT = 7;

/**
 * Moves the state on by a frame. What is traced is not the coded step but how far the band's new level lies from the
 * old one: that is what is small in sound and not in noise.
 */
export function followEnergy(energy: CeltEnergy, frame: CeltEnergyFrame, trace: SymbolTrace | undefined): void {
  const { shape, steps, probabilities, isIntra } = frame;
  const { levels } = energy;
  if (frame.isSilence) {
    levels.fill(SILENT_LEVEL);
    energy.isKnown = true;
    return;
  }
  if (shape.channels === 1) {
    for (let band = 0; band < CELT_BANDS; band++)
      levels[band] = Math.max(levels[band] as number, levels[CELT_BANDS + band] as number);
  }
  const time = isIntra ? 0 : (INTER_TIME_PREDICTION[shape.lm] as number);
  const leak = isIntra ? INTRA_BAND_LEAK : (INTER_BAND_LEAK[shape.lm] as number);
  const context = CONTEXT.energy + (energy.isKnown ? 0 : 80) + (isIntra ? 40 : 0);
  let below = 0;
  let [acrossFirst, acrossSecond] = [0, 0];
  for (let band = shape.startBand; band < shape.endBand; band++) {
    let first = 0;
    const quarter = band < 8 ? 0 : band < 13 ? 10 : band < 17 ? 20 : 30;
    for (let channel = 0; channel < shape.channels; channel++) {
      const index = channel * CELT_BANDS + band;
      const step = steps[index] as number;
      const probability = probabilities[index] as number;
      const old = Math.max(-9, levels[index] as number);
      const prediction = time * old + (channel === 0 ? acrossFirst : acrossSecond);
      const expected = energy.isKnown ? Math.round(old - prediction) : 0;
      const surprise = Math.max(-SURPRISE_LIMIT, Math.min(SURPRISE_LIMIT, step - expected));
      if (probability < 1) {
        const kind = channel === 0 ? 2 + clampTo2(below) : 7 + clampTo2(first);
        const size = Math.abs(surprise) === SURPRISE_LIMIT ? 4 : 1;
        trace?.add(context + quarter + kind, surprise + SURPRISE_LIMIT, probability, size);
      }
      if (channel === 0) {
        first = surprise;
        below = surprise;
        acrossFirst += step * (1 - leak);
      } else acrossSecond += step * (1 - leak);
      levels[index] = prediction + step + (frame.offsets[index] as number);
    }
  }
  energy.isKnown = true;
  settle(shape, levels);
}

const SILENT_LEVEL = -28;

function clampTo2(value: number): number {
  return Math.max(-2, Math.min(2, value));
}

/** Bands that the frame does not have, and a second channel that it does not have. */
function settle(shape: CeltShape, levels: Float64Array): void {
  for (let channel = 0; channel < 2; channel++) {
    const base = channel * CELT_BANDS;
    levels.fill(0, base, base + shape.startBand);
    levels.fill(0, base + shape.endBand, base + CELT_BANDS);
  }
  if (shape.channels === 1) levels.copyWithin(CELT_BANDS, 0, CELT_BANDS);
}

/** Decodes one step; what the code made of it goes to `probabilities[index]`. */
function decodeStep(decoder: RangeDecoder, parameters: number, probabilities: Float64Array, index: number): number {
  const left = decoder.sizeBits - decoder.tell();
  if (left >= 15) {
    const zeroWeight = at(COARSE_ENERGY, 2 * parameters) << 7;
    const decay = at(COARSE_ENERGY, 2 * parameters + 1) << 6;
    return decodeLaplace(decoder, zeroWeight, decay, probabilities, index);
  }
  if (left >= 2) {
    const symbol = decoder.symbol(SMALL_ENERGY_ICDF, 2);
    probabilities[index] = symbol === 0 ? 0.5 : 0.25;
    return (symbol >> 1) ^ -(symbol & 1);
  }
  probabilities[index] = left >= 1 ? 0.5 : 1;
  return left < 1 || decoder.bit(1) ? -1 : 0;
}

/** The Laplace-like code: each magnitude keeps a probability of at least 1/32768. */
function decodeLaplace(
  decoder: RangeDecoder,
  zeroWeight: number,
  decay: number,
  probabilities: Float64Array,
  index: number,
): number {
  const position = decoder.position(32768);
  let weight = zeroWeight;
  let low = 0;
  let step = 0;
  if (position >= weight) {
    step = 1;
    low = weight;
    weight = (((32768 - 32 - weight) * (16384 - decay)) >> 15) + 1;
    while (weight > 1 && position >= low + 2 * weight) {
      weight *= 2;
      low += weight;
      weight = (((weight - 2) * decay) >> 15) + 1;
      step++;
    }
    if (weight <= 1) {
      const more = (position - low) >> 1;
      step += more;
      low += 2 * more;
    }
    if (position < low + weight) step = -step;
    else low += weight;
  }
  const high = Math.min(low + weight, 32768);
  decoder.update(low, high, 32768);
  probabilities[index] = (high - low) / 32768;
  return step;
}

/** Reads the fine energy (RFC 6716 §4.3.2.2). */
export function decodeFineEnergy(
  decoder: RangeDecoder,
  shape: CeltShape,
  allocation: CeltAllocation,
  energy: CeltEnergyFrame,
): void {
  for (let band = shape.startBand; band < shape.endBand; band++) {
    const bits = at(allocation.fineBits, band);
    if (bits <= 0) continue;
    for (let channel = 0; channel < shape.channels; channel++) {
      const offset = (decoder.rawBits(bits) + 0.5) / 2 ** bits - 0.5;
      addOffset(energy, channel * CELT_BANDS + band, offset);
    }
  }
}

/** Hands out the bits that are left over, one per channel and band (RFC 6716 §4.3.2.2). */
export function finaliseEnergy(
  decoder: RangeDecoder,
  shape: CeltShape,
  allocation: CeltAllocation,
  energy: CeltEnergyFrame,
  bitsLeft: number,
): void {
  let left = bitsLeft;
  for (let priority = 0; priority < 2; priority++) {
    for (let band = shape.startBand; band < shape.endBand && left >= shape.channels; band++) {
      const fine = at(allocation.fineBits, band);
      if (fine >= 8 || at(allocation.finePriority, band) !== priority) continue;
      for (let channel = 0; channel < shape.channels; channel++) {
        addOffset(energy, channel * CELT_BANDS + band, (decoder.rawBits(1) - 0.5) / 2 ** (fine + 1));
        left--;
      }
    }
  }
}

function addOffset(energy: CeltEnergyFrame, index: number, offset: number): void {
  energy.offsets[index] = (energy.offsets[index] as number) + offset;
}
