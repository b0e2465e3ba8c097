import { ReelmillError } from "../../base/errors.ts";
import type { ByteSource } from "../../media/bytes/byte-source.ts";
import { ByteWindow } from "../../media/bytes/byte-window.ts";
import { CUT, type PacketParser } from "../codecs/packet-parser.ts";
import { createParser } from "../codecs/registry.ts";
import type { Extent } from "../extents.ts";
import type { RecordingProfile } from "../learn/profile.ts";
import { shares } from "../learn/shares.ts";
import type { Triage } from "../triage.ts";
import { createProfile, type GuessedTrack, type GuessedVideo } from "./profile.ts";
import { findSound, findSoundAmongPictures, type GuessedSound } from "./sound.ts";
import { findVideoAt } from "./video.ts";

/** What a recording tells of itself. */
export interface SelfPortrait {
  readonly profile: RecordingProfile;
  /** Whether nothing says how long a picture lasts. */
  readonly isRateAssumed: boolean;
  /** As messages call it: `ProRes video, 1920×1080, and PCM sound …`. */
  readonly name: string;
}

/** The first description of the video must lie this near the start of the data. */
const SEARCHED_BYTES = 8 * 1024 * 1024;
/** Runs of video looked at for what lies between them. */
const MAX_RUNS = 12;
const MAX_RUN_PACKETS = 256;
/** Longest stretch between two runs of video. */
const MAX_GAP_BYTES = 1024 * 1024;
const SURE_BITS = 28;
const START_BITS = 10;

/**
 * Learns the tracks from packets that describe themselves: ProRes, DNxHD, Motion JPEG, H.264, HEVC and AV1 with
 * parameter sets in band; beside them, or alone, AAC, MP3, AC-3, E-AC-3, and beside video PCM. Undefined where the data
 * hold none of them. Looks at 8 MiB at most, and at the first packets from there on.
 */
export function learnFromItself(damaged: ByteSource, state: Triage): SelfPortrait | undefined {
  const extent = state.extents[0];
  if (extent === undefined) return undefined;
  const window = new ByteWindow(damaged);
  const found = findVideo(window, extent, isQuickTime(state));
  if (found === undefined) return soundAlone(window, extent);
  const parser = videoParser(found.video);
  const { gaps, runs } = walkRuns(window, extent, found.offset, parser);
  if (runs.length === 0) return undefined;
  // Data cut at the front may begin inside a packet: what lies before the first picture is asked last.
  const sound =
    findSound(window, gaps.slice(1), false) ??
    findSound(window, gaps, false) ??
    soundBehind(window, extent, gaps[1], parser);
  const track = videoTrack(found.video, runs);
  return {
    profile: createProfile(sound ? [track, sound.track] : [track]),
    isRateAssumed: found.video.rate.isAssumed,
    name: sound ? `${found.video.name}, and ${sound.name}` : found.video.name,
  };
}

function soundBehind(
  window: ByteWindow,
  extent: Extent,
  gap: Extent | undefined,
  parser: PacketParser,
): GuessedSound | undefined {
  return gap && findSoundAmongPictures(window, { startOffset: gap.startOffset, endOffset: extent.endOffset }, parser);
}

function isQuickTime({ ftyp }: Triage): boolean {
  return ftyp === undefined || String.fromCharCode(...ftyp.subarray(8, 12)) === "qt  ";
}

interface FoundVideo {
  readonly video: GuessedVideo;
  readonly offset: number;
}

/** The first description of video whose packet stands up to its parser. */
export function findVideo(window: ByteWindow, extent: Extent, isMov: boolean): FoundVideo | undefined {
  const end = Math.min(extent.endOffset, extent.startOffset + SEARCHED_BYTES);
  for (let offset = extent.startOffset; offset < end; offset++) {
    const video = findVideoAt(window, offset, extent.endOffset, isMov);
    if (video === undefined) continue;
    const candidate = videoParser(video).probe(window, offset, extent.endOffset);
    if (candidate !== undefined && candidate !== CUT && candidate.evidenceBits >= SURE_BITS) return { video, offset };
  }
  return undefined;
}

function videoTrack({ entry, rate, delayPictures }: GuessedVideo, runs: readonly number[]): GuessedTrack {
  const { timescale, ticks } = rate;
  return {
    kind: "video",
    entry,
    timescale,
    ticks,
    constantSizeBytes: 0,
    delayTicks: delayPictures * ticks,
    runSamples: shares(runs),
  };
}

function videoParser(video: GuessedVideo): PacketParser {
  const own = createProfile([videoTrack(video, [])]).tracks[0];
  if (own === undefined) throw new ReelmillError("INTERNAL", "A profile of one track has one.");
  return createParser(own);
}

interface Runs {
  /** What lies before, between and after runs of video. */
  readonly gaps: readonly Extent[];
  /** Packets in each run. */
  readonly runs: readonly number[];
}

function walkRuns(window: ByteWindow, extent: Extent, firstOffset: number, parser: PacketParser): Runs {
  const gaps: Extent[] =
    firstOffset > extent.startOffset ? [{ startOffset: extent.startOffset, endOffset: firstOffset }] : [];
  const runs: number[] = [];
  let offset = firstOffset;
  while (runs.length < MAX_RUNS) {
    const run = walkRun(window, offset, extent.endOffset, parser);
    if (run.packets === 0 || run.packets === MAX_RUN_PACKETS)
      return { gaps, runs: [...runs, run.packets].filter((count) => count > 0) };
    runs.push(run.packets);
    const next = nextVideo(window, run.endOffset, extent.endOffset, parser);
    if (next === undefined) break;
    gaps.push({ startOffset: run.endOffset, endOffset: next });
    offset = next;
  }
  return { gaps, runs };
}

function walkRun(
  window: ByteWindow,
  startOffset: number,
  limit: number,
  parser: PacketParser,
): { packets: number; endOffset: number } {
  let offset = startOffset;
  let packets = 0;
  while (packets < MAX_RUN_PACKETS) {
    const candidate = parser.probe(window, offset, limit);
    if (candidate === undefined || candidate === CUT) break;
    parser.take(candidate);
    offset += candidate.sizeBytes;
    packets++;
  }
  return { packets, endOffset: offset };
}

function nextVideo(window: ByteWindow, from: number, limit: number, parser: PacketParser): number | undefined {
  const end = Math.min(limit, from + MAX_GAP_BYTES);
  for (let offset = from + 1; offset < end; offset++) {
    if (parser.startEvidenceBits(window, offset) < START_BITS) continue;
    const candidate = parser.probe(window, offset, limit);
    if (candidate !== undefined && candidate !== CUT && candidate.evidenceBits >= SURE_BITS) return offset;
  }
  return undefined;
}

function soundAlone(window: ByteWindow, extent: Extent): SelfPortrait | undefined {
  const sound: GuessedSound | undefined = findSound(window, [extent], true);
  return sound && { profile: createProfile([sound.track]), isRateAssumed: false, name: sound.name };
}
