import type { OpusCandidates } from "./candidates.ts";
import type { OpusStreamState } from "./evaluate.ts";
import type { OpusModel } from "./model.ts";

/** One way to cut a run of bytes into packets. */
export interface OpusSplit {
  /** Where each packet starts, and last where the run ends: one more than there are packets. */
  readonly boundaries: readonly number[];
  /**
   * −log2 of how much likelier the bytes are so cut than as any bytes: lower is better, negative is good. How likely
   * the run's start is otherwise counts in, its end does not.
   */
  readonly costBits: number;
  readonly durationSamples: number;
}

/** The bytes that a run is sought in, and what is known of it. */
export interface OpusStretch {
  readonly bytes: Uint8Array;
  /** Where `bytes[0]` lies in the recording. */
  readonly baseOffset: number;
  readonly startIndex: number;
  readonly endIndex: number;
  /** States after the packet before the run; by default nothing is known. */
  readonly states?: readonly OpusStreamState[];
  /**
   * Where the run may start, with the log2 of how likely each place is otherwise (0 for no opinion); by default it
   * starts at `startIndex`.
   */
  readonly starts?: ReadonlyMap<number, number>;
  /**
   * Where the run may end, with what speaks for each place otherwise, in bits; by default it ends at `endIndex`. What is
   * left up to there may also be the beginning of one more packet.
   */
  readonly ends?: ReadonlyMap<number, number>;
  /** log2 of how usual a run of so many samples per channel is, 0 at most; does not count into the cost. */
  readonly durationBits?: ((durationSamples: number) => number) | undefined;
  /** Whether only places are tried that begin as some packet of the track was seen to: much quicker; default no. */
  readonly onlySeenStarts?: boolean;
  /** How many ways to return at most; default 4. */
  readonly maxResults?: number;
}

interface Path {
  readonly index: number;
  readonly previous: Path | undefined;
  readonly bits: number;
  /** Of the last packet alone. */
  readonly endBits: number;
  readonly durationSamples: number;
  readonly states: readonly OpusStreamState[];
}

/** The best paths to each place, best first. */
type Arrivals = Map<number, Path[]>;

interface SearchMode {
  /** Only ways that go on from this one. */
  readonly from?: Path;
  /** Only by places that begin well, where they will do. */
  readonly isQuick?: boolean;
}

/** Paths kept per place on the way: a later packet may reverse the order of near ones. */
const PATHS_PER_PLACE = 3;
/** A path so much worse than the best at its place does not come back: what follows costs both about the same. */
const HOPELESS_BITS = 24;
/** Places that begin with less than this are tried only where the others do not lead to a certain result. */
const GOOD_START_BITS = 4;
/** What each packet of a certain result has at least, and how much of it must come from what hangs on its size. */
const CERTAIN_BITS = 16;
const CERTAIN_END_BITS = 2;
/** A run of so unusual a length is not certain, whatever its packets show. */
const UNUSUAL_BITS = -2;
const SLIGHT_BITS = -1;
/** Packets at the end of a run that another choice of its end may change. */
const UNSETTLED_PACKETS = 2;
/** What following a path by a packet that was read already costs, against reading one. */
const FOLLOW_COST = 1 / 8;
const DEFAULT_RESULTS = 4;

/** Finds the best ways to cut a stretch into whole packets of the track, best first. Empty where there is none. */
export function splitOpusRun(stretch: OpusStretch, candidates: OpusCandidates): readonly OpusSplit[] {
  const splits = new RunSearch(stretch, candidates).run();
  return candidates.takeSpent() ? [] : splits;
}

/** Whether a path's last packet has much that speaks for it, and something that speaks for its very end. */
function isCertainPacket({ previous, bits, endBits }: Path): boolean {
  return previous === undefined || (endBits >= CERTAIN_END_BITS && bits - previous.bits >= CERTAIN_BITS);
}

/** Whether every packet of the path is certain. */
function isCertain(path: Path | undefined): boolean {
  for (let at = path; at; at = at.previous) if (!isCertainPacket(at)) return false;
  return path !== undefined;
}

