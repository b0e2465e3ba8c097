import type { PacketLog } from "../scan/packet-log.ts";
import { hasGap } from "./loss.ts";

/** Pictures between two sequence starts or gaps, by their positions in the track: `[from, to)`. */
export interface Part {
  readonly from: number;
  readonly to: number;
  readonly isAfterGap: boolean;
  /** Whether its first picture starts a sequence: order counts begin anew, or, without any, a key frame. */
  readonly startsSequence: boolean;
  /** Counts that were known modulo something alone are sure again from here. */
  readonly isSureAgain: boolean;
}

/** How order counts and sequences run in a stream. */
export interface Pace {
  /** Order counts from one displayed picture to the next: 2 for most H.264, 1 for HEVC; 0 where there is no order. */
  readonly step: number;
  /** Whether counts rise by the step throughout, so that a missing count is a missing picture. */
  readonly isRegular: boolean;
  /** Pictures in the longest whole sequences, as many as an encoder allows; 0 where a part of one is longer. */
  readonly period: number;
  /** Whether every whole sequence is that long. */
  readonly isPeriodic: boolean;
}

/** Pictures that a cut leaves out of a stream's end without making its counts irregular. */
export const MAX_REORDER = 16;
/** Counts past this many pictures are not looked at to find the step. */
const STEP_PICTURES = 8192;

/** The parts of a track's pictures at `packets`, in decode order. */
export function splitParts(log: PacketLog, packets: Uint32Array): Part[] {
  const parts: Part[] = [];
  const starts = sequenceStarts(log, packets);
  let from = 0;
  let before = -1;
  let isAfterGap = false;
  const partOf = (start: number, end: number): Part => {
    const packet = packets[start] as number;
    const startsSequence = start === 0 || starts(packet);
    const isSure = start > 0 && !isAfterGap && isSureAgain(log, packets[start - 1] as number, packet);
    return { from: start, to: end, isAfterGap, startsSequence, isSureAgain: isSure };
  };
  packets.forEach((packet, position) => {
    const gap = hasGap(log, before, packet);
    if (position > 0 && (gap || starts(packet) || isSureAgain(log, before, packet))) {
      parts.push(partOf(from, position));
      from = position;
      isAfterGap = gap;
    } else if (position === 0) isAfterGap = gap;
    before = packet;
  });
  if (packets.length > 0) parts.push(partOf(from, packets.length));
  return parts;
}

/** Whether a picture starts a sequence. Key frames do where nothing tells order, but not where every picture is one. */
function sequenceStarts(log: PacketLog, packets: Uint32Array): (packet: number) => boolean {
  const [first] = packets;
  if (first === undefined || log.hasOrder(first)) return (packet) => log.startsSequence(packet);
  const areAllSync = packets.every((packet) => log.isSync(packet));
  return (packet) => !areAllSync && log.isSync(packet);
}

function isSureAgain(log: PacketLog, before: number, packet: number): boolean {
  if (!log.hasOrder(packet) || log.startsSequence(packet)) return false;
  return log.pocModulus(packet) === 0 && before >= 0 && log.pocModulus(before) > 0;
}

/** Learns the pace of a track's pictures from those that no gap touches. */
export function learnPace(log: PacketLog, packets: Uint32Array, parts: readonly Part[]): Pace {
  const lengths = lengthsOf(parts);
  if (packets.length === 0 || !log.hasOrder(packets[0] as number)) return { step: 0, isRegular: false, ...lengths };
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
    const span = ((pocs.at(-1) ?? 0) - (pocs[0] ?? 0)) / step + 1;
    const isWhole = index + 1 < parts.length && !part.isAfterGap && parts[index + 1]?.isAfterGap === false;
    return Math.abs(span - pocs.length) <= (isWhole ? 0 : MAX_REORDER);
  });
  return { step, isRegular, ...lengths };
}

function sortedPocs(log: PacketLog, packets: Uint32Array, part: Part): Float64Array {
  const known = packets.subarray(part.from, part.to).filter((packet) => log.hasOrder(packet));
  return Float64Array.from(known, (packet) => log.poc(packet)).sort();
}

/** Length of the longest whole sequences, if the last one and those touched by gaps are no longer. */
function lengthsOf(parts: readonly Part[]): { period: number; isPeriodic: boolean } {
  let [longest, count, whole, longestPart] = [0, 0, 0, 0];
  parts.forEach((part, index) => {
    const length = part.to - part.from;
    const after = parts[index + 1];
    if (!part.startsSequence || part.isAfterGap || after?.startsSequence !== true || after.isAfterGap) {
      longestPart = Math.max(longestPart, length);
      return;
    }
    whole++;
    if (length === longest) count++;
    else if (length > longest) [longest, count] = [length, 1];
  });
  return { period: longest >= longestPart ? longest : 0, isPeriodic: count === whole };
}
