import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import { type Candidate, CUT, type PacketParser } from "../codecs/packet-parser.ts";
import { type Anchor, Anchors } from "./anchors.ts";
import type { Edge, LatticeModel, RunBits } from "./edge.ts";
import { OpenRuns, type Sought } from "./open-runs.ts";
import { Paddings } from "./paddings.ts";

export type { Edge, LatticeModel } from "./edge.ts";

/** A packet with this much evidence stands by itself; with less, what follows it must confirm it. */
const SURE_BITS = 28;
/** An open packet's start that says so much stands out among other bytes. */
const SURE_OPEN_BITS = 18;
/** One that says so much is tried, besides those behind it. */
const WEAK_OPEN_BITS = 9;
/** Evidence enough for a packet that stands exactly where one is expected. */
const EXPECTED_BITS = 10;
/** A packet that the end of the data cuts stands where its start says so much: nothing else ends there then. */
const CUT_START_BITS = 14;
/** Evidence enough for a packet together with the start of an open one behind it. */
const STARTED_BITS = 22;
/** An open packet's start that says less than this says nothing: any byte may be one. */
const TELLING_START_BITS = 4;
/** What speaks against a run that begins where the reference aligns its runs elsewhere. */
const MISALIGNED_BITS = 16;
/** So unusual is a second packet in a run where packets stand alone. */
const ALONE_BITS = -5;
const MAX_FAMILIES = 256;
const REMEMBERED_PROBES = 64;

/** Proposes the steps that lead on from an offset. */
export class Lattice {
  readonly #window: ByteWindow;
  readonly #model: LatticeModel;
  readonly #limit: number;
  readonly #open: OpenRuns;
  readonly #paddings: Paddings;
  /** Families whose packets may stand out among other bytes. */
  readonly #anchoring: readonly number[];
  /** Probes made lately: looking ahead asks what the next step asks again. */
  readonly #probes = new Map<number, Candidate | typeof CUT | undefined>();

  /** Bytes before `start` and at or past `limit` are not there. */
  constructor(window: ByteWindow, model: LatticeModel, start: number, limit: number) {
    this.#window = window;
    this.#model = model;
    this.#limit = limit;
    this.#paddings = new Paddings(window, model.padding, start, limit);
    this.#anchoring = model.parsers.flatMap((parser, family) => (mayAnchor(parser) ? [family] : []));
    const anchorAt = (offset: number): Anchor | undefined => this.#anchorAt(offset);
    this.#open = new OpenRuns(window, model, limit, {
      anchors: new Anchors(window, { isStartByte: (byte) => this.#isAnchorByte(byte), anchorAt }, limit),
      hasAnchors: this.hasAnchors,
      packetBehind: (offset) => this.#packetBehind(offset),
      runStart: (offset, family) => this.#paddings.runStart(offset, this.#tracksOf(family)),
      startBits: (offset) => this.#startBits(offset),
    });
  }