/** The places that may yet be starts: not those inside a packet of the path that is certain, as are its neighbours. */
function outsideCertain(places: readonly number[], path: Path | undefined): readonly number[] {
  const inside: { readonly start: number; readonly end: number }[] = [];
  let behind = path;
  for (let at = path; at?.previous; at = at.previous) {
    const isSettled = [at.previous, at, behind ?? at].every(isCertainPacket);
    if (isSettled) inside.unshift({ start: at.previous.index, end: at.index });
    behind = at;
  }
  let next = 0;
  return places.filter((place) => {
    while (next < inside.length && (inside[next]?.end ?? 0) <= place) next++;
    return place <= (inside[next]?.start ?? Number.POSITIVE_INFINITY);
  });
}

/** One stretch being cut. */
class RunSearch {
  readonly #stretch: OpusStretch;
  readonly #candidates: OpusCandidates;
  readonly #model: OpusModel;
  readonly #states: readonly OpusStreamState[];
  readonly #starts: ReadonlyMap<number, number>;
  readonly #ends: ReadonlyMap<number, number>;
  readonly #maxResults: number;

  constructor(stretch: OpusStretch, candidates: OpusCandidates) {
    this.#stretch = stretch;
    this.#candidates = candidates;
    this.#model = candidates.model;
    this.#states = stretch.states ?? candidates.model.createStates();
    this.#starts = stretch.starts ?? new Map([[stretch.startIndex, 0]]);
    this.#ends = stretch.ends ?? new Map([[stretch.endIndex, 0]]);
    this.#maxResults = stretch.maxResults ?? DEFAULT_RESULTS;
  }

  run(): readonly OpusSplit[] {
    const places = this.#places((byte) => this.#model.isStart(byte));
    // First only with the places that begin well. That is quick, and mostly enough.
    const quick = this.#search(places, { isQuick: true });
    if (isCertain(quick[0]) && this.#durationBits(quick[0]?.durationSamples ?? 0) > UNUSUAL_BITS)
      return this.#settle(places, quick).map((path) => toSplit(path, this.#lead(places, path)));
    const seen = this.#search(outsideCertain(places, quick[0]));
    if (this.#stretch.onlySeenStarts === true || isCertain(seen[0])) return seen.map((path) => toSplit(path));
    const possible = this.#places((byte) => this.#model.isPossibleStart(byte));
    const all = this.#search(outsideCertain(possible, seen[0]));
    return (all.length > 0 ? all : seen).map((path) => toSplit(path));
  }

  /** Where the run's end is open, the last packets of a certain result are sought again among all places. */
  #settle(places: readonly number[], quick: readonly Path[]): readonly Path[] {
    if (this.#ends.size === 1) return quick;
    let from = quick[0] as Path;
    for (let back = 0; back < UNSETTLED_PACKETS && from.previous; back++) from = from.previous;
    return this.#search(
      places.filter((place) => place >= from.index),
      { from },
    );
  }

  /** Places where a packet may start, in order. */
  #places(isStart: (byte: number) => boolean): number[] {
    const { bytes, startIndex, endIndex } = this.#stretch;
    const places: number[] = [];
    for (let index = startIndex; index < endIndex; index++) if (isStart(bytes[index] as number)) places.push(index);
    return places;
  }

