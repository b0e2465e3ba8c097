import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import { type Candidate, CUT, type PacketParser } from "../codecs/packet-parser.ts";
import type { Finding } from "../findings.ts";
import { type Edge, isRawRun, partsOf } from "./edge.ts";
import { type ClockState, InterleaveClock } from "./interleave-clock.ts";
import { Lattice } from "./lattice.ts";
import type { ScanModel } from "./model.ts";
import { PacketLog } from "./packet-log.ts";
import { findResync } from "./resync.ts";
import { type Path, searchPath } from "./search.ts";
import { findZeroRun, skipZeros, zeroRunStart } from "./zeros.ts";

/** Two claims on the same bytes are told apart at once only when this many bits lie between them. */
const CONTEST_BITS = 8;
/** Packets held back before they are final, so that a step into a dead end can be undone. */
const HELD_PACKETS = 6;
const SEARCH = { depth: 6, plainBits: 56, expansions: 64 } as const;
const MIN_PADDING_RUN_BYTES = 16;
/** Fewer bytes held no packet of any kind that takes time: they are padding. */
const MIN_LOST_BYTES = 4;
/** Zeros among lost bytes that fill a cluster of a memory card were never written, or wiped: a finding of their own. */
const EMPTY_BYTES = 32 * 1024;
/** Steps between two words of progress. */
const STEPS_PER_PROGRESS = 4096;
/** A run found backwards from a resync must stand on this much. */
const MIN_FILL_BITS = 8;

/** What a scan of raw bytes found. */
export interface ScanResult {
  readonly log: PacketLog;
  readonly findings: readonly Finding[];
  /** Bytes left unused between packets, as the reference leaves some. */
  readonly paddingBytes: number;
}

interface Held {
  readonly family: number;
  readonly offset: number;
  readonly candidate: Candidate;
  readonly afterGap: boolean;
  /** Unused bytes behind it. */
  readonly paddingBytes: number;
  /** How the clock stood before it; absent where there is none. */
  readonly clock: ClockState | undefined;
}

/** Hears of progress about every 4,096 steps, and every MiB of a search through damage; throws to stop the scan. */
export type ScanProgress = (offset: number) => void | Promise<void>;

/** Walks damaged bytes packet by packet. One instance serves one recording. */
export class Scanner {
  readonly #window: ByteWindow;
  readonly #model: ScanModel;
  readonly #log = new PacketLog();
  readonly #findings: Finding[] = [];
  readonly #held: Held[] = [];
  readonly #clock: InterleaveClock | undefined;
  #lattice: Lattice | undefined;
  #lastFamily = -1;
  #afterGap = false;
  #paddingBytes = 0;
  #steps = 0;

  constructor(window: ByteWindow, model: ScanModel) {
    this.#window = window;
    this.#model = model;
    this.#clock = model.interleave && new InterleaveClock(model.interleave);
  }

