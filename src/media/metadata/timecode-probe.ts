import type { PacketProbe } from "../bytes/packet-probe.ts";
import { NO_PACKET } from "../bytes/packet-probe.ts";
import type { SampleEntry } from "../isobmff/movie.ts";

/** The fields of a `tmcd` sample entry (QuickTime File Format, "Timecode Sample Description"). */
export interface TimecodeEntry {
  readonly isDropFrame: boolean;
  /** The samples are a counter, not a time. */
  readonly isCounter: boolean;
  /** Negative times are allowed. */
  readonly allowsNegative: boolean;
  /** Ticks per second of the timecode. */
  readonly timescale: number;
  readonly frameDurationTicks: number;
  readonly framesPerSecond: number;
}

/** Finds timecode samples: a big-endian frame count of four bytes (`tc64`: eight). */
export interface TimecodeProbe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/** Reads a `tmcd` entry; undefined where it is too short. */
export function parseTimecodeEntry(entry: SampleEntry): TimecodeEntry | undefined {
  const { raw } = entry;
  if (raw.length < 33) return undefined;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  const flags = view.getUint32(20);
  return {
    isDropFrame: (flags & 1) !== 0,
    allowsNegative: (flags & 4) !== 0,
    isCounter: (flags & 8) !== 0,
    timescale: view.getUint32(24),
    frameDurationTicks: view.getUint32(28),
    framesPerSecond: view.getUint8(32),
  };
}

/**
 * A probe for timecode. Evidence is weak: the count must lie within a day where `entry` says that it is a time of day.
 * A caller that trusts it must know from the interleave that such a sample is due.
 */
export function createTimecodeProbe(entry?: TimecodeEntry, sizeBytes: 4 | 8 = 4): TimecodeProbe {
  const framesPerDay = 86400 * (entry?.framesPerSecond ?? 0);
  const isBounded = entry !== undefined && !entry.isCounter && !entry.allowsNegative && framesPerDay > 0;
  return {
    probe(bytes, startIndex, endIndex) {
      if (endIndex - startIndex < sizeBytes) return { kind: "more", neededBytes: sizeBytes };
      if (!isBounded) return { kind: "packet", sizeBytes, evidenceBits: 0, isSync: true };
      let count = 0;
      for (let i = 0; i < sizeBytes; i++) count = count * 256 + (bytes[startIndex + i] ?? 0);
      if (count >= framesPerDay) return NO_PACKET;
      return { kind: "packet", sizeBytes, evidenceBits: sizeBytes * 8 - Math.log2(framesPerDay), isSync: true };
    },
  };
}
