const CAPACITY = 4096;

/**
 * The symbols of one decoded frame, for scoring: what was coded, in which context, and how likely random bytes would
 * have given it. Reused from frame to frame; holds the first 4096 symbols.
 */
export class SymbolTrace {
  /** Number of symbols recorded. */
  count = 0;
  readonly contexts = new Int32Array(CAPACITY);
  /** The symbol's class within its context, 0 to 31. */
  readonly classes = new Uint8Array(CAPACITY);
  /** The probability the code gives the symbol. */
  readonly probabilities = new Float64Array(CAPACITY);
  /** How many of the code's symbols share the class. */
  readonly classSizes = new Float64Array(CAPACITY);

  clear(): void {
    this.count = 0;
  }

  add(context: number, symbolClass: number, probability: number, classSize = 1): void {
    if (this.count >= CAPACITY) return;
    this.contexts[this.count] = context;
    this.classes[this.count] = symbolClass;
    this.probabilities[this.count] = probability;
    this.classSizes[this.count] = classSize;
    this.count++;
  }
}

/** First context of each kind of symbol; each kind has the contexts up to the next. */
export const CONTEXT = {
  silence: 0,
  postFilter: 1,
  octave: 2,
  gain: 3,
  tapset: 4,
  transient: 5,
  intra: 6,
  spread: 7,
  trim: 8,
  tfSelect: 9,
  dualStereo: 10,
  intensity: 11,
  antiCollapse: 12,
  /** 0 valid, 1 bits ran out or an integer was out of range. */
  validity: 13,
  /** 0 the end is as an encoder leaves it, 1 it is not. */
  junction: 14,
  /** + 2·transient + (0 first band, 1 others). */
  tf: 16,
  /** + band. */
  boost: 20,
  /** + band. */
  skip: 41,
  /** + 80·cold + 40·intra + 10·(quarter of the spectrum) + (0–4 first channel by the band below, 5–9 second by the first). */
  energy: 64,
  /** + 8·band + log2 of the resolution, 0 to 7. */
  stereoAngle: 224,
  /** + 8·(0 long blocks, 1 short) + log2 of the resolution. */
  splitAngle: 392,
  /** SILK symbols. */
  silk: 416,
  end: 1024,
} as const;