  get result(): ScanResult {
    return { log: this.#log, findings: this.#findings, paddingBytes: this.#paddingBytes };
  }

  /** Scans `[start, end)`; call once per extent, in rising order. */
  async scan(start: number, end: number, progress?: ScanProgress): Promise<void> {
    const lattice = new Lattice(this.#window, this.#model, start, end);
    // Only the first extent begins where recordings do.
    if (this.#lattice !== undefined) lattice.doubt();
    this.#lattice = lattice;
    let offset = lattice.goesOnAt(start);
    this.#paddingBytes += offset - start;
    while (offset < end) {
      if (++this.#steps % STEPS_PER_PROGRESS === 0) await progress?.(offset);
      offset =
        this.#fastStep(lattice, offset) ??
        this.#searchStep(lattice, offset, end) ??
        (await this.#recover(lattice, offset, end, progress));
    }
    this.#commit(0);
  }

  /** Takes the one packet that stands beyond doubt at `offset`, and returns where it ends. */
  #fastStep(lattice: Lattice, offset: number): number | undefined {
    let best: Edge | undefined;
    let second = 0;
    for (let family = 0; family < this.#model.parsers.length; family++) {
      const edge = lattice.selfEdge(offset, family, this.#lastFamily);
      if (edge === undefined || edge === CUT) continue;
      if (best === undefined || edge.scoreBits > best.scoreBits) {
        second = best?.scoreBits ?? 0;
        best = edge;
      } else second = Math.max(second, edge.scoreBits);
    }
    if (best === undefined || best.scoreBits - second < CONTEST_BITS || !lattice.isSure(best)) return undefined;
    this.#take(best, offset);
    return best.endOffset;
  }

  #searchStep(lattice: Lattice, offset: number, end: number): number | undefined {
    const path = searchPath(lattice, offset, this.#lastFamily, end, SEARCH, { clock: this.#clock });
    return path && isConvincing(path) ? this.#follow(path, offset, end) : undefined;
  }

  /** Takes the beginning of a path: all of it at the end of the data, else the half that later bytes won't revise. */
  #follow(path: Path, offset: number, end: number): number {
    const reachesEnd = path.edges.at(-1)?.endOffset === end;
    const count = reachesEnd || !path.isOpenEnded ? path.edges.length : Math.ceil(path.edges.length / 2);
    let at = offset;
    for (const edge of path.edges.slice(0, count)) {
      this.#take(edge, at);
      at = edge.endOffset;
    }
    return at;
  }

  /** Nothing leads on from `offset`: undo a wrong step, or find where the recording goes on. */
  async #recover(lattice: Lattice, offset: number, end: number, progress?: ScanProgress): Promise<number> {
    const isZero = skipZeros(this.#window, offset, end) - offset >= MIN_PADDING_RUN_BYTES;
    if (!isZero && !lattice.hasCut(offset)) {
      const undone = this.#undo(lattice, offset, end);
      if (undone !== undefined) return undone;
    }
    const damageStart = isZero ? this.#dropDamaged(offset) : offset;
    for (const parser of this.#model.parsers) parser.forgetPast?.();
    lattice.doubt();
    const resync = await findResync(this.#window, this.#model, lattice, offset, end, progress);
    const fills = resync.path ? await this.#fillBefore(lattice, offset, resync.offset, progress) : [];
    let goesOnAt = resync.offset - fills.reduce((sum, fill) => sum + runBytes(fill), 0);
    this.#noteGap(damageStart, goesOnAt, isZero, resync.offset >= end && this.#isCut(lattice, offset));
    if (resync.path === undefined) return end;
    for (const fill of fills) {
      this.#take(fill, goesOnAt);
      goesOnAt += runBytes(fill);
    }
    return this.#follow(resync.path, resync.offset, end);
  }

  /** Packets that do not tell their size are found from behind: what ends where the recording goes on. First one first. */
  async #fillBefore(lattice: Lattice, offset: number, resyncOffset: number, progress?: ScanProgress): Promise<Edge[]> {
    const fills: Edge[] = [];
    for (let end = resyncOffset; end > offset; ) {
      const [best] = lattice.backFill(offset, end);
      if (best === undefined || best.scoreBits < MIN_FILL_BITS) break;
      fills.push(best);
      // Tracks of raw sound write one behind the other.
      if (!isRawRun(this.#model, best)) break;
      end -= runBytes(best);
      if (fills.length % STEPS_PER_PROGRESS === 0) await progress?.(resyncOffset);
    }
    return fills.reverse();
  }

  /** Takes back up to three packets and looks for another way past `offset`. */
  #undo(lattice: Lattice, offset: number, end: number): number | undefined {
    for (let back = 1; back <= 3 && back <= this.#held.length; back++) {
      const from = this.#held[this.#held.length - back] as Held;
      const lastFamily = this.#held[this.#held.length - back - 1]?.family ?? -1;
      // Another family with the same size leads to the same dead end.
      const isSame = (edge: Edge): boolean => {
        const [first] = partsOf(edge);
        return first?.packets[0]?.sizeBytes === from.candidate.sizeBytes;
      };
      const path = searchPath(lattice, from.offset, lastFamily, end, SEARCH, { excluded: isSame });
      const reach = path?.edges.at(-1)?.endOffset ?? 0;
      if (!path?.isOpenEnded || reach <= offset || !isConvincing(path)) continue;
      if (path.edges.some((edge) => edge.scoreBits <= 0)) continue;
      const undone = this.#held.splice(-back);
      // The bytes lost before a packet stay lost, whatever stands in its place.
      this.#afterGap ||= undone.some((held) => held.afterGap);
      if (from.clock) this.#clock?.restore(from.clock);
      return this.#follow(path, from.offset, end);
    }
    return undefined;
  }

  /** Zeros at `offset`: packets that reach into the run are damaged. Returns where the damage starts. */
  #dropDamaged(offset: number): number {
    const start = zeroRunStart(this.#window, offset);
    let damageStart = offset;
    while (this.#held.length > 0) {
      const last = this.#held.at(-1) as Held;
      const end = last.offset + last.candidate.sizeBytes;
      // A packet may rightly end in a few zero bytes; one whose end is mostly zeros was overwritten.
      if (end - start < MIN_PADDING_RUN_BYTES) break;
      this.#held.pop();
      damageStart = last.offset;
      this.#note("damaged-packet", last.offset, end, "left out: its end is zeros");
    }
    return Math.min(damageStart, offset);
  }

  #isCut(lattice: Lattice, offset: number): boolean {
    return this.#model.parsers.some((_, family) => lattice.selfEdge(offset, family, this.#lastFamily) === CUT);
  }

  #noteGap(start: number, end: number, isZero: boolean, isCut: boolean): void {
    if (end <= start) return;
    if (!isCut && end - start < MIN_LOST_BYTES) {
      this.#paddingBytes += end - start;
      return;
    }
    if (isCut) this.#note("cut-packet", start, end, "left out: the recording ends inside it");
    else if (isZero) this.#note("zeros", start, end, "stepped over");
    else this.#noteLost(start, end);
    this.#afterGap = true;
    this.#commit(0);
    // The packets that were held spoke for what was before the gap.
    this.#lattice?.doubt();
    for (const parser of this.#model.parsers) parser.reset();
    this.#clock?.reset();
  }

  /** Lost bytes, and the zeros among them apart: these say nothing of what the reference does not fit. */
  #noteLost(start: number, end: number): void {
    for (let at = start; at < end; ) {
      const zeros = findZeroRun(this.#window, at, end, EMPTY_BYTES);
      const lostEnd = zeros < 0 ? end : zeros;
      if (lostEnd > at) this.#note("lost", at, lostEnd, "stepped over");
      at = zeros < 0 ? end : skipZeros(this.#window, zeros, end);
      if (at > lostEnd) this.#note("zeros", lostEnd, at, "stepped over");
    }
  }

  #note(kind: Finding["kind"], startOffset: number, endOffset: number, action: string): void {
    this.#findings.push({ kind, startOffset, endOffset, action });
  }

  #take(edge: Edge, offset: number): void {
    if (edge.before) this.#take(edge.before, offset);
    let at = edge.before?.endOffset ?? offset;
    const parser = this.#model.parsers[edge.family];
    for (const candidate of edge.packets) {
      parser?.take(candidate);
      const clock = this.#clock?.state;
      const isLast = candidate === edge.packets.at(-1);
      const packetEnd = at + candidate.sizeBytes;
      const paddingBytes = isLast ? Math.max(0, edge.endOffset - packetEnd) : 0;
      this.#held.push({ family: edge.family, offset: at, candidate, afterGap: this.#afterGap, paddingBytes, clock });
      this.#clock?.take({ ...edge, packets: [candidate] });
      this.#afterGap = false;
      at = packetEnd;
    }
    if (parser?.dependsOnPast) this.#lattice?.forget();
    this.#lastFamily = edge.family;
    this.#commit(HELD_PACKETS);
  }

  /** Makes all but the last `keep` packets final. */
  #commit(keep: number): void {
    const count = this.#held.length - keep;
    if (count <= 0 || (keep > 0 && count < HELD_PACKETS)) return;
    for (const held of this.#held.splice(0, count)) {
      const isFirst = held.afterGap || this.#log.count === 0;
      this.#lattice?.note(held.offset, held.family, isFirst ? -1 : this.#log.family(this.#log.count - 1));
      const parser = this.#model.parsers[held.family] as PacketParser;
      this.#paddingBytes += held.paddingBytes;
      this.#log.push({
        family: held.family,
        offset: held.offset,
        sizeBytes: held.candidate.sizeBytes,
        isSync: held.candidate.isSync,
        afterGap: held.afterGap,
        order: parser.commit(held.candidate),
      });
    }
  }
}

/** A path into a dead end holds while each step shows this much: it starts where the packet before it ends. */
const STUCK_STEP_BITS = 10;
const OPEN_PATH_BITS = 8;

function runBytes(edge: Edge): number {
  return edge.packets.reduce((sum, packet) => sum + packet.sizeBytes, 0);
}

/** Whether a path stands on more than luck. */
function isConvincing(path: Path): boolean {
  return path.scoreBits >= (path.isOpenEnded ? OPEN_PATH_BITS : path.edges.length * STUCK_STEP_BITS);
}
