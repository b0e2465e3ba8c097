import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import { type Candidate, CUT, type PacketParser } from "../codecs/packet-parser.ts";

/** One step through the bytes: one or more packets of one family, back to back. */
export interface Edge {
  readonly family: number;
  readonly packets: readonly Candidate[];
  readonly endOffset: number;
  /** Bits for this step: evidence, continuity and how usual the transition is. */
  readonly scoreBits: number;
}

/** What the search needs to know of the recording beyond the parsers. */
export interface LatticeModel {
  readonly parsers: readonly PacketParser[];
  /** log2 of how usual it is that a run of `to` follows one of `from` (−1 at the start), 0 best, about −8 worst. */
  transitionBits(from: number, to: number): number;
}

/** A packet with this much evidence stands by itself; with less, what follows it must confirm it. */
const SURE_BITS = 28;
/** Evidence enough for a packet that stands exactly where one is expected. */
const EXPECTED_BITS = 10;
/** Evidence enough for a packet together with the start of an open one behind it. */
const STARTED_BITS = 22;
/** An open packet's start that says less than this says nothing: any byte may be one. */
const TELLING_START_BITS = 4;
/** A run with this much evidence of its own needs no comparison with a longer one. */
const FITTING_RUN_BITS = 32;
/** What it costs a run to pass over a sure start as if it were its own bytes. */
const PASSED_ANCHOR_BITS = 20;
const ANCHORS_PER_GAP = 3;
/** Starts inside a gap between two sure packets that are tried as bounds between two open families. */
const MAX_INNER_STARTS = 64;
const BEST_INNER_STARTS = 8;
const MAX_FAMILIES = 256;
const REMEMBERED_PROBES = 64;
/** A zero run this long inside open packets is taken for damage. */
const ZERO_RUN_BYTES = 512;

/** Proposes the steps that lead on from an offset. */
export class Lattice {
  readonly #window: ByteWindow;
  readonly #model: LatticeModel;
  readonly #limit: number;
  readonly #openFamilies: readonly number[];
  /** Probes made lately: looking ahead asks what the next step asks again. */
  readonly #runs = new Map<number, readonly Edge[]>();
  readonly #probes = new Map<number, Candidate | typeof CUT | undefined>();
  /** Anchors found last: valid for questions from `from` on, up to the last offset looked at. */
  #anchors: { from: number; lookedTo: number; offsets: number[] } = { from: 0, lookedTo: 0, offsets: [] };

  /** Bytes at or past `limit` are not there. */
  constructor(window: ByteWindow, model: LatticeModel, limit: number) {
    this.#window = window;
    this.#model = model;
    this.#limit = limit;
    this.#openFamilies = model.parsers.flatMap((parser, family) => (parser.isSelfDelimiting ? [] : [family]));
  }

