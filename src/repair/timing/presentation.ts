import type { PacketLog } from "../scan/packet-log.ts";
import { createLossEstimate, type LossEstimate, type LostPackets } from "./loss.ts";
import { learnPace, MAX_REORDER, type Pace, type Part, splitParts } from "./sequences.ts";

/**
 * Where each picture of a track stands in presentation order, counted in frames from the first one shown. Pictures that
 * were lost leave holes in the count, so that times keep the gap.
 */
export interface PresentationOrder {
  /** Display index per picture, in decode order. */
  readonly displayIndexes: Float64Array;
  /** Place in decode order per picture, in frames, those that were lost counted. */
  readonly decodeIndexes: Float64Array;
  /** Whether order counts tell what was lost; else bytes do, which is far less sure. */
  readonly isCounted: boolean;
}

/** Pictures after a gap among which those shown before the first of them are sought. */
const LOOKED_AT = 64;
const MAX_MISSING = 4096;
/** An estimate of lost frames may be this far off, or by this share. */
const NEAR_FRAMES = 5;
const NEAR_SHARE = 0.4;

/** Where the count stands. */
interface Place {
  /** Display index of order count 0 of the sequence at hand, as the counts at hand go. */
  readonly origin: number;
  /** The same by the sequence's sure counts, before any loss. */
  readonly sureOrigin: number;
  /** Display index at which the sequence at hand started, give or take whole periods. */
  readonly sequenceStart: number;
  /** The first index not used yet. */
  readonly next: number;
}

/** One track's pictures and what is known of their order. */
interface Stream {
  readonly log: PacketLog;
  readonly packets: Uint32Array;
  readonly pace: Pace;
  /** Order count per picture; 0 throughout without order. */
  readonly counts: Float64Array;
  readonly loss: LossEstimate;
  /** Whether order counts place pictures even where some are missing. */
  readonly usesCounts: boolean;
}

/**
 * Orders the pictures at `packets` (log indexes in decode order). Without order counts, presentation is decode order;
 * what a gap lost is then judged by its bytes, or by what `lostPictures` tells.
 */
export function orderPictures(log: PacketLog, packets: Uint32Array, lostPictures?: LostPackets): PresentationOrder {
  const parts = splitParts(log, packets);
  const pace = learnPace(log, packets, parts);
  const usesCounts = pace.step > 0 && pace.isRegular;
  const counts = countPictures(log, packets, parts, pace.step);
  const loss = createLossEstimate(log, packets, lostPictures);
  const stream: Stream = { log, packets, pace, counts, loss, usesCounts };
  const displayIndexes = new Float64Array(packets.length);
  let place: Place = { origin: 0, sureOrigin: 0, sequenceStart: 0, next: 0 };
  parts.forEach((part, index) => {
    const least = leastCount(stream, part);
    const { origin, sequenceStart } = originOf(stream, part, place, least, parts[index + 1]);
    const after = parts[index + 1];
    const isWhole = !part.isAfterGap && after?.startsSequence === true && !after.isAfterGap;
    if (usesCounts && !isWhole) {
      for (let at = part.from; at < part.to; at++) displayIndexes[at] = origin + countAt(stream, at);
    } else rankPart(counts, part, origin + least, displayIndexes);
    let next = place.next;
    for (let at = part.from; at < part.to; at++) next = Math.max(next, (displayIndexes[at] as number) + 1);
    const sureOrigin = moduloOf(stream, part) > 0 ? place.sureOrigin : origin;
    place = { origin, sureOrigin, sequenceStart, next };
  });
  return { displayIndexes, decodeIndexes: decodeOrder(displayIndexes, parts), isCounted: usesCounts };
}

/**
 * Places in decode order. A stream's pictures are decoded ahead of their presentation by a delay that its reordering just
 * needs: some picture of every mini-GOP is shown when it is decoded. By what the delay seems to grow, a gap took frames.
 */
function decodeOrder(displayIndexes: Float64Array, parts: readonly Part[]): Float64Array {
  const lead = (from: number, to: number): number => {
    let least = Number.POSITIVE_INFINITY;
    for (let at = from; at < to; at++) least = Math.min(least, (displayIndexes[at] as number) - at);
    return least;
  };
  const gaps = parts.flatMap(({ from, isAfterGap }) => (isAfterGap && from > 0 ? [from] : []));
  const decodeIndexes = new Float64Array(displayIndexes.length);
  const startsLate = parts[0]?.isAfterGap === true;
  let [lost, from] = [
    startsLate ? lostAtStart(displayIndexes.subarray(0, Math.min(gaps[0] ?? LOOKED_AT, LOOKED_AT))) : 0,
    0,
  ];
  [...gaps, displayIndexes.length].forEach((to, index) => {
    for (let at = from; at < to; at++) decodeIndexes[at] = at + lost;
    const after = lead(to, Math.min(gaps[index + 1] ?? displayIndexes.length, to + LOOKED_AT));
    const before = lead(Math.max(from, to - LOOKED_AT), to);
    lost += Math.max(0, after - before);
    from = to;
  });
  return decodeIndexes;
}