  #beginsWell(place: number, states: readonly OpusStreamState[]): boolean {
    const { bytes, baseOffset, endIndex } = this.#stretch;
    return this.#candidates.startBits(bytes, baseOffset, place, endIndex, states) > GOOD_START_BITS;
  }

  /** Viterbi over `places` in order; the best ways to any of the run's ends. */
  #search(places: readonly number[], { from, isQuick = false }: SearchMode = {}): readonly Path[] {
    const { minBytes, maxBytes } = this.#model.sizeBounds;
    const stops = [...new Set([...places, ...this.#ends.keys()])].sort((a, b) => a - b);
    const arrivals: Arrivals = new Map();
    if (from) this.#keep(arrivals, from);
    let next = 0;
    for (const place of places) {
      const startBits = from ? undefined : this.#starts.get(place);
      if (startBits !== undefined && (!isQuick || this.#starts.size === 1 || this.#beginsWell(place, this.#states)))
        this.#keep(arrivals, this.#begin(place, startBits));
      const here = arrivals.get(place);
      if (here === undefined) continue;
      while (next < stops.length && (stops[next] as number) - place < minBytes) next++;
      let last = next;
      while (last < stops.length && (stops[last] as number) - place <= maxBytes) last++;
      const near = stops.slice(next, last);
      if (isQuick) this.#extendWell(arrivals, here, near);
      else for (const end of near) this.#extend(arrivals, here, end);
    }
    return this.#finished(arrivals);
  }

  /** Goes on to places that begin well; behind a certain packet, where that leads to no certain one, to the others too. */
  #extendWell(arrivals: Arrivals, here: readonly Path[], ends: readonly number[]): void {
    const best = here[0] as Path;
    const others: number[] = [];
    let isCertain = false;
    for (const end of ends) {
      const isGood = this.#ends.has(end) || this.#beginsWell(end, best.states) || this.#beginsWell(end, this.#states);
      if (!isGood) others.push(end);
      else if (this.#extend(arrivals, here, end)) isCertain = true;
    }
    const isTrusted = best.previous ? isCertainPacket(best) : this.#starts.size === 1;
    if (!isCertain && isTrusted) for (const end of others) this.#extend(arrivals, here, end);
  }

  #begin(index: number, bits: number): Path {
    return { index, previous: undefined, bits, endBits: 0, durationSamples: 0, states: this.#states };
  }

  /** Whether some way to `end` so found ends in a certain packet. */
  #extend(arrivals: Arrivals, here: readonly Path[], end: number): boolean {
    const { bytes, baseOffset } = this.#stretch;
    const weight = this.#candidates.weigh(bytes, baseOffset, (here[0] as Path).index, end);
    if (weight === undefined || !this.#candidates.spend(FOLLOW_COST * here.length)) return false;
    let isCertain = false;
    for (const previous of here) {
      const { evidenceBits, states } = this.#model.score(weight, previous.states);
      const bits = previous.bits + evidenceBits;
      const durationSamples = previous.durationSamples + weight.reading.durationSamples;
      const path: Path = { index: end, previous, bits, endBits: weight.endBits, durationSamples, states };
      this.#keep(arrivals, path);
      isCertain ||= isCertainPacket(path);
    }
    return isCertain;
  }

  /** Keeps a path at its place, best first, if it is among the best; at an end of the run, as many as are wanted. */
  #keep(arrivals: Arrivals, path: Path): void {
    const isEnd = this.#ends.has(path.index);
    const list = arrivals.get(path.index) ?? [];
    const best = list[0];
    if (!isEnd && best && path.bits < best.bits - HOPELESS_BITS) return;
    let at = list.length;
    while (at > 0 && (list[at - 1] as Path).bits < path.bits) at--;
    const limit = isEnd ? Math.max(this.#maxResults, PATHS_PER_PLACE) : PATHS_PER_PLACE;
    if (at >= limit) return;
    list.splice(at, 0, path);
    while (list.length > limit || (!isEnd && (list.at(-1) as Path).bits < (list[0] as Path).bits - HOPELESS_BITS))
      list.pop();
    arrivals.set(path.index, list);
  }

  #finished(arrivals: ReadonlyMap<number, readonly Path[]>): Path[] {
    const found: { readonly path: Path; readonly bits: number }[] = [];
    for (const [end, endBits] of this.#ends) {
      for (const path of arrivals.get(end) ?? []) {
        if (path.previous === undefined) continue;
        const followBits = Math.max(endBits, this.#nextBits(end, path.states));
        found.push({ path, bits: path.bits + followBits + this.#durationBits(path.durationSamples) });
      }
    }
    found.sort((a, b) => b.bits - a.bits);
    return found.slice(0, this.#maxResults).map(({ path }) => path);
  }

  /** What speaks for one more packet that begins at an end and is cut. */
  #nextBits(index: number, states: readonly OpusStreamState[]): number {
    const { bytes, baseOffset, endIndex } = this.#stretch;
    if (index >= endIndex || !this.#model.isStart(bytes[index] as number)) return Number.NEGATIVE_INFINITY;
    const bits = this.#candidates.startBits(bytes, baseOffset, index, endIndex, states);
    return Number.isFinite(bits) ? bits + this.#model.tocBits(bytes[index] as number) : 0;
  }

  #durationBits(durationSamples: number): number {
    return this.#stretch.durationBits?.(durationSamples) ?? 0;
  }

  /**
   * What comes before a path that began only where places begin well: where the run's start is not known, its first
   * packets may be missing. Found backwards, the likeliest packet each time; undefined where nothing is better.
   */
  #lead(places: readonly number[], path: Path): Lead | undefined {
    const first = firstOf(path);
    if (this.#stretch.starts === undefined || this.#isWhole(path, first)) return undefined;
    let best: Lead = { boundaries: [], bits: first.bits, durationSamples: 0 };
    const likelihood = (bits: number, samples: number): number =>
      bits + this.#durationBits(path.durationSamples + samples);
    let behind: Lead = { boundaries: [], bits: 0, durationSamples: 0 };
    let end = first.index;
    for (;;) {
      let likeliest: Lead | undefined;
      for (const lead of this.#leadsTo(places, end, behind)) {
        const bits = lead.bits + (this.#starts.get(lead.boundaries[0] as number) ?? Number.NEGATIVE_INFINITY);
        const isBetter = likelihood(bits, lead.durationSamples) > likelihood(best.bits, best.durationSamples);
        if (isBetter) best = { ...lead, bits };
        if (lead.bits > (likeliest?.bits ?? 0)) likeliest = lead;
      }
      if (likeliest === undefined || likeliest.bits - behind.bits < CERTAIN_BITS) break;
      behind = likeliest;
      end = likeliest.boundaries[0] as number;
    }
    return best.boundaries.length > 0 ? best : undefined;
  }

  /** Whether a path's start stands, or its duration leaves no room for one packet more. */
  #isWhole(path: Path, first: Path): boolean {
    const packetSamples = path.durationSamples - (path.previous?.durationSamples ?? 0);
    if (this.#durationBits(path.durationSamples) <= SLIGHT_BITS) return false;
    return first.bits >= SURE_START_BITS || this.#durationBits(path.durationSamples + packetSamples) <= UNUSUAL_BITS;
  }

  /** Every packet that ends at `end`, before those already found. */
  *#leadsTo(places: readonly number[], end: number, behind: Lead): Generator<Lead> {
    const { bytes, baseOffset } = this.#stretch;
    const { minBytes, maxBytes } = this.#model.sizeBounds;
    for (const place of places) {
      if (place < end - maxBytes || place > end - minBytes) continue;
      const weight = this.#candidates.weigh(bytes, baseOffset, place, end);
      if (weight === undefined) continue;
      yield {
        boundaries: [place, ...behind.boundaries],
        bits: behind.bits + this.#model.score(weight, this.#states).evidenceBits,
        durationSamples: behind.durationSamples + weight.reading.durationSamples,
      };
    }
  }
}

/** A start that other bytes speak for so much needs no packets before it. */
const SURE_START_BITS = 5;

/** Packets before a path. */
interface Lead {
  /** Where each starts, in order. */
  readonly boundaries: readonly number[];
  readonly bits: number;
  readonly durationSamples: number;
}

function firstOf(path: Path): Path {
  let first = path;
  while (first.previous) first = first.previous;
  return first;
}

function toSplit(path: Path, lead?: Lead): OpusSplit {
  const boundaries: number[] = [];
  for (let at: Path | undefined = path; at; at = at.previous) boundaries.push(at.index);
  return {
    boundaries: [...(lead?.boundaries ?? []), ...boundaries.reverse()],
    costBits: -path.bits - (lead ? lead.bits - firstOf(path).bits : 0),
    durationSamples: path.durationSamples + (lead?.durationSamples ?? 0),
  };
}
