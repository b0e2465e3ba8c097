import { createMemorySource } from "../../media/bytes/byte-source.ts";
import type { Movie, Track } from "../../media/isobmff/movie.ts";
import { learnProfile, type RecordingProfile } from "../learn/profile.ts";
import { PacketLog } from "../scan/packet-log.ts";

export const [VIDEO, SOUND] = [0, 1];
const RATES = [
  { timescale: 25, ticks: 1 },
  { timescale: 48_000, ticks: 1024 },
] as const;

/** A packet of a made-up recording, in file order. */
export interface MadePacket {
  readonly track: number;
  /** When it decodes, in ticks of its track. */
  readonly decodeTicks: number;
  readonly sizeBytes: number;
  readonly isSync: boolean;
}

/** How a recording is made up. */
export interface Making {
  readonly seconds: number;
  /** Pictures in a run between sound; default 1. 0: no pictures at all. */
  readonly picturesPerRun?: number;
  /** Size of a picture that is no key picture; default 4000 and somewhat more. */
  readonly pictureBytes?: (picture: number) => number;
}

const KEY_PERIOD = 25;
const SOUND_BYTES = 350;
const POC_MODULUS = 64;

/** 25 pictures and 46.875 packets of sound a second; the sound is written behind the pictures that it plays with. */
export function makeInterleaved({ seconds, picturesPerRun = 1, pictureBytes }: Making): MadePacket[] {
  const packets: MadePacket[] = [];
  const sizeOf = pictureBytes ?? ((picture) => 4000 + ((picture * 7919) % 900));
  let [sound, run] = [0, 0];
  const runSeconds = (picturesPerRun || 1) / 25;
  for (let end = runSeconds; end <= seconds; end = ++run * runSeconds + runSeconds) {
    for (let at = 0; at < picturesPerRun; at++) {
      const picture = run * picturesPerRun + at;
      const isSync = picture % KEY_PERIOD === 0;
      packets.push({ track: VIDEO, decodeTicks: picture, sizeBytes: isSync ? 30_000 : sizeOf(picture), isSync });
    }
    for (; ((sound + 1) * 1024) / 48_000 <= end; sound++)
      packets.push({ track: SOUND, decodeTicks: sound * 1024, sizeBytes: SOUND_BYTES, isSync: true });
  }
  return packets;
}

/** What a reference made up in the same way teaches. */
export function profileOf(packets: readonly MadePacket[]): RecordingProfile {
  const tracks = [VIDEO, SOUND].map((track) => trackOf(packets, track));
  const movie: Movie = { timescale: 1000, tracks, movieHeader: new Uint8Array(0), isFragmented: false };
  return learnProfile(movie, createMemorySource(new Uint8Array(0)));
}

function trackOf(packets: readonly MadePacket[], track: number): Track {
  const offsets: number[] = [];
  const sizes: number[] = [];
  const syncSamples: number[] = [];
  let offset = 0;
  for (const packet of packets) {
    if (packet.track === track) {
      if (packet.isSync) syncSamples.push(sizes.length);
      offsets.push(offset);
      sizes.push(packet.sizeBytes);
    }
    offset += packet.sizeBytes;
  }
  const { timescale, ticks } = RATES[track] as (typeof RATES)[number];
  return {
    trackId: track + 1,
    handlerType: track === VIDEO ? "vide" : "soun",
    timescale,
    sampleEntries: [],
    samples: {
      sampleCount: sizes.length,
      chunkOffsets: Float64Array.from(offsets),
      chunkSampleCounts: new Uint32Array(sizes.length).fill(1),
      constantSizeBytes: 0,
      sizes: Uint32Array.from(sizes),
      durationRuns: Uint32Array.of(sizes.length, ticks),
      syncSamples: Uint32Array.from(syncSamples),
    },
    edits: [],
    boxes: new Map(),
  };
}

/**
 * A log of the packets that `isLost` spares. Pictures carry counts of two a picture, which from a gap to the next key picture
 * are known but for a multiple of the modulus.
 */
export function logWithout(packets: readonly MadePacket[], isLost: (index: number) => boolean): PacketLog {
  const log = new PacketLog();
  let offset = 0;
  let afterGap = false;
  let isAbsolute = true;
  packets.forEach(({ track, sizeBytes, isSync, decodeTicks }, index) => {
    if (isLost(index)) {
      afterGap = true;
      isAbsolute = false;
    } else {
      if (track === VIDEO && isSync) isAbsolute = true;
      const pocModulus = isAbsolute ? 0 : POC_MODULUS;
      const order = { poc: 2 * (decodeTicks % KEY_PERIOD), startsSequence: isSync, pocModulus };
      log.push({ family: track, offset, sizeBytes, isSync, afterGap, ...(track === VIDEO ? { order } : {}) });
      afterGap = false;
    }
    offset += sizeBytes;
  });
  return log;
}