  /**
   * Every plausible step from `offset` after a packet of `lastFamily` (−1: none), in family order. `isNext` says that the
   * packets before it are taken already: only then what a packet goes on from counts. `runBits` tells how long runs are.
   */
  edges(offset: number, lastFamily: number, isNext = true, runBits?: RunBits): Edge[] {
    const edges: Edge[] = [];
    let isCut = false;
    for (let family = 0; family < this.#model.parsers.length; family++) {
      if (family === lastFamily && this.#model.parsers[family]?.isSingle) continue;
      const edge = this.selfEdge(offset, family, lastFamily, isNext);
      if (edge === CUT) isCut ||= this.#startBits(offset) >= CUT_START_BITS;
      else if (edge !== undefined) edges.push(edge);
    }
    if (edges.some((edge) => this.isSure(edge))) return edges;
    for (const family of this.#open.families)
      edges.push(...this.#open.edges(offset, family, lastFamily, isCut, runBits));
    return edges.length === 0 && !isCut ? this.#assumedEdges(offset, lastFamily) : edges;
  }

  /** Where nothing known stands: packets told by their size alone, and by what stands behind them. */
  #assumedEdges(offset: number, lastFamily: number): Edge[] {
    return this.#model.parsers.flatMap((parser, family): Edge[] => {
      const sizeBytes = parser.onlySizeBytes;
      if (sizeBytes === undefined || family === lastFamily || lastFamily < 0) return [];
      const endOffset = this.#packetBehind(offset + sizeBytes);
      if (endOffset === undefined) return [];
      const packet: Candidate = { sizeBytes, evidenceBits: 0, isSync: true, durationSamples: 0 };
      return [{ family, packets: [packet], endOffset, scoreBits: this.#model.transitionBits(lastFamily, family) }];
    });
  }

  /** The likeliest runs of open packets that end exactly at `to`, a sure start, and start at or after `from`, best first. */
  backFill(from: number, to: number): Edge[] {
    return this.#open.backFill(from, to);
  }

  /** Whether some family's packets may stand out among other bytes. */
  get hasAnchors(): boolean {
    return this.#anchoring.length > 0;
  }

  /** The likeliest run of open packets anywhere in the 16 KiB from `from` on, up to zeros. */
  seek(from: number): Sought {
    return this.#open.seek(from);
  }

  /** The step that a self-delimiting family proposes at `offset`. */
  selfEdge(offset: number, family: number, lastFamily: number, isNext = true): Edge | typeof CUT | undefined {
    const parser = this.#model.parsers[family];
    const candidate = this.#candidate(offset, family, lastFamily >= 0 && lastFamily !== family);
    if (candidate === CUT) return CUT;
    if (parser === undefined || candidate === undefined) return undefined;
    const continuityBits = isNext ? parser.continuityBits(candidate) : 0;
    const priorBits = continuityBits + this.#model.transitionBits(lastFamily, family);
    const scoreBits = candidate.evidenceBits + priorBits;
    return { family, packets: [candidate], endOffset: this.goesOnAt(offset + candidate.sizeBytes), scoreBits };
  }

  /** Where the next packet may begin from `end` on, where one ended or the data begin: behind padding, where what stands there says so. */
  goesOnAt(end: number): number {
    if (end >= this.#limit || !this.#paddings.mayBegin(end)) return end;
    const found = this.#packetBehind(end);
    if (found !== undefined) return found;
    const [open, another] = this.#open.families;
    // One that does not tell itself begins where its runs always do.
    return open === undefined || another !== undefined ? end : this.#paddings.runStart(end, this.#tracksOf(open));
  }

  /** Whether a self-delimiting packet stands beyond doubt: by itself, or by what follows it. */
  isSure(edge: Edge): boolean {
    const evidenceBits = edge.packets[0]?.evidenceBits ?? 0;
    if (evidenceBits >= SURE_BITS) return true;
    if (evidenceBits < EXPECTED_BITS) return false;
    return (
      this.#isConfirmed(edge.endOffset, edge.family) ||
      evidenceBits + this.#openStartBits(edge.endOffset) >= STARTED_BITS
    );
  }

  /** Whether a packet that the end of the data cuts begins at `offset`, told by more than chance. */
  hasCut(offset: number): boolean {
    return this.#model.parsers.some(
      (parser, family) =>
        this.#candidate(offset, family) === CUT && parser.startEvidenceBits(this.#window, offset) >= EXPECTED_BITS,
    );
  }

  /** The packet at `offset` is final; the one before it was of `lastFamily` (−1: bytes were lost there, or none was). */
  note(offset: number, family: number, lastFamily: number): void {
    if (family === lastFamily && !this.#standsAlone(family)) return;
    this.#paddings.note(offset, this.#tracksOf(family), lastFamily < 0 && !this.#standsAlone(family));
  }

  /** Bytes were lost: what stands behind them may have moved. */
  doubt(): void {
    this.#paddings.doubt();
  }

  /** Forgets remembered probes: parameter sets or other state of a parser changed. */
  forget(): void {
    this.#probes.clear();
  }

  /**
   * A packet that begins a run, as each does of a family that stands alone, hardly stands where none of the reference's do.
   * One that the data's end cuts is no worse for it: its evidence is its start's alone.
   */
  #candidate(offset: number, family: number, beginsRun = false): Candidate | typeof CUT | undefined {
    const candidate = this.#probe(offset, family);
    if (typeof candidate !== "object" || !(beginsRun || this.#standsAlone(family))) return candidate;
    if (!this.#paddings.excludes(offset, this.#tracksOf(family))) return candidate;
    const evidenceBits = candidate.evidenceBits - MISALIGNED_BITS;
    return evidenceBits > 0 ? { ...candidate, evidenceBits } : undefined;
  }

  /** Whether each packet of a family is a run of its own. */
  #standsAlone(family: number): boolean {
    return this.#model.transitionBits(family, family) <= ALONE_BITS;
  }

  #tracksOf(family: number): readonly number[] {
    return this.#model.families[family]?.tracks ?? [];
  }

  #probe(offset: number, family: number): Candidate | typeof CUT | undefined {
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
  #isConfirmed(offset: number, family: number): boolean {
    if (offset >= this.#limit) return offset === this.#limit;
    if (this.#hasPacket(offset, this.#model.parsers[family]?.isSingle ? family : -1)) return true;
    for (const family of this.#open.families) {
      const parser = this.#model.parsers[family] as PacketParser;
      if (parser.startEvidenceBits(this.#window, offset) >= SURE_BITS) return true;
      for (const length of parser.usualRunBytes) {
        if (this.#packetBehind(offset + length) !== undefined) return true;
      }
    }
    return false;
  }

  /** Evidence that an open packet starts at `offset`, as far as its first bytes tell. */
  #openStartBits(offset: number): number {
    let bits = 0;
    for (const family of this.#open.families) {
      const startBits = this.#model.parsers[family]?.startEvidenceBits(this.#window, offset) ?? 0;
      if (startBits >= TELLING_START_BITS) bits = Math.max(bits, startBits);
    }
    return bits;
  }

  /** Whether a self-delimiting packet (whole, or cut by the end of the data) stands where one is expected, of a family but one. */
  #hasPacket(offset: number, except = -1): boolean {
    for (let family = 0; family < this.#model.parsers.length; family++) {
      if (family === except) continue;
      const candidate = this.#candidate(offset, family);
      if (candidate === CUT || (candidate !== undefined && candidate.evidenceBits >= EXPECTED_BITS)) return true;
    }
    return false;
  }

  /** The first place at which a self-delimiting packet stands, or the data end: `offset`, or behind padding from there on. */
  #packetBehind(offset: number): number | undefined {
    if (offset > this.#limit) return undefined;
    const isEnd = (at: number): boolean => at === this.#limit || this.#hasPacket(at);
    if (isEnd(offset)) return offset;
    return this.#paddings.mayBegin(offset) ? this.#paddings.endsFrom(offset).find(isEnd) : undefined;
  }

  #isAnchorByte(byte: number): boolean {
    return this.#anchoring.some((family) => this.#model.parsers[family]?.isStartByte?.(byte) ?? true);
  }

  /** A packet that stands at `offset` so surely that it shows in a search over every byte, or nearly so. */
  #anchorAt(offset: number): Anchor | undefined {
    for (const family of this.#anchoring) {
      const parser = this.#model.parsers[family] as PacketParser;
      const startBits = parser.startEvidenceBits(this.#window, offset);
      if (startBits <= 0) continue;
      if (!parser.isSelfDelimiting) {
        if (startBits >= WEAK_OPEN_BITS)
          return { offset, evidenceBits: startBits, isSure: startBits >= SURE_OPEN_BITS };
        continue;
      }
      const edge = this.selfEdge(offset, family, -1);
      if (edge === CUT && startBits >= CUT_START_BITS) return { offset, evidenceBits: startBits, isSure: true };
      if (typeof edge !== "object") continue;
      const evidenceBits = Math.max(startBits, edge.packets[0]?.evidenceBits ?? 0);
      if (this.isSure(edge)) return { offset, evidenceBits, isSure: true };
      const isFollowed = evidenceBits >= EXPECTED_BITS && this.#openStartBits(edge.endOffset) > 0;
      if (isFollowed) return { offset, evidenceBits, isSure: false };
    }
    return undefined;
  }

  /** What speaks for any packet's start at `offset`, even of one that the end of the data cuts. */
  #startBits(offset: number): number {
    let bits = 0;
    for (const family of this.#anchoring) {
      bits = Math.max(bits, this.#model.parsers[family]?.startEvidenceBits(this.#window, offset) ?? 0);
    }
    return bits;
  }
}

function mayAnchor(parser: PacketParser): boolean {
  return parser.isSelfDelimiting || (parser.maxStartBits ?? WEAK_OPEN_BITS) >= WEAK_OPEN_BITS;
}
