import type { ByteWindow } from "../../media/bytes/byte-window.ts";

/** What presentation order needs of a coded picture, told in decode order. */
export interface PictureOrder {
  /** Picture order count within the coded video sequence. */
  readonly poc: number;
  /** Whether a new coded video sequence starts here: order counts of earlier pictures do not compare. */
  readonly startsSequence: boolean;
  /** After a gap, order counts are only known modulo this; 0 where they are absolute. */
  readonly pocModulus: number;
}

/** One packet that a parser sees at an offset. */
export interface Candidate {
  readonly sizeBytes: number;
  /** −log2 of the chance that random bytes look like this. */
  readonly evidenceBits: number;
  readonly isSync: boolean;
  /** Audio: samples per channel; 0 where the packet does not tell. */
  readonly durationSamples: number;
  /** What the parser wants back in `take` and `commit`; opaque to the scanner. */
  readonly detail?: unknown;
}

/** A parse of a whole byte range as packets of one track, back to back. */
export interface Run {
  readonly packets: readonly Candidate[];
  /** −log2 of the likelihood against random bytes: lower is better, below 0 speaks for the parse. */
  readonly costBits: number;
}

/** Where a run of open packets is sought when only its end is known, or not even that. */
export interface RunPlace {
  /** The run starts here or later. */
  readonly from: number;
  /** The run ends here. */
  readonly end: number;
  /** The bytes break off at `end`, maybe inside a packet: the run is what whole packets there are before it. */
  readonly mayBeCut: boolean;
  /** Before a cut: log2 of how usual it is that the last packet ends just there. */
  readonly wholeBits?: number;
  /** What speaks for another family's packet at an offset, in bits: where the run may end before the cut. */
  readonly followBits?: (offset: number) => number;
  /** log2 of how usual a run of so many samples per channel is here; 0 at most. */
  readonly durationBits?: ((durationSamples: number) => number) | undefined;
  /** Whether a run is worth much time, for which packets of kinds not seen so far are sought too. */
  readonly isThorough?: boolean;
  /** log2 of how likely the run starts at an offset, for what stands before it; −Infinity where it cannot. */
  readonly startBits: (offset: number) => number;
}

/** A run and where it lies. `costBits` counts the place's start bits in. */
export interface PlacedRun extends Run {
  readonly startOffset: number;
  readonly endOffset: number;
}

/** A packet starts at the offset, but runs past the end of the data. */
export const CUT = Symbol("cut");

/** How one kind of track is found in raw bytes. One instance serves one scan: it keeps state between packets. */
export interface PacketParser {
  /** Whether packets tell their own size. Open ones are bounded by what stands beside them. */
  readonly isSelfDelimiting: boolean;
  /** Whether a probe's answer may change once an earlier packet is known. */
  readonly dependsOnPast: boolean;
  /** Longest run between two packets of other tracks in which open packets are sought, in bytes. */
  readonly maxRunBytes: number;
  /** Likeliest lengths of a run in bytes, best first: tried before any search. Only constant-size packets have them. */
  readonly usualRunBytes: readonly number[];
  /** The packet at `offset` that ends at or before `limit`; open parsers always say undefined. */
  probe(window: ByteWindow, offset: number, limit: number): Candidate | typeof CUT | undefined;
  /** Evidence in bits that a packet starts at `offset`, cheap enough to ask at every byte of a damaged range; 0 is no. */
  startEvidenceBits(window: ByteWindow, offset: number): number;
  /** Most that `startEvidenceBits` ever says; no bound where absent. */
  readonly maxStartBits?: number;
  /** Whether a packet may start with this byte: a filter for searches over every byte. Any may where absent. */
  isStartByte?(byte: number): boolean;
  /** Open parsers: the likeliest parses of `[start, end)` as one run, best first; none where it cannot be one. */
  splitRun(window: ByteWindow, start: number, end: number): readonly Run[];
  /** Open parsers that can find a run by its end alone: the likeliest one at a place, undefined where none is likely. */
  findRun?(window: ByteWindow, place: RunPlace): PlacedRun | undefined;
  /** Open parsers of packets that stand alone: log2 odds that the packet which starts at `start` ends at each offset. */
  endBits?(window: ByteWindow, start: number): ((end: number) => number) | undefined;
  /** Open parsers whose questions cost more than their bytes tell: whether they bound their own work. */
  readonly boundsOwnWork?: boolean;
  /** The one size that packets have, where they may look unlike those known: what else stands behind one must tell it then. */
  readonly onlySizeBytes?: number;
  /** Whether the track holds one packet, so that another candidate behind one says nothing for it. */
  readonly isSingle?: boolean;
  /** Bits for or against a candidate in view of the packet taken last. */
  continuityBits(candidate: Candidate): number;
  /** A packet was taken: later probes may rely on what it carries (parameter sets, last sizes). */
  take(candidate: Candidate): void;
  /** Called once per packet in final order; tells the place in presentation order of video that may reorder. */
  commit(candidate: Candidate): PictureOrder | undefined;
  /** A search past damage begins: its probes must not lean on what came before. Absent where none ever do. */
  forgetPast?(): void;
  /** Bytes were lost: what follows need not continue what came before. */
  reset(): void;
}
