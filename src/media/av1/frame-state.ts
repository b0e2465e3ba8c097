import type { Av1SequenceHeader } from "./sequence-header.ts";

/** Quantizer feature of each of eight segments; undefined where the segment has none. */
export type SegmentQuantizers = readonly (number | undefined)[];

/** What later frame headers need to know of a frame in one of the eight reference slots (AV1 §7.20). */
export interface Av1ReferenceFrame {
  /** frame_type: 0 key, 1 inter, 2 intra only, 3 switch. */
  readonly frameType: number;
  readonly showableFrame: boolean;
  /** Order hint in the sequence's OrderHintBits. */
  readonly orderHint: number;
  readonly upscaledWidth: number;
  readonly frameHeight: number;
  /** Quantizer feature of each of eight segments, undefined where the segment has none; undefined where not parsed. */
  readonly segmentQuantizers: SegmentQuantizers | undefined;
}

/**
 * Everything the syntax of the next sample depends on. Immutable: a probe returns the state after the sample, and the
 * caller keeps the one it believes in.
 */
export interface Av1State {
  /** Undefined before the first sequence header where the container gave none. */
  readonly sequence: Av1SequenceHeader | undefined;
  /** Eight slots; undefined where nothing was decoded into one yet, or after a loss. */
  readonly references: readonly (Av1ReferenceFrame | undefined)[];
  /** Order hint of the latest shown frame; undefined at the start and after a loss. */
  readonly shownOrderHint: number | undefined;
}

/** A state in which no frame was seen: for the start of a stream, and after a loss. */
export function createAv1State(sequence?: Av1SequenceHeader): Av1State {
  return { sequence, references: new Array<undefined>(8).fill(undefined), shownOrderHint: undefined };
}

/** get_relative_dist (AV1 §5.9.3): signed distance from order hint `b` to `a`; 0 without order hints. */
export function relativeDistance(orderHintBits: number, a: number, b: number): number {
  if (orderHintBits === 0) return 0;
  const half = 1 << (orderHintBits - 1);
  const difference = a - b;
  return (difference & (half - 1)) - (difference & half);
}
