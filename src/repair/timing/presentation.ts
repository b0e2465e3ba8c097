import type { PacketLog } from "../scan/packet-log.ts";
import { createLossEstimate, hasGap, type LossEstimate } from "./loss.ts";

/**
 * Where each picture of a track stands in presentation order, counted in frames from the first one shown. Pictures that
 * were lost leave holes in the count, so that times keep the gap.
 */
export interface PresentationOrder {
  /** Display index per picture, in decode order. */
  readonly displayIndexes: Float64Array;
  /** Frames lost directly before a picture, by its position. */
  readonly lostFrames: ReadonlyMap<number, number>;
}

/** Pictures between two sequence starts or gaps. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly isAfterGap: boolean;
  readonly startsSequence: boolean;
}

/** How order counts run in a stream. */
interface PocPace {
  /** Order counts from one displayed picture to the next: 2 for most H.264, 1 for HEVC; 0 where there is no order. */
  readonly step: number;
  /** Whether counts rise by the step throughout, so that a missing count is a missing picture. */
  readonly isRegular: boolean;
  /** Pictures in every whole sequence, 0 where they differ. */
  readonly period: number;
}

/** Pictures that a cut leaves out of a stream's end without making its counts irregular. */
const MAX_REORDER = 16;
/** Pictures after a gap among which those shown before the first of them are sought. */
const LOOKED_AT = 64;
const MAX_MISSING = 4096;
/** An estimate of lost frames may be this far off, or by this share. */
const NEAR_FRAMES = 5;
const NEAR_SHARE = 0.4;
/** Counts past this many pictures are not looked at to find the step. */
const STEP_PICTURES = 8192;

/** Where the count stands. */
interface Place {
  /** Display index of order count 0 of the sequence at hand. */
  readonly origin: number;
  /** The first index not used yet. */
  readonly next: number;
}

/** One track's pictures and what is known of their order. */
interface Stream {
  readonly log: PacketLog;
  readonly packets: Uint32Array;
  readonly pace: PocPace;
  readonly loss: LossEstimate;
  /** Whether order counts place pictures even where some are missing. */
  readonly usesCounts: boolean;
}

/**
 * Orders the pictures at `packets` (log indexes in decode order). Without order counts, presentation is decode order;
 * what a gap lost is then judged by its bytes alone.
 */
export function orderPictures(log: PacketLog, packets: Uint32Array): PresentationOrder {
  const parts = splitParts(log, packets);
  const pace = learnPace(log, packets, parts);
  const usesCounts = pace.step > 0 && pace.isRegular;
  const stream: Stream = { log, packets, pace, loss: createLossEstimate(log, packets), usesCounts };
  const displayIndexes = new Float64Array(packets.length);
  const lostFrames = new Map<number, number>();
  let place: Place = { origin: 0, next: 0 };
  parts.forEach((part, index) => {
    const least = leastCount(stream, part);
    const origin = originOf(stream, part, place, least);
    if (part.isAfterGap) {
      const lost = usesCounts ? missingCounts(stream, part, place.next - origin) : origin + least - place.next;
      lostFrames.set(part.from, Math.max(0, lost));
    }
    const after = parts[index + 1];
    const isWhole = !part.isAfterGap && after?.startsSequence === true && !after.isAfterGap;
    if (usesCounts && !isWhole) {
      for (let at = part.from; at < part.to; at++) displayIndexes[at] = origin + countAt(stream, at);
    } else rankPart(log, packets, part, origin + least, pace.step > 0, displayIndexes);
    let next = place.next;
    for (let at = part.from; at < part.to; at++) next = Math.max(next, (displayIndexes[at] as number) + 1);
    place = { origin, next };
  });
  return { displayIndexes, lostFrames };
}

/** Order count in pictures; 0 throughout without order. */
function countAt({ log, packets, pace }: Stream, position: number): number {
  return Math.round(pocAt(log, packets, position) / Math.max(1, pace.step));
}

