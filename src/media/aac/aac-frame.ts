import type { WindowSequence } from "./ics-info.ts";

/** One raw AAC frame whose end is known, with what tells frames of like tracks apart. */
export interface AacFrame {
  readonly kind: "frame";
  /** Length of the `raw_data_block()`, its byte alignment included. */
  readonly sizeBytes: number;
  /** −log2 of the chance that random bytes pass as well; ≥ 0. Short frames have little. */
  readonly evidenceBits: number;
  /** Samples per channel at the core's rate: 1024 or 960. */
  readonly durationSamples: 960 | 1024;
  /** Of the first channel element: 0 long, 1 long start, 2 eight short, 3 long stop. See `isLegalWindowTransition`. */
  readonly windowSequence: WindowSequence;
  /** Of the first channel element: 0 sine, 1 Kaiser-Bessel derived. */
  readonly windowShape: 0 | 1;
  /** Of the first channel, 0 to 255: follows loudness. */
  readonly globalGain: number;
  /** max_sfb of the first channel element, 0 to 51: follows the encoder's bandwidth. */
  readonly maxBands: number;
  /** element_instance_tag of the first channel element, 0 to 15. */
  readonly elementTag: number;
  /** Whether the first channel element is a pair with a common window. */
  readonly hasCommonWindow: boolean;
  /** Whether a fill element carries spectral band replication. */
  readonly hasSbr: boolean;
  /** Bytes of fill and data stream elements. */
  readonly fillBytes: number;
}

/**
 * Whether a frame with window sequence `next` may follow one with `previous` (ISO/IEC 14496-3 §4.6.11.3.2): long and
 * long stop are followed by long or long start, long start and eight short by eight short or long stop. A few
 * encoders break the rule, so a caller weighs it rather than refusing.
 */
export function isLegalWindowTransition(previous: WindowSequence, next: WindowSequence): boolean {
  const endsShort = previous === 1 || previous === 2;
  const startsShort = next === 2 || next === 3;
  return endsShort === startsShort;
}
