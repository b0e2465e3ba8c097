import type { RecordingProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { meanDuration, samplesOf } from "./durations.ts";

/** Whether bytes were lost between two packets, given by their places in the log (−1: before the first). */
export function hasGap(log: PacketLog, before: number, after: number): boolean {
  return log.hasGapWithin(before + 1, after);
}

/** Packets of a track lost before the one at a position, fractions included; undefined where nothing tells. */
export type LostPackets = (position: number) => number | undefined;

/** How many packets of one track may have been lost in a gap, judged by bytes. */
export interface LossEstimate {
  /** Bytes of this track's kind that were lost before the packet at a position of the track: its share of what was lost. */
  bytesBefore(position: number): number;
  /** Packets of mean size that so many bytes are worth, fractions included. */
  packetsIn(bytes: number): number;
  /** Bytes that so many packets take on average, of which so many are sync samples. */
  bytesOf(packetCount: number, syncCount: number): number;
}

/**
 * Learns sizes from the packets found. `packets` are the track's places in the log, in file order; `lostPackets` tells
 * what a gap took by other means than bytes, where something does.
 */
export function createLossEstimate(
  log: PacketLog,
  packets: Uint32Array,
  lostPackets: LostPackets = () => undefined,
): LossEstimate {
  let [syncBytes, syncCount, otherBytes, otherCount, allBytes] = [0, 0, 0, 0, 0];
  for (const packet of packets) {
    if (log.isSync(packet)) {
      syncBytes += log.size(packet);
      syncCount++;
    } else {
      otherBytes += log.size(packet);
      otherCount++;
    }
  }
  for (let index = 0; index < log.count; index++) allBytes += log.size(index);
  const share = (syncBytes + otherBytes) / Math.max(1, allBytes);
  const meanSync = syncBytes / Math.max(1, syncCount);
  const meanOther = Math.max(1, otherCount > 0 ? otherBytes / otherCount : meanSync);
  const mean = Math.max(1, (syncBytes + otherBytes) / Math.max(1, packets.length));
  return {
    bytesBefore(position) {
      const told = lostPackets(position);
      if (told !== undefined) return told * mean;
      const before = position > 0 ? (packets[position - 1] as number) : -1;
      return share * lostBytes(log, before, packets[position] as number);
    },
    packetsIn: (bytes) => bytes / mean,
    bytesOf: (count, syncs) => count * meanOther + Math.min(syncs, count) * (meanSync - meanOther),
  };
}

/** Bytes that belong to no packet between two places in the log. */
export function lostBytes(log: PacketLog, before: number, after: number): number {
  let bytes = 0;
  for (let index = Math.max(1, before + 1); index <= after; index++) {
    if (log.isAfterGap(index)) bytes += log.offset(index) - (log.offset(index - 1) + log.size(index - 1));
  }
  return bytes;
}

/** What the whole recording takes on average, told by its longest track. */
export function meanBytesPerSecond(log: PacketLog, packets: readonly Uint32Array[], profile: RecordingProfile): number {
  let bytes = 0;
  for (let index = 0; index < log.count; index++) bytes += log.size(index);
  const seconds = profile.tracks.map((track, index) => {
    let samples = 0;
    for (const packet of packets[index] as Uint32Array) samples += samplesOf(log, track, packet);
    return track.kind === "other" ? 0 : (samples * meanDuration(track)) / track.track.timescale;
  });
  return bytes / Math.max(1e-3, ...seconds) || 1;
}