  /** Every plausible step from `offset` after a packet of `lastFamily` (−1: none), in family order. */
  edges(offset: number, lastFamily: number): Edge[] {
    const edges: Edge[] = [];
    for (let family = 0; family < this.#model.parsers.length; family++) {
      const edge = this.selfEdge(offset, family, lastFamily);
      if (edge !== undefined && edge !== CUT) edges.push(edge);
    }
    const isSure = edges.some((edge) => this.isSure(edge));
    if (!isSure) for (const family of this.#openFamilies) edges.push(...this.#rememberedRuns(offset, family, lastFamily));
    return edges;
  }

  /** The step that a self-delimiting family proposes at `offset`. */
  selfEdge(offset: number, family: number, lastFamily: number): Edge | typeof CUT | undefined {
    const parser = this.#model.parsers[family];
    const candidate = this.#candidate(offset, family);
    if (candidate === CUT) return CUT;
    if (parser === undefined || candidate === undefined) return undefined;
    const scoreBits =
      candidate.evidenceBits + parser.continuityBits(candidate) + this.#model.transitionBits(lastFamily, family);
    return { family, packets: [candidate], endOffset: offset + candidate.sizeBytes, scoreBits };
  }

  /** Whether a self-delimiting packet stands beyond doubt: by itself, or by what follows it. */
  isSure(edge: Edge): boolean {
    const evidenceBits = edge.packets[0]?.evidenceBits ?? 0;
    if (evidenceBits >= SURE_BITS) return true;
    if (evidenceBits < EXPECTED_BITS) return false;
    return this.#isConfirmed(edge.endOffset) || evidenceBits + this.#openStartBits(edge.endOffset) >= STARTED_BITS;
  }

  /** Forgets remembered probes: parameter sets or other state of a parser changed. */
  forget(): void {
    this.#probes.clear();
  }

  #candidate(offset: number, family: number): Candidate | typeof CUT | undefined {
    const parser = this.#model.parsers[family];
    if (!parser?.isSelfDelimiting) return undefined;
    const key = offset * MAX_FAMILIES + family;
    if (this.#probes.has(key)) return this.#probes.get(key);
    if (this.#probes.size >= REMEMBERED_PROBES) this.#probes.clear();
    const candidate = parser.probe(this.#window, offset, this.#limit);
    this.#probes.set(key, candidate);
    return candidate;
  }

  /** Whether some packet starts at `offset`, or behind an open run of usual length from there on. */
  #isConfirmed(offset: number): boolean {
    if (offset >= this.#limit) return offset === this.#limit;
    if (this.#hasPacket(offset)) return true;
    for (const family of this.#openFamilies) {
      const parser = this.#model.parsers[family] as PacketParser;
      if (parser.startEvidenceBits(this.#window, offset) >= SURE_BITS) return true;
      for (const length of parser.usualRunBytes) {
        if (offset + length === this.#limit || this.#hasPacket(offset + length)) return true;
      }
    }
    return false;
  }

  /** Evidence that an open packet starts at `offset`, as far as its first bytes tell. */
  #openStartBits(offset: number): number {
    let bits = 0;
    for (const family of this.#openFamilies) {
      const startBits = this.#model.parsers[family]?.startEvidenceBits(this.#window, offset) ?? 0;
      if (startBits >= TELLING_START_BITS) bits = Math.max(bits, startBits);
    }
    return bits;
  }

  /** Whether a self-delimiting packet (whole, or cut by the end of the data) stands at a place where one is expected. */
  #hasPacket(offset: number): boolean {
    for (let family = 0; family < this.#model.parsers.length; family++) {
      const candidate = this.#candidate(offset, family);
      if (candidate === CUT || (candidate !== undefined && candidate.evidenceBits >= EXPECTED_BITS)) return true;
    }
    return false;
  }

  /** Runs are dear to find, and looking ahead asks what the next step asks again. */
  #rememberedRuns(offset: number, family: number, lastFamily: number): readonly Edge[] {
    const key = offset * MAX_FAMILIES + family;
    const known = this.#runs.get(key);
    if (known) return known;
    if (this.#runs.size >= REMEMBERED_PROBES) this.#runs.clear();
    const edges = this.#openEdges(offset, family, lastFamily);
    this.#runs.set(key, edges);
    return edges;
  }

  #openEdges(offset: number, family: number, lastFamily: number): Edge[] {
    const parser = this.#model.parsers[family] as PacketParser;
    const startBits = parser.startEvidenceBits(this.#window, offset);
    if (startBits <= 0) return [];
    const prior = this.#model.transitionBits(lastFamily, family);
    const edges: Edge[] = [];
    const offer = (end: number, passedAnchors = 0): void => {
      for (const run of parser.splitRun(this.#window, offset, end)) {
        const scoreBits = prior - run.costBits - passedAnchors * PASSED_ANCHOR_BITS;
        edges.push({ family, packets: run.packets, endOffset: end, scoreBits });
      }
    };
    for (const length of parser.usualRunBytes) {
      const end = offset + length;
      if (end === this.#limit || (end < this.#limit && this.#hasPacket(end))) offer(end);
      if (edges.length > 0) return edges;
    }
    const ends = this.#runEnds(offset, parser.maxRunBytes);
    for (const [passedAnchors, end] of ends.entries()) {
      offer(end, passedAnchors);
      // A run that fits well up to the first sure start has no business beyond it.
      if (edges.some((edge) => edge.scoreBits >= FITTING_RUN_BITS)) break;
    }
    // Where two open families stand side by side, the starts of the one with the shorter runs bound the other.
    for (const other of this.#openFamilies) {
      const isShorter = (this.#model.parsers[other]?.maxRunBytes ?? 0) < parser.maxRunBytes;
      if (isShorter) edges.push(...this.#innerEdges(offset, ends, family, other, prior));
    }
    return edges;
  }

  /** Offsets behind `offset` where an open run may end: sure starts, damage, or the end of the data. */
  #runEnds(offset: number, maxRunBytes: number): number[] {
    const reach = Math.min(this.#limit, offset + maxRunBytes);
    const anchors = this.#findAnchors(offset + 1, reach);
    if (anchors.length > 0) return anchors;
    const zeros = findZeroRun(this.#window, offset, reach, ZERO_RUN_BYTES);
    if (zeros >= 0) return zeros > offset ? [zeros] : [];
    return reach === this.#limit ? [this.#limit] : [];
  }

  #findAnchors(from: number, to: number): number[] {
    const known = this.#anchors;
    const isKnown = from >= known.from && from <= known.lookedTo;
    const offsets = isKnown ? known.offsets.filter((anchor) => anchor >= from) : [];
    let at = isKnown ? known.lookedTo : from;
    while (at < to && offsets.length < ANCHORS_PER_GAP) {
      if (this.#isAnchor(at)) offsets.push(at);
      at++;
    }
    this.#anchors = { from, lookedTo: at, offsets };
    return offsets.filter((anchor) => anchor <= to).slice(0, ANCHORS_PER_GAP);
  }

  /** Whether a packet stands here so surely that it shows in a search over every byte. */
  #isAnchor(offset: number): boolean {
    for (let family = 0; family < this.#model.parsers.length; family++) {
      const parser = this.#model.parsers[family] as PacketParser;
      const startBits = parser.startEvidenceBits(this.#window, offset);
      if (startBits <= 0) continue;
      if (!parser.isSelfDelimiting) {
        if (startBits >= SURE_BITS) return true;
        continue;
      }
      const edge = this.selfEdge(offset, family, -1);
      if (edge === CUT && startBits >= SURE_BITS / 2) return true;
      if (typeof edge === "object" && this.isSure(edge)) return true;
    }
    return false;
  }

  /**
   * Runs of `family` that end where a packet of `other` may start, near enough before a sure start that `other` can fill
   * the rest: the likeliest few for each of the first two sure starts. Only an open family whose starts are told apart
   * from other bytes bounds another.
   */
  #innerEdges(offset: number, ends: readonly number[], family: number, other: number, prior: number): Edge[] {
    const parser = this.#model.parsers[family] as PacketParser;
    const second = this.#model.parsers[other] as PacketParser;
    const edges: Edge[] = [];
    let from = offset + 1;
    for (const [passedAnchors, end] of ends.slice(0, 2).entries()) {
      const found: Edge[] = [];
      for (let at = Math.max(from, end - second.maxRunBytes); at < end && found.length < MAX_INNER_STARTS; at++) {
        if (second.startEvidenceBits(this.#window, at) < TELLING_START_BITS) continue;
        for (const run of parser.splitRun(this.#window, offset, at)) {
          const scoreBits = prior - run.costBits - passedAnchors * PASSED_ANCHOR_BITS;
          found.push({ family, packets: run.packets, endOffset: at, scoreBits });
        }
      }
      found.sort((a, b) => b.scoreBits - a.scoreBits || a.endOffset - b.endOffset);
      edges.push(...found.slice(0, passedAnchors === 0 ? BEST_INNER_STARTS : 1));
      from = end;
    }
    return edges;
  }
}

/** Offset of the first run of at least `lengthBytes` zeros in `[from, to)`, or −1. */
export function findZeroRun(window: ByteWindow, from: number, to: number, lengthBytes: number): number {
  let at = from;
  while (at < to) {
    const visible = Math.min(window.load(at, Math.min(64 * 1024, to - at)), to - at);
    if (visible <= 0) return -1;
    const base = at - window.baseOffset;
    let zeros = 0;
    for (let index = 0; index < visible; index++) {
      zeros = window.bytes[base + index] === 0 ? zeros + 1 : 0;
      if (zeros === lengthBytes) return at + index + 1 - lengthBytes;
    }
    if (at + visible >= to) return -1;
    at += Math.max(1, visible - zeros);
  }
  return -1;
}
