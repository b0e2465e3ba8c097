import { type Analysis, type DecodedVideo, type Packet, readAudioBytes, type Stream } from "./analyse.ts";
import type { ByteRange } from "./layout.ts";
import { lowerBound, matchInOrder } from "./match.ts";
import { matchPcm } from "./pcm.ts";

/** Which of the three columns a track counts in. */
export type TrackKind = "video" | "audio" | "other";

/** One track of the original, against the track of the same type and rank in the output. Counts are packets. */
export interface TrackScore {
  readonly kind: TrackKind;
  /** Packets whose bytes are whole in the damaged file. */
  readonly recoverable: number;
  /** Of those, found byte-identical and in order. */
  readonly recovered: number;
  /** Packets of the output that are none of the original's, or out of order. */
  readonly extra: number;
  /** Recovered packets that a decoder could start at in one file but not in the other, as the files have it. */
  readonly misflagged: number;
  /** Output time less original time of each recovered packet, rising by original time. */
  readonly shifts: readonly { readonly atSeconds: number; readonly bySeconds: number }[];
}

/** Decoded pictures of the first video track. */
export interface DecodedScore {
  /** Pictures whose own packet and all packets since the key frame before are whole in the damaged file. */
  readonly recoverable: number;
  readonly recovered: number;
  readonly complaints: number;
}

/** A pair of an intact file and what a command made of its damaged copy. */
export interface ScoreInput {
  readonly originalPath: string;
  readonly outputPath: string;
  readonly original: Analysis;
  readonly output: Analysis;
  readonly lost: readonly ByteRange[];
  /** Bytes that a container puts before each packet and that count as part of it: 0 for MP4, 8 for AVI, 16 for MKV. */
  readonly framingBytes: number;
}

/** Whether all bytes of a packet are outside the lost ranges. */
export function isIntact(packet: Packet, lost: readonly ByteRange[], framingBytes: number): boolean {
  const startOffset = packet.offsetBytes;
  if (startOffset === undefined) return false;
  const endOffset = startOffset + packet.sizeBytes + framingBytes;
  return lost.every((range) => endOffset <= range.startOffset || startOffset >= range.endOffset);
}

/** Scores every track of the original. */
export async function scoreTracks(input: ScoreInput): Promise<TrackScore[]> {
  const scores: TrackScore[] = [];
  const ranks = new Map<string, number>();
  for (const stream of input.original.streams) {
    const rank = ranks.get(stream.type) ?? 0;
    ranks.set(stream.type, rank + 1);
    const counterpart = input.output.streams.filter((other) => other.type === stream.type)[rank];
    scores.push(await scoreTrack(input, stream, counterpart, rank));
  }
  return scores;
}

/**
 * The largest distance between a recovered audio packet's shift and that of the video nearest to it, in
 * milliseconds, over all audio tracks; undefined where either kind is missing.
 */
export function audioVideoDriftMs(tracks: readonly TrackScore[]): number | undefined {
  const video = tracks.find((track) => track.kind === "video")?.shifts ?? [];
  const audio = tracks.filter((track) => track.kind === "audio").flatMap((track) => track.shifts);
  if (video.length === 0 || audio.length === 0) return undefined;
  const times = video.map((shift) => shift.atSeconds);
  let worst = 0;
  for (const shift of audio) {
    const after = Math.min(lowerBound(times, shift.atSeconds), video.length - 1);
    // Where pictures are lost between the two, the one behind tells nothing of sound that stands with the one before.
    const before = Math.max(0, after - 1);
    const distance = (index: number): number => Math.abs((times[index] ?? 0) - shift.atSeconds);
    const index = distance(before) < distance(after) ? before : after;
    worst = Math.max(worst, Math.abs(shift.bySeconds - (video[index]?.bySeconds ?? 0)));
  }
  return worst * 1000;
}

/** The largest absolute shift of one kind of track, in milliseconds; undefined where nothing was recovered. */
export function maxTimeErrorMs(tracks: readonly TrackScore[], kind: TrackKind): number | undefined {
  const shifts = tracks.filter((track) => track.kind === kind).flatMap((track) => track.shifts);
  if (shifts.length === 0) return undefined;
  return shifts.reduce((worst, shift) => Math.max(worst, Math.abs(shift.bySeconds)), 0) * 1000;
}