/** Display index of a part's order count 0. */
function originOf(stream: Stream, part: Part, place: Place, least: number): number {
  const { pace, loss, usesCounts } = stream;
  const startsAnew = part.startsSequence || !usesCounts;
  if (!part.isAfterGap) return startsAnew ? place.next - least : place.origin;
  const bytes = loss.bytesBefore(part.from);
  const lost = Math.max(0, loss.packetsIn(bytes));
  const sinceStart = place.next - place.origin;
  if (startsAnew) return place.next + snapToPeriod(lost, pace.period, sinceStart) - least;
  const modulus = moduloOf(stream, part);
  const same = nearestTurn(place, least, place.next + lost, modulus);
  // The rarer counts wrap, the less it is chance that they come near: the same sequence then may be further off.
  const tolerance = Math.max(NEAR_FRAMES, lost * NEAR_SHARE, Math.min(modulus / 4, lost + NEAR_FRAMES));
  if (same !== undefined && Math.abs(same + least - place.next - lost) <= tolerance) return same;
  // The start of a later sequence was lost: it and what else is missing since then take their part of the bytes.
  const missingBytes = loss.bytesOf(missingCounts(stream, part, 0), true);
  const lostBefore = Math.max(0, loss.packetsIn(bytes - missingBytes));
  return place.next + snapToPeriod(lostBefore, pace.period, sinceStart);
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

function splitParts(log: PacketLog, packets: Uint32Array): Part[] {
  const parts: Part[] = [];
  let from = 0;
  let before = -1;
  let isAfterGap = false;
  packets.forEach((packet, position) => {
    const gap = hasGap(log, before, packet);
    if (position > 0 && (gap || log.startsSequence(packet))) {
      parts.push(makePart(log, packets, from, position, isAfterGap));
      from = position;
      isAfterGap = gap;
    } else if (position === 0) isAfterGap = gap;
    before = packet;
  });
  if (packets.length > 0) parts.push(makePart(log, packets, from, packets.length, isAfterGap));
  return parts;
}

function makePart(log: PacketLog, packets: Uint32Array, from: number, to: number, isAfterGap: boolean): Part {
  const startsSequence = from === 0 || log.startsSequence(packets[from] as number);
  return { from, to, isAfterGap, startsSequence };
}

function learnPace(log: PacketLog, packets: Uint32Array, parts: readonly Part[]): PocPace {
  if (packets.length === 0 || !log.hasOrder(packets[0] as number)) return { step: 0, isRegular: false, period: 0 };
  const distances = new Map<number, number>();
  for (const part of parts) {
    if (part.from > STEP_PICTURES) break;
    const pocs = sortedPocs(log, packets, part);
    for (let at = 1; at < pocs.length; at++) {
      const distance = (pocs[at] as number) - (pocs[at - 1] as number);
      if (distance > 0) distances.set(distance, (distances.get(distance) ?? 0) + 1);
    }
  }
  const step = [...distances].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0] ?? 1;
  const isRegular = parts.every((part, index) => {
    const pocs = sortedPocs(log, packets, part);
    const span = ((pocs.at(-1) as number) - (pocs[0] as number)) / step + 1;
    const isWhole = index + 1 < parts.length && !part.isAfterGap && parts[index + 1]?.isAfterGap === false;
    return Math.abs(span - pocs.length) <= (isWhole ? 0 : MAX_REORDER);
  });
  return { step, isRegular, period: commonLength(parts) };
}

function sortedPocs(log: PacketLog, packets: Uint32Array, part: Part): Int32Array {
  const pocs = Int32Array.from({ length: part.to - part.from }, (_, index) => pocAt(log, packets, part.from + index));
  return pocs.sort();
}

/** Length that whole sequences share; the last one and those touched by gaps do not count. */
function commonLength(parts: readonly Part[]): number {
  const whole = parts.filter((part, index) => {
    const after = parts[index + 1];
    return part.startsSequence && !part.isAfterGap && after?.startsSequence === true && !after.isAfterGap;
  });
  const length = whole[0] ? whole[0].to - whole[0].from : 0;
  return whole.every((part) => part.to - part.from === length) ? length : 0;
}

/** With sequences of one length, a loss before a sequence start fills the sequence it began in, and whole ones after it. */
function snapToPeriod(lost: number, period: number, sinceSequenceStart: number): number {
  if (period === 0) return Math.round(lost);
  const missing = (((period - sinceSequenceStart) % period) + period) % period;
  return missing + Math.max(0, Math.round((lost - missing) / period)) * period;
}

/** The origin, moved on by whole turns of the modulus (0: none), that puts the picture nearest to where it is expected. */
function nearestTurn(place: Place, least: number, expected: number, modulus: number): number | undefined {
  const turns = modulus > 0 ? Math.round((expected - least - place.origin) / modulus) : 0;
  const origins = [turns, turns - 1, turns + 1].map((count) => place.origin + count * modulus);
  return origins.find((origin) => origin + least >= place.next - MAX_REORDER / 4);
}

function leastCount(stream: Stream, part: Part): number {
  let least = Number.POSITIVE_INFINITY;
  for (let at = part.from; at < part.to; at++) least = Math.min(least, countAt(stream, at));
  return least;
}

function rankPart(
  log: PacketLog,
  packets: Uint32Array,
  part: Part,
  base: number,
  hasOrder: boolean,
  displayIndexes: Float64Array,
): void {
  const positions = Uint32Array.from({ length: part.to - part.from }, (_, index) => part.from + index);
  if (hasOrder) positions.sort((a, b) => pocAt(log, packets, a) - pocAt(log, packets, b) || a - b);
  positions.forEach((position, rank) => {
    displayIndexes[position] = base + rank;
  });
}

/** Pictures after which order counts may wrap, for a part that follows a gap; 0 where they do not. */
function moduloOf({ log, packets, pace }: Stream, part: Part): number {
  return Math.round((log.pocModuli[packets[part.from] as number] as number) / pace.step);
}

function pocAt(log: PacketLog, packets: Uint32Array, position: number): number {
  return log.pocs[packets[position] as number] as number;
}