/** Frames lost before the first pictures of a stream, given their display indexes: the least lead that reordering leaves. */
function lostAtStart(displayIndexes: Float64Array): number {
  const ranks = Uint32Array.from(displayIndexes, (_, at) => at);
  ranks.sort((a, b) => (displayIndexes[a] as number) - (displayIndexes[b] as number) || a - b);
  let [lead, reordering] = [Number.POSITIVE_INFINITY, 0];
  ranks.forEach((at, rank) => {
    lead = Math.min(lead, (displayIndexes[at] as number) - at);
    reordering = Math.min(reordering, rank - at);
  });
  return Math.max(0, lead - reordering);
}

/** Frames lost directly before the picture at `position`. */
export function framesLostBefore({ decodeIndexes }: PresentationOrder, position: number): number {
  if (position === 0) return decodeIndexes[0] ?? 0;
  return (decodeIndexes[position] as number) - (decodeIndexes[position - 1] as number) - 1;
}

/** Order counts; a picture that has none, as what it shows was lost, stands beside its neighbours in decode order. */
function countPictures(log: PacketLog, packets: Uint32Array, parts: readonly Part[], step: number): Float64Array {
  const counts = Float64Array.from(packets, (packet) => log.poc(packet));
  const isKnown = (at: number): boolean => log.hasOrder(packets[at] as number);
  for (const { from, to } of parts) {
    let first = from;
    while (first < to && !isKnown(first)) first++;
    if (first === to) continue;
    for (let at = first - 1; at >= from; at--) counts[at] = (counts[at + 1] as number) - step;
    for (let at = first + 1; at < to; at++) if (!isKnown(at)) counts[at] = (counts[at - 1] as number) + step;
  }
  return counts;
}

/** Order count in pictures; 0 throughout without order. */
function countAt({ counts, pace }: Stream, position: number): number {
  return Math.round((counts[position] as number) / Math.max(1, pace.step));
}

/** Display indexes of a part's order count 0, and of where its sequence started: not the same once counts wrapped. */
type Origin = Pick<Place, "origin" | "sequenceStart">;

/** Where a part's order counts begin, by where those before it stand and what was lost between them. */
function originOf(stream: Stream, part: Part, place: Place, least: number, after: Part | undefined): Origin {
  const { loss, usesCounts } = stream;
  const anew = (origin: number): Origin => ({
    origin,
    sequenceStart: usesCounts || part.startsSequence ? origin : place.sequenceStart,
  });
  const startsAnew = part.startsSequence || !usesCounts;
  if (!part.isAfterGap && startsAnew) return anew(place.next - least);
  const { sequenceStart } = place;
  if (!part.isAfterGap) return part.isSureAgain ? anew(place.sureOrigin) : { origin: place.origin, sequenceStart };
  const bytes = loss.bytesBefore(part.from);
  // Sure counts that follow tell where this part ends; else bytes tell where it starts.
  const sureStart = usesCounts && after?.isSureAgain ? place.sureOrigin + leastCount(stream, after) : Number.NaN;
  const sureLost = sureStart - (part.to - part.from) - place.next;
  const lost = Math.max(0, Number.isNaN(sureLost) ? loss.packetsIn(bytes) : sureLost);
  if (startsAnew) return anew(place.next + framesBefore(stream, part, place, after) - least);
  const modulus = moduloOf(stream, part);
  const same = nearestTurn(place, least, place.next + lost, modulus);
  // The rarer counts wrap, the less it is chance that they come near: the same sequence then may be further off.
  const tolerance = Math.max(NEAR_FRAMES, lost * NEAR_SHARE, Math.min(modulus / 4, lost + NEAR_FRAMES));
  const isNear = same !== undefined && Math.abs(same + least - place.next - lost) <= tolerance;
  // Wherever its counts wrapped, it is the same sequence, which started where it did.
  if (isNear && !isOverlong(stream, part, same - sequenceStart)) return { origin: same, sequenceStart };
  // The start of a later sequence was lost: it and what else is missing since then take their part of the bytes.
  const missingBytes = loss.bytesOf(missingCounts(stream, part, 0), 1);
  return anew(place.next + fillSequences(stream, place, Math.max(0, bytes - missingBytes), 0));
}

