import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import type { PacketParser, PlacedRun, RunPlace } from "../codecs/packet-parser.ts";
import { ProgressBudget } from "../codecs/progress-budget.ts";
import type { Anchor, Anchors } from "./anchors.ts";
import type { Edge, LatticeModel, RunBits } from "./edge.ts";
import { findZeroRun, lastZeroRunEnd, skipZeros, zeroRunStart } from "./zeros.ts";

/** What it costs a run at least to pass over a sure start as if it were its own bytes. */
const PASSED_ANCHOR_BITS = 20;
const PASSED_IN_SOUND_BITS = 4;
const ANCHORS_PER_GAP = 3;
/** What speaks for a packet to end just where damage begins or a piece ends, and where the data end: many do. */
const WHOLE_AT_DAMAGE_BITS = -8;
const WHOLE_AT_LIMIT_BITS = 3;
/** Usual lengths of which several runs in a row are made up. */
const MAX_USUAL_LENGTHS = 4;
/** Up to as many runs of one length in a row are tried, or as many as there are tracks. */
const MIN_ROW_RUNS = 6;
/** A zero run this long inside open packets is taken for damage. */
const ZERO_RUN_BYTES = 512;
/** Where no sure start is in sight, a long run is found in pieces of this many bytes. */
const PIECE_BYTES = 16 * 1024;
/** An end at the end of the data that says less than this is rather a cut. */
const MIN_LIMIT_END_BITS = 1.5;
/** Bytes that one scan may search for runs at once, and per byte of progress: a bound on hostile input. */
const SEARCHED = { atOnce: 512 * 1024, perByte: 3 } as const;
/** So close behind a start, one surer by so much is probably the true one. */
const CONTEST_BYTES = 64;
const CONTEST_BITS = 8;
/** Rows of runs that one scan may try at once, and per byte of progress: a bound on hostile references. */
const ROWS_TRIED = { atOnce: 64 * 1024, perByte: 0.25 } as const;
/** Packets of constant size are found at a small part of what others cost. */
const CHEAP_SHARE = 16;
/** What it costs a run to pass over zeros that may be damage. */
const PASSED_ZEROS_BITS = 12;
/** Runs up to so much longer than the usual ones may be silent as a whole. */
const USUAL_RUN_SLACK = 1.25;
/** Behind damage, a usual run of raw sound may begin with so many zeros. */
const QUIET_BYTES = 64;
/** Zeros as long as more usual runs than this, with no other packet among them, were written over some. */
const MAX_SILENT_RUNS = 4;

/** Where an open run may end. */
interface RunEnd {
  readonly offset: number;
  /** Whether the bytes break off there, so that the last packet may be cut. */
  readonly mayBeCut: boolean;
  /** Whether nothing ends there but what is looked at: the next packets tell what the last one is. */
  readonly isPiece?: boolean;
  /** Whether a surer start stands close behind. */
  readonly isContested?: boolean;
  /** What it costs to pass over the sure starts before it. */
  readonly passedBits: number;
}

/** A run of some length. */
interface Stretch {
  readonly offset: number;
  readonly length: number;
}

/** A step that is sought: where it starts, with a packet of which family, and what speaks for that by itself. */
interface Step {
  readonly offset: number;
  readonly family: number;
  readonly prior: number;
  readonly runBits: RunBits | undefined;
}

/** What open runs ask of the self-delimiting families. */
export interface Neighbours {
  readonly anchors: Anchors;
  /** Whether there can be any. */
  readonly hasAnchors: boolean;
  /** Where a self-delimiting packet stands, or the data end: at a place where one is expected, or behind padding there; else undefined. */
  packetBehind(offset: number): number | undefined;
  /** Where the next run of a family begins that is written behind one that ends at `offset`. */
  runStart(offset: number, family: number): number;
  /** What speaks for some other packet's start at an offset, in bits. */
  startBits(offset: number): number;
}

/** A piece that was searched for a run. */
export interface Sought {
  readonly end: number;
  /** Whether the bytes go on behind it, so that a run may reach over its end. */
  readonly isPiece: boolean;
  readonly run: { readonly offset: number; readonly edge: Edge } | undefined;
}

