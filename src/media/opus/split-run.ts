import type { OpusStreamState } from "./evaluate.ts";
import type { OpusModel } from "./model.ts";

/** One way to cut a run of bytes into packets. */
export interface OpusSplit {
  /** Where each packet starts, and last where the run ends: one more than there are packets. */
  readonly boundaries: readonly number[];
  /** −log2 of how much likelier the bytes are so cut than as any bytes: lower is better, negative is good. */
  readonly costBits: number;
  readonly durationSamples: number;
  /** States for the packet after the run. */
  readonly states: readonly OpusStreamState[];
}

/** What is known of a run besides its bytes. */
export interface OpusRunOptions {
  /** States after the packet before the run; by default nothing is known. */
  readonly states?: readonly OpusStreamState[];
  /** Packets in the run, where known. */
  readonly packetCount?: number;
  /**
   * Where the run may start, with the log2 of how likely each place is otherwise (0 for no opinion); by default it
   * starts at `startIndex`. With `"anywhere"`, bytes before the first packet belong to something else.
   */
  readonly starts?: "anywhere" | ReadonlyMap<number, number>;
  /** Whether only places are tried that begin as some packet of the track was seen to: much quicker; default no. */
  readonly onlySeenStarts?: boolean;
  /** How many ways to return at most; default 4. */
  readonly maxResults?: number;
}

interface Path {
  readonly index: number;
  readonly previous: Path | undefined;
  readonly packets: number;
  readonly bits: number;
  /** Of the last packet alone. */
  readonly endBits: number;
  readonly durationSamples: number;
  readonly states: readonly OpusStreamState[];
}

interface Paths {
  readonly places: Map<number, Path[]>;
  readonly endIndex: number;
  readonly maxResults: number;
}

/** Paths kept per place on the way: a later packet may reverse the order of near ones. */
const PATHS_PER_PLACE = 3;
/** A path so much worse than the best at its place does not come back: what follows costs both about the same. */
const HOPELESS_BITS = 24;
/** A guard for hostile input: candidate packets read in one call. */
const MAX_EVALUATIONS = 20_000;

/**
 * Finds the best ways to cut `[startIndex, endIndex)` into whole packets of the model's track, best first. Empty where
 * there is none.
 */
export function splitOpusRun(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  model: OpusModel,
  options: OpusRunOptions = {},
): readonly OpusSplit[] {
  const states = options.states ?? model.createStates();
  const reach = model.sizeBounds.maxBytes;
  const run: Run = { bytes, startIndex, endIndex, model, options, states };
  const places = candidatePlaces(run, (byte) => model.isStart(byte));
  // First only with the places that begin well. That is quick, and mostly enough.
  const good = places.filter(
    (place) => model.startBits(bytes, place, Math.min(endIndex, place + reach), states) > GOOD_START_BITS,
  );
  const quick = search(run, good);
  if (isCertain(quick[0])) return quick.map((path) => toSplit(path, lead(run, places, path)));
  const seen = search(run, places);
  if (options.onlySeenStarts === true || isCertain(seen[0])) return seen.map((path) => toSplit(path));
  const all = search(
    run,
    candidatePlaces(run, (byte) => model.isPossibleStart(byte)),
  );
  return (all.length > 0 ? all : seen).map((path) => toSplit(path));
}

/** Whether every packet of the path has much that speaks for it, and something that speaks for its very end. */
function isCertain(path: Path | undefined): boolean {
  for (let at = path; at?.previous; at = at.previous) {
    if (at.endBits < CERTAIN_END_BITS || at.bits - at.previous.bits < CERTAIN_BITS) return false;
  }
  return path !== undefined;
}

interface Run {
  readonly bytes: Uint8Array;
  readonly startIndex: number;
  readonly endIndex: number;
  readonly model: OpusModel;
  readonly options: OpusRunOptions;
  readonly states: readonly OpusStreamState[];
}

/** Places that begin with less than this are tried only where the others do not lead to a certain result. */
const GOOD_START_BITS = 4;
/** What each packet of a certain result has at least, and how much of it must come from what hangs on its size. */
const CERTAIN_BITS = 16;
const CERTAIN_END_BITS = 2;

