import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import { OpusCandidates } from "../../media/opus/candidates.ts";
import type { OpusStreamState } from "../../media/opus/evaluate.ts";
import { learnOpusModel, type OpusModel } from "../../media/opus/model.ts";
import { splitOpusRun } from "../../media/opus/split-run.ts";
import type { Candidate, PacketParser, PlacedRun, Run, RunPlace } from "./packet-parser.ts";
import { STATELESS } from "./probe-parser.ts";
import { ProgressBudget } from "./progress-budget.ts";

const MAX_RESULTS = 2;
/** Runs a little longer than the reference's are looked at. */
const RUN_SLACK = 1.25;
/** A run much longer is found piece by piece. */
const MAX_RUN_BYTES = 64 * 1024;
/** Ends tried for a run that is cut at an unknown place. */
const MAX_CUT_ENDS = 64;
/** A run found by one end alone must be so much likelier than any bytes, besides the choice among its other ends. */
const MIN_FOUND_BITS = 1;
const MOST_FOUND_BITS = 16;
const MIN_DUE_BITS = -12;
/**
 * Candidate packets that one scan may read: without progress, for each byte passed, and for each packet found. A bound
 * on hostile input; healthy recordings of sound alone take up to twelve for each packet, those with pictures fewer.
 */
const READS = { atOnce: 40_000, perByte: 1 / 32, perPacket: 32 } as const;
/** Another family's start that says less tells nothing. */
const MIN_FOLLOW_BITS = 5;
/** A start less likely than this, for what stands before it, is none. */
const MIN_START_BITS = -32;

/**
 * Finds Opus packets, which do not tell their end: by reading each candidate's whole syntax against a learnt model. Each
 * holds packets of `streamCount` elementary streams (more than one for surround sound).
 */
export function createOpusParser(
  samples: Iterable<Uint8Array>,
  largestRunBytes: number,
  streamCount = 1,
): PacketParser {
  const model = learnOpusModel(samples, streamCount);
  const maxRunBytes = Math.min(MAX_RUN_BYTES, Math.ceil(largestRunBytes * RUN_SLACK));
  let startBytes = 0;
  for (let byte = 0; byte < 256; byte++) if (model.isStart(byte)) startBytes++;
  // A start byte alone; the rest of the evidence comes with the end.
  const startBits = Math.max(1, 8 - Math.log2(Math.max(1, startBytes)));
  const budget = new ProgressBudget(READS);
  const candidates = new OpusCandidates(model, budget);
  let states: readonly OpusStreamState[] | undefined;
  return {
    ...STATELESS,
    isSelfDelimiting: false,
    maxRunBytes,
    boundsOwnWork: true,
    probe: () => undefined,
    maxStartBits: startBits,
    startEvidenceBits(window, offset) {
      if (window.load(offset, 1) < 1) return 0;
      return model.isStart(window.bytes[offset - window.baseOffset] as number) ? startBits : 0;
    },
    splitRun(window, start, end): readonly Run[] {
      const length = end - start;
      if (length < model.sizeBounds.minBytes || length > maxRunBytes || window.load(start, length) < length) return [];
      budget.reach(start);
      const stretch = { bytes: window.bytes, baseOffset: window.baseOffset, startIndex: start - window.baseOffset };
      const endIndex = end - window.baseOffset;
      const known = { maxResults: MAX_RESULTS, ...(states ? { states } : {}) };
      return splitOpusRun({ ...stretch, endIndex, ...known }, candidates).map((split) => ({
        packets: toPackets(window.bytes, split.boundaries, split.durationSamples),
        costBits: split.costBits,
      }));
    },
    findRun(window, place) {
      const from = Math.max(place.from, place.end - maxRunBytes);
      if (from >= place.end || window.load(from, place.end - from) < place.end - from) return undefined;
      budget.reach(from);
      return findOpusRun(window, { ...place, from }, candidates, states ?? model.createStates());
    },
    take(candidate) {
      budget.earn(READS.perPacket);
      states = model.observe(candidate.detail as Uint8Array, states ?? model.createStates());
    },
    reset() {
      states = undefined;
    },
  };
}

/** The best run at a place whose bytes are all visible. */
function findOpusRun(
  window: ByteWindow,
  place: RunPlace,
  candidates: OpusCandidates,
  states: readonly OpusStreamState[],
): PlacedRun | undefined {
  const { from } = place;
  const { model } = candidates;
  // A copy: asking for start bits may move the window.
  const bytes = window.bytes.slice(from - window.baseOffset, place.end - window.baseOffset);
  const starts = new Map<number, number>();
  bytes.forEach((byte, index) => {
    if (!(place.isThorough ? model.isPossibleStart(byte) : model.isStart(byte))) return;
    const bits = place.startBits(from + index);
    if (bits > MIN_START_BITS) starts.set(index, bits);
  });
  if (starts.size === 0) return undefined;
  const ends = place.mayBeCut ? cutEnds(bytes, place, model) : new Map([[bytes.length, 0]]);
  const { durationBits } = place;
  const stretch = {
    bytes,
    baseOffset: from,
    startIndex: 0,
    endIndex: bytes.length,
    states,
    starts,
    ends,
    durationBits,
  };
  const [best] = splitOpusRun({ ...stretch, maxResults: 1, onlySeenStarts: !place.isThorough }, candidates);
  if (best === undefined) return undefined;
  const end = best.boundaries.at(-1) as number;
  const choices = place.mayBeCut ? Math.min(bytes.length, model.sizeBounds.maxBytes) : bytes.length;
  const choiceBits = Math.log2(choices);
  // Where the clocks say that a run is due, it stands against there being none; else it must prove itself.
  const neededBits = durationBits ? MIN_DUE_BITS : Math.min(MOST_FOUND_BITS, MIN_FOUND_BITS + choiceBits);
  if ((ends.get(end) ?? 0) - best.costBits <= neededBits) return undefined;
  return {
    packets: toPackets(bytes, best.boundaries, best.durationSamples),
    costBits: best.costBits + (durationBits ? choiceBits : 0),
    startOffset: from + (best.boundaries[0] as number),
    endOffset: from + end,
  };
}

/** Where the last whole packet may end before a cut, with what the bytes of other tracks from there on say for it. */
function cutEnds(bytes: Uint8Array, place: RunPlace, model: OpusModel): ReadonlyMap<number, number> {
  const end = bytes.length;
  const ends: (readonly [number, number])[] = [];
  for (let index = end - 1; index >= 1; index--) {
    const followBits = place.followBits?.(place.from + index) ?? 0;
    const isNear = index >= end - model.sizeBounds.maxBytes && model.isStart(bytes[index] as number);
    if (followBits >= MIN_FOLLOW_BITS || isNear) ends.push([index, followBits]);
  }
  ends.sort((a, b) => b[1] - a[1] || b[0] - a[0]);
  return new Map([[end, place.wholeBits ?? 0], ...ends.slice(0, MAX_CUT_ENDS)]);
}

/** Packets carry their bytes: the model learns from each one taken. */
function toPackets(bytes: Uint8Array, boundaries: readonly number[], durationSamples: number): Candidate[] {
  const count = boundaries.length - 1;
  return Array.from({ length: count }, (_, index) => {
    const [start, end] = [boundaries[index] as number, boundaries[index + 1] as number];
    const detail = bytes.slice(start, end);
    return { sizeBytes: end - start, evidenceBits: 0, isSync: true, durationSamples: durationSamples / count, detail };
  });
}
