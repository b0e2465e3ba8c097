import type { Family } from "../assign.ts";
import type { Candidate, PacketParser } from "../codecs/packet-parser.ts";
import type { Padding } from "../learn/padding.ts";

/** One step through the bytes: one or more packets of one family, back to back, and what was found together with them. */
export interface Edge {
  readonly family: number;
  readonly packets: readonly Candidate[];
  /** Where the next packet may begin: behind what padding follows. */
  readonly endOffset: number;
  /** Bits for this step and those before it: evidence, continuity and how usual the transitions are. */
  readonly scoreBits: number;
  /** The step that leads to this one, where neither could be found without the other. */
  readonly before?: Edge;
}

/** What the search needs to know of the recording beyond the parsers. */
export interface LatticeModel {
  readonly parsers: readonly PacketParser[];
  /** What the recorder leaves unused between packets. */
  readonly padding: Padding;
  /** By parser: the tracks that share it. */
  readonly families: readonly Family[];
  /** log2 of how usual it is that a run of `to` follows one of `from` (−1 at the start), 0 best, about −8 worst. */
  transitionBits(from: number, to: number): number;
}

/** log2 of how usual it is that `samples` of sound of a family follow one packet of another one, and then its next. */
export type RunBits = (before: number, family: number, durationSamples: number) => number;

/** The steps that an edge is made of, first one first, each without those before it. */
export function partsOf(edge: Edge): Edge[] {
  if (edge.before === undefined) return [edge];
  const { family, packets, endOffset } = edge;
  const scoreBits = edge.scoreBits - edge.before.scoreBits;
  return [...partsOf(edge.before), { family, packets, endOffset, scoreBits }];
}

/** Whether a step is raw sound, which begins anywhere and goes on to what stands behind it. */
export function isRawRun(model: LatticeModel, { family }: Edge): boolean {
  const parser = model.parsers[family];
  return parser !== undefined && !parser.isSelfDelimiting && parser.usualRunBytes.length > 0;
}