/** Scores decoded pictures against those of the original. */
export function scoreDecoded(
  video: Stream,
  lost: readonly ByteRange[],
  framingBytes: number,
  original: DecodedVideo,
  output: DecodedVideo,
): DecodedScore {
  let isChainWhole = true;
  const decodable = video.packets.map((packet) => {
    const whole = isIntact(packet, lost, framingBytes);
    if (packet.isKey) isChainWhole = whole;
    else if (!whole) isChainWhole = false;
    return isChainWhole && whole;
  });
  const byTime = video.packets
    .map((packet, index) => ({ time: packet.presentationSeconds ?? index, isDecodable: decodable[index] ?? false }))
    .sort((a, b) => a.time - b.time);
  const frames = original.frameHashes;
  // Where packets and pictures differ in number (hidden frames, a leading picture dropped), map by proportion.
  const scale = frames.length === byTime.length ? 1 : byTime.length / Math.max(1, frames.length);
  const wanted = frames.filter(
    (_, index) => byTime[Math.min(byTime.length - 1, Math.floor(index * scale))]?.isDecodable ?? false,
  );
  return {
    recoverable: wanted.length,
    recovered: matchInOrder(wanted, output.frameHashes).length,
    complaints: output.complaints,
  };
}

function kindOf(stream: Stream): TrackKind {
  return stream.type === "video" || stream.type === "audio" ? stream.type : "other";
}

async function scoreTrack(
  input: ScoreInput,
  stream: Stream,
  counterpart: Stream | undefined,
  rank: number,
): Promise<TrackScore> {
  const kind = kindOf(stream);
  const wanted = stream.packets.filter((packet) => isIntact(packet, input.lost, input.framingBytes));
  if (counterpart === undefined)
    return { kind, recoverable: wanted.length, recovered: 0, extra: 0, misflagged: 0, shifts: [] };
  if (stream.codec.startsWith("pcm_")) return scorePcm(input, wanted, counterpart, rank);
  const found = counterpart.packets;
  const matches = matchInOrder(
    wanted.map((packet) => packet.hash),
    found.map((packet) => packet.hash),
  );
  const isUnambiguous = matches.length === wanted.length && matches.length === found.length;
  const timed = isUnambiguous ? matches : withoutTwins(matches, wanted, found);
  const shifts = timed.flatMap(({ wantedIndex, foundIndex }) =>
    shiftOf(wanted[wantedIndex]?.presentationSeconds, found[foundIndex]?.presentationSeconds),
  );
  return {
    kind,
    recoverable: wanted.length,
    recovered: matches.length,
    extra: found.length - matches.length,
    misflagged: matches.filter(({ wantedIndex, foundIndex }) => wanted[wantedIndex]?.isKey !== found[foundIndex]?.isKey)
      .length,
    shifts: sortShifts(shifts),
  };
}

/**
 * Leaves out packets whose bytes occur more than once (digital silence, skipped pictures, loops): where one of
 * several twins is missing, which of them it was cannot be told, and its time would be judged by a guess. Keeps all
 * where nearly nothing is unique.
 */
function withoutTwins<T extends { readonly wantedIndex: number }>(
  matches: readonly T[],
  wanted: readonly Packet[],
  found: readonly Packet[],
): readonly T[] {
  const counts = new Map<string, number>();
  for (const packet of [...wanted, ...found]) counts.set(packet.hash, (counts.get(packet.hash) ?? 0) + 1);
  const unique = matches.filter((match) => (counts.get(wanted[match.wantedIndex]?.hash ?? "") ?? 0) <= 2);
  return unique.length * 10 >= matches.length ? unique : matches;
}

async function scorePcm(
  input: ScoreInput,
  wanted: readonly Packet[],
  counterpart: Stream,
  rank: number,
): Promise<TrackScore> {
  const bytes = await readAudioBytes(input.outputPath, rank);
  const matches = matchPcm(wanted, input.originalPath, bytes, counterpart.packets);
  const wantedBytes = wanted.reduce((sum, packet) => sum + packet.sizeBytes, 0);
  const shifts = matches.flatMap(({ wantedIndex, foundSeconds }) =>
    shiftOf(wanted[wantedIndex]?.presentationSeconds, foundSeconds),
  );
  return {
    kind: "audio",
    recoverable: wanted.length,
    recovered: matches.length,
    extra: Math.floor(Math.max(0, bytes.length - wantedBytes) / Math.max(1, wanted[0]?.sizeBytes ?? 1)),
    misflagged: 0,
    shifts: sortShifts(shifts),
  };
}

function shiftOf(wantedSeconds: number | undefined, foundSeconds: number | undefined) {
  if (wantedSeconds === undefined || foundSeconds === undefined) return [];
  return [{ atSeconds: wantedSeconds, bySeconds: foundSeconds - wantedSeconds }];
}

function sortShifts(shifts: TrackScore["shifts"]): TrackScore["shifts"] {
  return [...shifts].sort((a, b) => a.atSeconds - b.atSeconds);
}