/** Frames lost before a part that order counts do not place. */
function framesBefore(stream: Stream, part: Part, place: Place, after: Part | undefined): number {
  const bytes = stream.loss.bytesBefore(part.from);
  if (part.startsSequence) return fillSequences(stream, place, bytes, 0);
  if (after?.startsSequence && !after.isAfterGap) return fillSequences(stream, place, bytes, part.to - part.from);
  return Math.round(Math.max(0, stream.loss.packetsIn(bytes)));
}

/**
 * Frames that so many lost bytes are worth, if the next sequence starts `toStart` frames after them: where sequences have
 * one length, as many as fill them. Where some are shorter, as encoders also start one at a change of scene, this holds if
 * the bytes are near.
 */
function fillSequences({ pace, loss }: Stream, place: Place, bytes: number, toStart: number): number {
  const { period, isPeriodic } = pace;
  const lost = Math.max(0, loss.packetsIn(bytes));
  const since = place.next - place.sequenceStart;
  if (period === 0 || (!isPeriodic && since + toStart > period)) return Math.round(lost);
  const missing = (((period - since - toStart) % period) + period) % period;
  let [filled, nearest] = [missing, Number.POSITIVE_INFINITY];
  for (let frames = missing; frames <= lost + 2 * period; frames += period) {
    const syncs = Math.max(0, Math.floor((since + frames - (toStart > 0 ? 0 : 1)) / period));
    const off = Math.abs(loss.bytesOf(frames, syncs) - bytes);
    if (off < nearest) [filled, nearest] = [frames, off];
  }
  const isNear = Math.abs(filled - lost) <= Math.max(NEAR_FRAMES, lost * NEAR_SHARE);
  return isPeriodic || isNear ? filled : Math.round(lost);
}

/** Whether a part, moved on by so many pictures, would make its sequence longer than any seen whole. */
function isOverlong(stream: Stream, part: Part, shift: number): boolean {
  const { period } = stream.pace;
  if (period === 0 || moduloOf(stream, part) === 0) return false;
  let highest = 0;
  for (let at = part.from; at < part.to; at++) highest = Math.max(highest, countAt(stream, at));
  return highest + shift >= period;
}

/** Pictures lost before a part: counts from `from` to the highest of the first few that no picture of the part has. */
function missingCounts(stream: Stream, part: Part, from: number): number {
  const seen = new Set<number>();
  let highest = from;
  for (let at = part.from; at < Math.min(part.to, part.from + LOOKED_AT); at++) {
    const count = countAt(stream, at);
    seen.add(count);
    if (at < part.from + MAX_REORDER / 2) highest = Math.max(highest, count);
  }
  let missing = 0;
  const nearest = Math.max(from, highest - MAX_MISSING);
  for (let count = nearest; count < highest; count++) if (!seen.has(count)) missing++;
  return missing + nearest - from;
}

/** The origin, moved on by whole turns of the modulus (0: none), that puts the picture nearest to where it is expected. */
function nearestTurn(place: Place, least: number, expected: number, modulus: number): number | undefined {
  const turns = modulus > 0 ? Math.round((expected - least - place.origin) / modulus) : 0;
  const origins = [turns, turns - 1, turns + 1].map((count) => Math.round(place.origin + count * modulus));
  return origins.find((origin) => origin + least >= place.next - MAX_REORDER / 4);
}

function leastCount(stream: Stream, part: Part): number {
  let least = Number.POSITIVE_INFINITY;
  for (let at = part.from; at < part.to; at++) least = Math.min(least, countAt(stream, at));
  return least;
}

function rankPart(counts: Float64Array, part: Part, base: number, displayIndexes: Float64Array): void {
  const positions = Uint32Array.from({ length: part.to - part.from }, (_, index) => part.from + index);
  positions.sort((a, b) => (counts[a] as number) - (counts[b] as number) || a - b);
  positions.forEach((position, rank) => {
    displayIndexes[position] = base + rank;
  });
}

/** Pictures after which order counts may wrap, a fraction for some clocks, where a part follows a gap; 0 where they do not. */
function moduloOf({ log, packets, pace }: Stream, part: Part): number {
  const known = packets.subarray(part.from, part.to).find((packet) => log.hasOrder(packet));
  return known === undefined ? 0 : log.pocModulus(known) / pace.step;
}