function search(run: Run, places: readonly number[]): readonly Path[] {
  const { bytes, endIndex, model, options } = run;
  const paths: Paths = { places: new Map(), endIndex, maxResults: options.maxResults ?? 4 };
  const begin = (index: number, bits: number): void =>
    keep(paths, { index, previous: undefined, packets: 0, bits, endBits: 0, durationSamples: 0, states: run.states });
  if (options.starts === undefined) begin(run.startIndex, 0);
  else if (options.starts !== "anywhere") for (const [index, bits] of options.starts) begin(index, bits);
  const { minBytes, maxBytes } = model.sizeBounds;
  let evaluations = 0;
  for (const [i, place] of places.entries()) {
    if (options.starts === "anywhere") begin(place, 0);
    const here = paths.places.get(place);
    if (!here) continue;
    for (let j = i + 1; j <= places.length; j++) {
      const end = places[j] ?? endIndex;
      if (end - place < minBytes) continue;
      if (end - place > maxBytes || evaluations > MAX_EVALUATIONS) break;
      for (const path of here) {
        if (options.packetCount !== undefined && path.packets >= options.packetCount) continue;
        evaluations++;
        extend(paths, path, bytes, end, model);
      }
    }
  }
  const whole = (paths.places.get(endIndex) ?? []).filter(
    (path) => path.packets > 0 && (options.packetCount === undefined || path.packets === options.packetCount),
  );
  return whole.slice(0, paths.maxResults);
}

/** Places where a packet may start, in order. */
function candidatePlaces(run: Run, isStart: (byte: number) => boolean): number[] {
  const places: number[] = [];
  for (let i = run.startIndex; i < run.endIndex; i++) if (isStart(run.bytes[i] as number)) places.push(i);
  return places;
}

function extend(paths: Paths, path: Path, bytes: Uint8Array, end: number, model: OpusModel): void {
  const score = model.score(bytes, path.index, end, path.states);
  if (!score) return;
  keep(paths, {
    index: end,
    previous: path,
    packets: path.packets + 1,
    bits: path.bits + score.evidenceBits,
    endBits: score.endBits,
    durationSamples: path.durationSamples + score.durationSamples,
    states: score.states,
  });
}

/** Keeps a path at its place, best first, if it is among the best; at the end of the run, as many as are wanted. */
function keep(paths: Paths, path: Path): void {
  const isEnd = path.index === paths.endIndex;
  const list = paths.places.get(path.index) ?? [];
  const best = list[0];
  if (!isEnd && best && path.bits < best.bits - HOPELESS_BITS) return;
  let at = list.length;
  while (at > 0 && (list[at - 1] as Path).bits < path.bits) at--;
  const limit = isEnd ? Math.max(paths.maxResults, PATHS_PER_PLACE) : PATHS_PER_PLACE;
  if (at >= limit) return;
  list.splice(at, 0, path);
  while (list.length > limit || (!isEnd && (list.at(-1) as Path).bits < (list[0] as Path).bits - HOPELESS_BITS))
    list.pop();
  paths.places.set(path.index, list);
}

/** A start that other bytes speak for so much needs no packets before it. */
const SURE_START_BITS = 5;

/** Packets before a path that began only where places begin well: it may lack its first, where the start is not known. */
function lead(run: Run, places: readonly number[], path: Path): Path | undefined {
  const { starts } = run.options;
  if (!(starts instanceof Map) || run.options.packetCount !== undefined) return undefined;
  let first = path;
  while (first.previous) first = first.previous;
  if (first.bits >= SURE_START_BITS) return undefined;
  const before = places.filter((place) => place < first.index);
  const [best] = search({ ...run, endIndex: first.index }, before);
  return best && best.bits > first.bits ? best : undefined;
}

function toSplit(path: Path, before?: Path): OpusSplit {
  const boundaries: number[] = [];
  let startBits = 0;
  for (let at: Path | undefined = path; at; at = at.previous) {
    boundaries.unshift(at.index);
    startBits = at.bits;
  }
  for (let at = before?.previous; at; at = at.previous) boundaries.unshift(at.index);
  const costBits = -path.bits - (before ? before.bits - startBits : 0);
  return {
    boundaries,
    costBits,
    durationSamples: path.durationSamples + (before?.durationSamples ?? 0),
    states: path.states,
  };
}
