import type { BoundedBits } from "../flac/bounded-bits.ts";
import type { AlacConfig } from "./alac-config.ts";
import { skipResidual } from "./golomb.ts";

const SCE = 0;
const CPE = 1;
const LFE = 3;
const DSE = 4;
const FIL = 6;
const END = 7;

/** Elements by channel count; a single stands for SCE or LFE, since writers differ in what they call the last. */
const ELEMENTS_BY_CHANNELS: readonly (readonly (0 | 1)[])[] = [
  [],
  [SCE],
  [CPE],
  [SCE, CPE],
  [SCE, CPE, SCE],
  [SCE, CPE, CPE],
  [SCE, CPE, CPE, SCE],
  [SCE, CPE, CPE, SCE, SCE],
  [SCE, CPE, CPE, CPE, SCE],
];
const MAX_SIDE_ELEMENTS = 16;
const MAX_SHIFT_BYTES = 2;
const MAX_MIX_BITS = 31;
/** What nearly all encoders write: plain prediction, quantisation by 9 bits, history factor 4. */
const USUAL_QUANTISATION = 9;
const USUAL_HISTORY_FACTOR = 4;

/** Element id, 12 unused zeros, shift and sample count rules. */
const ELEMENT_EVIDENCE_BITS = 15;
const USUAL_MODE_BITS = 3.9;
const ODD_MODE_BITS = -4;
const USUAL_QUANTISATION_BITS = 3;
const ODD_QUANTISATION_BITS = -2;
const USUAL_HISTORY_BITS = 2.8;
const ODD_HISTORY_BITS = -3;
/** A coder that never adapts: what runs of zero bytes look like, and nothing an encoder writes. */
const NO_HISTORY_BITS = -14;
const MIX_BITS = 3;
/** Mono packets leave both mixing fields at zero. */
const UNMIXED_BITS = 14;
const END_EVIDENCE_BITS = 2.7;
/** Evidence of alignment bits that are not zero, which encoders hardly write. */
const ODD_ALIGNMENT_BITS = -4;

/** Walks over one packet at a time. Reused, so that probing allocates nothing. */
export class PacketParser {
  readonly #config: AlacConfig;
  readonly #bits: BoundedBits;
  /** Of the packet parsed last: −log2 of the chance that random bytes pass, ≥ 0. */
  evidenceBits = 0;
  /** Of the packet parsed last: samples per channel. */
  samples = 0;
  readonly #historyFactors = new Uint8Array(2);

  constructor(config: AlacConfig, bits: BoundedBits) {
    this.#config = config;
    this.#bits = bits;
  }

  /** Parses from the bits' place to the byte boundary after END. False where that breaks the syntax. */
  parse(): boolean {
    const bits = this.#bits;
    const elements = ELEMENTS_BY_CHANNELS[this.#config.channels] ?? [];
    this.evidenceBits = 0;
    this.samples = 0;
    let next = 0;
    let sides = 0;
    while (!bits.isPastEnd) {
      const id = bits.bits(3);
      if (id === END) return next === elements.length && this.#finish();
      if (id === DSE || id === FIL) {
        // None is known to lead with these, and a stray one would swallow bytes up to the packet that follows.
        if (next === 0 || ++sides > MAX_SIDE_ELEMENTS) return false;
        this.#skipSide(id);
      } else {
        const expected = elements[next++];
        if (expected === undefined || (id === LFE ? SCE : id) !== expected) return false;
        if (!this.#parseElement(id === CPE ? 2 : 1)) return false;
      }
    }
    return false;
  }

  #finish(): boolean {
    const alignmentBits = -this.#bits.bit & 7;
    const isZero = this.#bits.alignToByte() === 0;
    this.evidenceBits += END_EVIDENCE_BITS + (isZero ? alignmentBits : ODD_ALIGNMENT_BITS);
    this.evidenceBits = Math.max(0, Math.round(this.evidenceBits));
    return true;
  }

  #skipSide(id: number): void {
    const bits = this.#bits;
    if (id === FIL) {
      let countBytes = bits.bits(4);
      if (countBytes === 15) countBytes += bits.bits(8) - 1;
      bits.bit += countBytes * 8;
      return;
    }
    const isAligned = (bits.bits(5) & 1) === 1;
    let countBytes = bits.bits(8);
    if (countBytes === 255) countBytes += bits.bits(8);
    if (isAligned) bits.alignToByte();
    bits.bit += countBytes * 8;
  }

  /** One or two channels: header, then samples written plainly or predictors and residuals. */
  #parseElement(channels: 1 | 2): boolean {
    const bits = this.#bits;
    const head = bits.bits(20);
    if (((head >> 4) & 0xfff) !== 0) return false;
    const isPartial = (head & 8) !== 0;
    const shiftBytes = (head >> 1) & 3;
    const isPlain = (head & 1) === 1;
    const { bitsPerSample, frameSamples } = this.#config;
    if (shiftBytes > MAX_SHIFT_BYTES || shiftBytes * 8 >= bitsPerSample) return false;
    const samples = isPartial ? bits.bits(16) * 0x10000 + bits.bits(16) : frameSamples;
    if (samples === 0 || samples > frameSamples || (this.samples !== 0 && samples !== this.samples)) return false;
    this.samples = samples;
    this.evidenceBits += ELEMENT_EVIDENCE_BITS;
    if (isPlain) {
      if (shiftBytes !== 0) return false;
      bits.bit += samples * bitsPerSample * channels;
      return true;
    }
    return this.#parseCompressed(channels, samples, shiftBytes);
  }

  #parseCompressed(channels: 1 | 2, samples: number, shiftBytes: number): boolean {
    const bits = this.#bits;
    const mixBits = bits.bits(8);
    const mixWeight = bits.bits(8);
    if (mixBits > MAX_MIX_BITS) return false;
    this.evidenceBits += channels === 1 && (mixBits | mixWeight) === 0 ? UNMIXED_BITS : MIX_BITS;
    for (let channel = 0; channel < channels; channel++) this.#parsePredictor(channel);
    if (bits.isPastEnd) return false;
    bits.bit += shiftBytes * 8 * channels * samples;
    const width = this.#config.bitsPerSample - shiftBytes * 8 + channels - 1;
    for (let channel = 0; channel < channels; channel++) {
      const historyFactor = this.#historyFactors[channel] as number;
      if (!skipResidual(bits, this.#config, samples, historyFactor, width)) return false;
      if (bits.isPastEnd) return false;
    }
    return true;
  }

  #parsePredictor(channel: number): void {
    const bits = this.#bits;
    const field = bits.bits(16);
    const historyFactor = (field >> 5) & 7;
    this.#historyFactors[channel] = historyFactor;
    this.evidenceBits +=
      (field >> 12 === 0 ? USUAL_MODE_BITS : ODD_MODE_BITS) +
      (((field >> 8) & 15) === USUAL_QUANTISATION ? USUAL_QUANTISATION_BITS : ODD_QUANTISATION_BITS) +
      (historyFactor === USUAL_HISTORY_FACTOR
        ? USUAL_HISTORY_BITS
        : historyFactor === 0
          ? NO_HISTORY_BITS
          : ODD_HISTORY_BITS);
    bits.bit += (field & 31) * 16;
  }
}