/** Finds runs of packets that don't tell their size, by what bounds them. */
export class OpenRuns {
  readonly families: readonly number[];
  readonly #window: ByteWindow;
  readonly #model: LatticeModel;
  readonly #limit: number;
  readonly #neighbours: Neighbours;
  readonly #budget = new ProgressBudget(SEARCHED);
  readonly #rowBudget = new ProgressBudget(ROWS_TRIED);

  /** Bytes at or past `limit` are not there. */
  constructor(window: ByteWindow, model: LatticeModel, limit: number, neighbours: Neighbours) {
    this.#window = window;
    this.#model = model;
    this.#limit = limit;
    this.#neighbours = neighbours;
    this.families = model.parsers.flatMap((parser, family) => (parser.isSelfDelimiting ? [] : [family]));
  }

  /** The likeliest runs of `family` from `offset` on, one way for each end they may have. */
  edges(offset: number, family: number, lastFamily: number, isCut: boolean, runBits?: RunBits): Edge[] {
    const parser = this.#model.parsers[family] as PacketParser;
    const startBits = parser.startEvidenceBits(this.#window, offset);
    if (startBits <= 0) return [];
    this.#budget.reach(offset);
    this.#rowBudget.reach(offset);
    const prior = this.#model.transitionBits(lastFamily, family);
    const usual = this.#usualEdges(offset, family, prior);
    if (usual.length > 0) return usual;
    const found: Edge[] = [];
    for (const end of this.#runEnds(offset, family)) {
      if (end.mayBeCut && isCut) continue;
      const ways = this.#waysTo({ offset, family, prior, runBits }, end);
      found.push(...ways);
      // What fits up to the first sure start has no business beyond it.
      const isFit = ways.some((way) => way.scoreBits - startBits > prior - PASSED_ANCHOR_BITS);
      if (!end.isContested && isFit) break;
    }
    return found;
  }

  /** The likeliest runs of each open family that end exactly at `to` and start at or after `from`, behind what damage left there, best first. */
  backFill(from: number, to: number): Edge[] {
    const edges: Edge[] = [];
    for (const family of this.families) {
      const parser = this.#model.parsers[family] as PacketParser;
      const longest = Math.max(0, ...parser.usualRunBytes);
      // Farther back nothing tells how long a run of usual lengths is, nor whether it is silent.
      const reach = longest > 0 ? Math.min(parser.maxRunBytes, longest * (MAX_SILENT_RUNS + 1)) : parser.maxRunBytes;
      const start = this.#startBehindZeros(Math.max(from, to - reach), to, parser);
      const run = this.#findRun(family, { from: start, end: to, mayBeCut: false, startBits: () => 0 });
      if (run) edges.push({ family, packets: run.packets, endOffset: to, scoreBits: -run.costBits });
    }
    return edges.sort((a, b) => b.scoreBits - a.scoreBits || a.family - b.family);
  }

  /** The likeliest run of open packets that tell themselves anywhere in a piece from `from` on, up to zeros. */
  seek(from: number): Sought {
    const reach = Math.min(this.#limit, from + PIECE_BYTES);
    const zeros = findZeroRun(this.#window, from, reach, ZERO_RUN_BYTES);
    const end = zeros > from ? zeros : reach;
    let best: Sought["run"];
    for (const family of this.families) {
      if (this.#model.parsers[family]?.usualRunBytes.length !== 0) continue;
      const run = this.#findRun(family, { from, end, mayBeCut: true, startBits: () => 0 });
      if (run === undefined) continue;
      const scoreBits = -run.costBits - Math.log2(end - from);
      if (best !== undefined && best.edge.scoreBits >= scoreBits) continue;
      best = { offset: run.startOffset, edge: { family, packets: run.packets, endOffset: run.endOffset, scoreBits } };
    }
    return { end, isPiece: end === reach && end < this.#limit, run: best };
  }

  #usualEdges(offset: number, family: number, prior: number): Edge[] {
    const parser = this.#model.parsers[family] as PacketParser;
    const isPadded = this.#model.padding.alignments.length > 0;
    // Behind a shorter run stands padding where a longer one would be silent.
    const lengths = isPadded ? parser.usualRunBytes.toSorted((a, b) => a - b) : parser.usualRunBytes;
    for (const length of lengths) {
      const end = offset + length;
      const next = this.#neighbours.packetBehind(end);
      if (next === undefined) continue;
      const runs = this.#split(offset, end, family, prior);
      if (runs.length > 0) return runs.map((run) => ({ ...run, endOffset: next }));
    }
    return this.#severalUsual(offset, family, prior);
  }

  /** Runs of several tracks that share a family, one behind the other, where a packet stands behind them. */
  #severalUsual(offset: number, family: number, prior: number): Edge[] {
    for (const row of this.#usualRows(offset, family)) {
      const edge = this.#rowEdge(row, family, prior);
      if (edge) return [edge];
    }
    return [];
  }

  /** Rows of two runs of usual lengths, then of more of one length; each holds until the next. */
  *#usualRows(offset: number, family: number): Generator<readonly Stretch[]> {
    const usual = (this.#model.parsers[family]?.usualRunBytes ?? []).slice(0, MAX_USUAL_LENGTHS);
    const firsts = usual.map((length): Stretch => ({ offset, length }));
    const behind = (last: Stretch, length: number): Stretch => {
      return { offset: this.#neighbours.runStart(last.offset + last.length, family), length };
    };
    for (const first of firsts) {
      for (const length of usual) yield [first, behind(first, length)];
    }
    const most = Math.max(MIN_ROW_RUNS, this.#model.families[family]?.tracks.length ?? 0);
    for (const first of firsts) {
      const row = [first, behind(first, first.length)];
      while (row.length < most) {
        row.push(behind(row.at(-1) as Stretch, first.length));
        yield row;
      }
    }
  }

  /** A row of runs as one step, where a packet stands behind it. */
  #rowEdge(row: readonly Stretch[], family: number, prior: number): Edge | undefined {
    const last = row.at(-1) as Stretch;
    const next = this.#rowBudget.spend(1) ? this.#neighbours.packetBehind(last.offset + last.length) : undefined;
    if (next === undefined) return undefined;
    let before: Edge | undefined;
    for (const [index, { offset, length }] of row.entries()) {
      const [run] = this.#split(offset, offset + length, family, before ? 0 : prior);
      if (run === undefined) return undefined;
      const scoreBits = (before?.scoreBits ?? 0) + run.scoreBits;
      before = { ...run, scoreBits, endOffset: row[index + 1]?.offset ?? next, ...(before && { before }) };
    }
    return before;
  }

  #split(offset: number, end: number, family: number, prior: number): Edge[] {
    const parser = this.#model.parsers[family] as PacketParser;
    if (!this.#spend(parser, Math.min(end - offset, PIECE_BYTES))) return [];
    return parser.splitRun(this.#window, offset, end).map(({ packets, costBits }) => {
      return { family, packets, endOffset: end, scoreBits: prior - costBits };
    });
  }

  /** The likely ways to one end: the family's run alone, and one with a run of another open family behind it. */
  #waysTo(step: Step, end: RunEnd): Edge[] {
    const { offset, family, prior } = step;
    const parser = this.#model.parsers[family] as PacketParser;
    let alone: readonly Edge[] = [];
    if (end.mayBeCut && parser.findRun !== undefined) alone = this.#cutEdges(step, end);
    else if (!end.mayBeCut || this.#endsWhole(offset, end.offset, parser))
      alone = this.#split(offset, end.offset, family, prior);
    let joint: readonly Edge[] = [];
    if (parser.endBits !== undefined) {
      joint = this.#jointEdges(step, end, false);
      const isPoor = alone.length + joint.length === 0 && !end.mayBeCut;
      if (isPoor) joint = this.#jointEdges(step, end, true);
    }
    return [...alone, ...joint].map((way) => ({ ...way, scoreBits: way.scoreBits - end.passedBits }));
  }

  /** At the end of the data a packet that cannot be told from a cut one is left out. */
  #endsWhole(offset: number, end: number, parser: PacketParser): boolean {
    if (end !== this.#limit) return false;
    const endBits = parser.endBits?.(this.#window, offset);
    return endBits === undefined || endBits(end) >= MIN_LIMIT_END_BITS;
  }

  #cutEdges({ offset, family, prior }: Step, end: RunEnd): Edge[] {
    const startBits = (at: number): number => (at === offset ? 0 : Number.NEGATIVE_INFINITY);
    const run = this.#findRun(family, { from: offset, end: end.offset, mayBeCut: true, startBits });
    if (run === undefined) return [];
    const last = end.isPiece && run.packets.length > 1 ? (run.packets.at(-1)?.sizeBytes ?? 0) : 0;
    const packets = last > 0 ? run.packets.slice(0, -1) : run.packets;
    return [{ family, packets, endOffset: run.endOffset - last, scoreBits: prior - run.costBits }];
  }

  #jointEdges(step: Step, end: RunEnd, isThorough: boolean): Edge[] {
    const others = this.families.filter((other) => other !== step.family);
    return others.flatMap((other) => this.#jointEdge(step, end, other, isThorough) ?? []);
  }

  /** A packet of the step's family and a run of `other` that fills the bytes from its end to a known one. */
  #jointEdge(
    { offset, family, prior, runBits }: Step,
    end: RunEnd,
    other: number,
    isThorough: boolean,
  ): Edge | undefined {
    const parser = this.#model.parsers[family] as PacketParser;
    const second = this.#model.parsers[other] as PacketParser;
    const endBits = parser.endBits?.(this.#window, offset);
    if (endBits === undefined || second.findRun === undefined) return undefined;
    const from = Math.max(offset + 1, end.offset - second.maxRunBytes);
    const durationBits =
      end.mayBeCut || runBits === undefined ? undefined : (samples: number): number => runBits(family, other, samples);
    const place = { from, end: end.offset, mayBeCut: end.mayBeCut, startBits: endBits, isThorough, durationBits };
    const run = this.#findRun(other, place);
    if (run === undefined) return undefined;
    const [before] = parser.splitRun(this.#window, offset, run.startOffset);
    if (before === undefined) return undefined;
    const ownBits = -before.costBits - endBits(run.startOffset);
    const first: Edge = {
      family,
      packets: before.packets,
      endOffset: run.startOffset,
      scoreBits: prior - before.costBits,
    };
    const scoreBits = prior + ownBits - run.costBits + this.#model.transitionBits(family, other);
    return { family: other, packets: run.packets, endOffset: run.endOffset, scoreBits, before: first };
  }

  #findRun(family: number, place: RunPlace): PlacedRun | undefined {
    const parser = this.#model.parsers[family] as PacketParser;
    const bytes = Math.min(place.end - place.from, parser.maxRunBytes, PIECE_BYTES);
    if (!this.#spend(parser, bytes)) return undefined;
    if (!place.mayBeCut) return parser.findRun?.(this.#window, place);
    const followBits = (offset: number): number => this.#neighbours.startBits(offset);
    const wholeBits = place.end === this.#limit ? WHOLE_AT_LIMIT_BITS : WHOLE_AT_DAMAGE_BITS;
    return parser.findRun?.(this.#window, { ...place, followBits, wholeBits });
  }

  /** Where a run may end: at sure starts, at damage, with the data, or after a piece's length. */
  *#runEnds(offset: number, family: number): Generator<RunEnd> {
    const parser = this.#model.parsers[family] as PacketParser;
    const reach = Math.min(this.#limit, offset + parser.maxRunBytes);
    const isTelling = parser.usualRunBytes.length === 0;
    let anchor = this.#nextAnchor(offset, reach, isTelling);
    let passedBits = 0;
    const bound = anchor?.offset ?? reach;
    const zeros = this.#findDamage(offset, bound, family);
    if (zeros >= 0) {
      if (zeros > offset) yield { offset: zeros, mayBeCut: true, passedBits };
      if (parser.endBits !== undefined || this.#isNoSilence(zeros, bound, parser)) return;
      passedBits += PASSED_ZEROS_BITS;
    }
    if (anchor === undefined) {
      // Without other packets, only a run that goes on behind zeros tells that they are its own.
      if (zeros >= 0 && this.#neighbours.hasAnchors) return;
      if (reach === this.#limit) yield { offset: reach, mayBeCut: true, passedBits };
      else yield { offset: Math.min(reach, offset + PIECE_BYTES), mayBeCut: true, isPiece: true, passedBits };
    }
    for (let count = 0; anchor !== undefined && count < ANCHORS_PER_GAP; count += anchor.isSure ? 1 : 0) {
      const next = this.#nextAnchor(anchor.offset, reach, isTelling);
      const isContested = !anchor.isSure || (next !== undefined && isContest(anchor, next));
      yield { offset: anchor.offset, mayBeCut: false, isContested, passedBits };
      // Raw sound may look like anything now and then.
      const passing =
        parser.usualRunBytes.length > 0 ? PASSED_IN_SOUND_BITS : Math.max(PASSED_ANCHOR_BITS, anchor.evidenceBits);
      if (!isContested) passedBits += passing;
      if (next === undefined) break;
      anchor = next;
    }
    if (anchor !== undefined && reach === this.#limit) yield { offset: reach, mayBeCut: true, passedBits };
  }

  /** The next anchor behind `offset`; in raw sound one that is not sure says nothing. */
  #nextAnchor(offset: number, reach: number, isTelling: boolean): Anchor | undefined {
    let anchor = this.#neighbours.anchors.next(offset + 1, reach);
    while (anchor !== undefined && !anchor.isSure && !isTelling)
      anchor = this.#neighbours.anchors.next(anchor.offset + 1, reach);
    return anchor;
  }

  /** Where zeros that are no silence begin in `[offset, end)`, or −1. Sound may well be silent for a usual run's length. */
  #findDamage(offset: number, end: number, family: number): number {
    const longest = Math.max(0, ...(this.#model.parsers[family]?.usualRunBytes ?? [])) * USUAL_RUN_SLACK;
    if (end - offset <= longest) return -1;
    const shareBytes = (end - offset) / (this.#model.families[family]?.tracks.length ?? 1);
    const isBound = (at: number): boolean => Math.abs(Math.round(at / shareBytes) * shareBytes - at) < ZERO_RUN_BYTES;
    let zeros = findZeroRun(this.#window, offset, end, ZERO_RUN_BYTES);
    while (longest > 0 && zeros >= 0) {
      const zerosEnd = skipZeros(this.#window, zeros, end);
      // Of several tracks that share a run, one may be silent.
      if (zerosEnd - zeros < shareBytes - ZERO_RUN_BYTES || !isBound(zeros - offset) || !isBound(zerosEnd - offset))
        break;
      zeros = findZeroRun(this.#window, zerosEnd, end, ZERO_RUN_BYTES);
    }
    return zeros;
  }

  /** Where a run that ends at `to` may begin at the earliest: behind zeros, but where raw sound is silent. */
  #startBehindZeros(from: number, to: number, { usualRunBytes }: PacketParser): number {
    const zerosEnd = lastZeroRunEnd(this.#window, from, to, ZERO_RUN_BYTES);
    if (usualRunBytes.length === 0 || zerosEnd === from) return zerosEnd;
    if (zerosEnd === to) return this.#silentStart(from, to, usualRunBytes) ?? to;
    const quietStart = usualRunBytes
      .map((bytes) => to - bytes)
      .find((start) => start < zerosEnd && start >= Math.max(from, zerosEnd - QUIET_BYTES));
    return quietStart ?? zerosEnd;
  }

  /** Where the last of some silent runs begins that end at `to`. Undefined where the zeros there are no such runs: those that reach back to `from` are damage. */
  #silentStart(from: number, to: number, usualRunBytes: readonly number[]): number | undefined {
    const zeros = zeroRunStart(this.#window, to, from);
    if (zeros <= from) return undefined;
    const length = usualRunBytes.find((bytes) => {
      const runs = Math.floor((to - zeros) / bytes);
      return runs >= 1 && runs <= MAX_SILENT_RUNS && to - zeros - runs * bytes < ZERO_RUN_BYTES;
    });
    return length === undefined ? undefined : to - length;
  }

  /** Whether zeros from `zeros` on last longer than runs that take turns with other packets are silent. */
  #isNoSilence(zeros: number, end: number, parser: PacketParser): boolean {
    const most = MAX_SILENT_RUNS * Math.max(0, ...parser.usualRunBytes);
    if (most === 0 || !this.#neighbours.hasAnchors) return false;
    const limit = Math.min(end, zeros + most + 1);
    return !this.#spend(parser, limit - zeros) || skipZeros(this.#window, zeros, limit) > zeros + most;
  }

  /** Takes from the budget; false once it is used up. */
  #spend(parser: PacketParser, readBytes: number): boolean {
    if (parser.boundsOwnWork) return true;
    return this.#budget.spend(parser.usualRunBytes.length > 0 ? readBytes / CHEAP_SHARE : readBytes);
  }
}

/** Whether one of two anchors is likely an accident: what the other holds looks by chance like a start just before it. */
function isContest(anchor: Anchor, next: Anchor): boolean {
  return next.offset - anchor.offset <= CONTEST_BYTES && next.evidenceBits > anchor.evidenceBits + CONTEST_BITS;
}
