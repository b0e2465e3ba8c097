import type { PacketLog } from "../scan/packet-log.ts";

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
/** An estimate of lost frames may be this far off. */
const NEAR_FRAMES = 6;
const MAX_LOST_SEQUENCES = 1000;
/** Counts past this many pictures are not looked at to find the step. */
const STEP_PICTURES = 8192;

/**
 * Orders the pictures at `packets` (log indexes in decode order). `estimateLoss` tells about how many frames were lost
 * before the picture at a position. Without order counts, presentation is decode order.
 */
export function orderPictures(
  log: PacketLog,
  packets: Uint32Array,
  estimateLoss: (position: number) => number,
): PresentationOrder {
  const parts = splitParts(log, packets);
  const pace = learnPace(log, packets, parts);
  const displayIndexes = new Float64Array(packets.length);
  const lostFrames = new Map<number, number>();
  // Display index of order count 0 of the sequence at hand, and the first index not used yet.
  let origin = 0;
  let next = 0;
  parts.forEach((part, index) => {
    const indexOf = (position: number): number => Math.round(pocAt(log, packets, position) / Math.max(1, pace.step));
    const least = leastIndex(part, indexOf);
    const lost = part.isAfterGap ? Math.max(0, estimateLoss(part.from)) : 0;
    if (part.startsSequence || pace.step === 0 || !pace.isRegular) {
      origin = next + (part.isAfterGap ? snapToPeriod(lost, pace.period, next - origin) : 0) - least;
    } else if (part.isAfterGap) {
      origin = continueSequence(origin, least, next, next + lost, pace.period, moduloOf(log, packets, part, pace.step));
    }
    if (part.isAfterGap) lostFrames.set(part.from, Math.max(0, origin + least - next));
    const isBroken = part.isAfterGap || parts[index + 1]?.startsSequence !== true || parts[index + 1]?.isAfterGap === true;
    if (isBroken && pace.isRegular && pace.step > 0) {
      for (let at = part.from; at < part.to; at++) displayIndexes[at] = origin + indexOf(at);
    } else rankPart(log, packets, part, origin + least, pace.step > 0, displayIndexes);
    for (let at = part.from; at < part.to; at++) next = Math.max(next, (displayIndexes[at] as number) + 1);
  });
  return { displayIndexes, lostFrames };
}

/** Whether bytes were lost between two packets of one track, given by their places in the log. */
export function hasGap(log: PacketLog, before: number, after: number): boolean {
  for (let index = before + 1; index <= after; index++) if (log.isAfterGap(index)) return true;
  return false;
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

/**
 * Origin of a sequence that goes on after a gap. Order counts may have wrapped (`modulus`); where that explains nothing
 * near the place expected, the start of a later sequence was lost, a multiple of the period on.
 */
function continueSequence(
  origin: number,
  least: number,
  next: number,
  expected: number,
  period: number,
  modulus: number,
): number {
  const same = nearestTurn(origin, least, next, expected, modulus);
  const isNear = (found: number): boolean =>
    Math.abs(found + least - expected) <= Math.max(NEAR_FRAMES, (expected - next) / 2);
  if (same !== undefined && isNear(same)) return same;
  let best = same ?? Math.round(expected) - least;
  const sequences = period > 0 ? Math.ceil((expected - origin) / period) + 1 : 0;
  for (let turns = 1; turns <= Math.min(sequences, MAX_LOST_SEQUENCES); turns++) {
    const later = nearestTurn(origin + turns * period, least, next, expected, modulus);
    if (later !== undefined && Math.abs(later + least - expected) < Math.abs(best + least - expected)) best = later;
  }
  return best;
}

/** The origin, moved on by whole turns of the modulus (0: none), that puts the picture nearest to where it is expected. */
function nearestTurn(
  origin: number,
  least: number,
  next: number,
  expected: number,
  modulus: number,
): number | undefined {
  const turns = modulus > 0 ? Math.round((expected - least - origin) / modulus) : 0;
  const places = [turns, turns - 1, turns + 1].map((count) => origin + count * modulus);
  return places.find((place) => place + least >= next - MAX_REORDER / 4);
}

function leastIndex(part: Part, indexOf: (position: number) => number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let at = part.from; at < part.to; at++) least = Math.min(least, indexOf(at));
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

function moduloOf(log: PacketLog, packets: Uint32Array, part: Part, step: number): number {
  return Math.round((log.pocModuli[packets[part.from] as number] as number) / step);
}

function pocAt(log: PacketLog, packets: Uint32Array, position: number): number {
  return log.pocs[packets[position] as number] as number;
}
