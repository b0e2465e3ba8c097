import type { Movie } from "../media/isobmff/movie.ts";
import { trackCodecs } from "./codecs/codec-name.ts";
import type { Finding } from "./findings.ts";
import type { RecordingProfile, TrackProfile } from "./learn/profile.ts";
import type { PacketLog } from "./scan/packet-log.ts";
import type { Scan } from "./scan-source.ts";
import type { Timeline, TimingSource } from "./timing/times.ts";
import { silentFramesOf } from "./write/sound-gaps.ts";

/** What state the damaged file was found in. */
export type Diagnosis =
  | "healthy"
  /** The index in front is sound, the data end early. */
  | "index-cut"
  /** The index is sound, but players do not find it: box sizes lie, zeros or another index stand before it. */
  | "index-hidden"
  /** The index is sound; zeros stand where some of its samples should be. */
  | "index-holed"
  /** Fragments (`moof`): whole ones are kept, the rest salvaged. */
  | "fragmented"
  /** There is no index, or one that does not fit the data. */
  | "no-index"
  /** Not looked into: another program mended the file. */
  | "unknown";

/** What was recovered of one track. */
export interface TrackReport {
  readonly trackId: number;
  readonly kind: "video" | "audio" | "other";
  /** As ffmpeg calls it: `h264`, `aac`, `pcm_s16le`; a fourcc where it has no name. */
  readonly codec: string;
  /** Packets (PCM: frames of samples) in the output. */
  readonly packets: number;
  readonly keyframes: number;
  /** Frames of silence in the output besides, where raw sound is lost; absent where none. */
  readonly silence?: number;
  readonly bytes: number;
  readonly durationSeconds: number;
  /** `assumed`: nothing says how fast pictures follow each other. */
  readonly timing: TimingSource | "assumed";
  /** Pictures a second that the sound tells, and that were learnt, where they differ; `timing` tells which count. */
  readonly otherRate?: { readonly told: number; readonly learnt: number };
}

/** What a repair found and did. Holds no media content: it may be shared. */
export interface RepairReport {
  readonly schema: 1;
  readonly engine: "native" | "remux" | "untrunc";
  readonly diagnosis: Diagnosis;
  readonly tracks: readonly TrackReport[];
  readonly findings: readonly Finding[];
  /** Bytes of the damaged file that hold recovered packets, and bytes that may hold any. */
  readonly bytes: { readonly recovered: number; readonly scanned: number };
  /** Recovered share of the bytes scanned, 0 to 1. */
  readonly confidence: number;
}

/** Reports on a scan. */
export function reportScan(
  profile: RecordingProfile,
  log: PacketLog,
  timelines: readonly Timeline[],
  { findings, paddingBytes, scannedBytes }: Pick<Scan, "findings" | "paddingBytes" | "scannedBytes">,
): RepairReport {
  let recovered = 0;
  for (let index = 0; index < log.count; index++) recovered += log.size(index);
  const tracks = timelines.map((timeline) => reportTimeline(profile, log, timeline));
  const zeros = findings.filter((finding) => finding.kind === "zeros");
  const idleBytes = zeros.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, paddingBytes);
  return {
    schema: 1,
    engine: "native",
    diagnosis: "no-index",
    tracks,
    findings: withLostSeconds(findings, tracks, recovered, endOfLog(log)),
    bytes: { recovered, scanned: scannedBytes },
    confidence: scannedBytes > idleBytes ? Math.min(1, recovered / (scannedBytes - idleBytes)) : 0,
  };
}

function endOfLog(log: PacketLog): number {
  return log.count === 0 ? 0 : log.offset(log.count - 1) + log.size(log.count - 1);
}

/** What lies behind the last packet was never played. */
function withLostSeconds(
  findings: readonly Finding[],
  tracks: readonly TrackReport[],
  recoveredBytes: number,
  endOffset: number,
): readonly Finding[] {
  const isLoss = ({ kind, startOffset }: Finding): boolean =>
    startOffset < endOffset && (kind === "lost" || kind === "zeros" || kind === "damaged-packet");
  const lengthOf = (finding: Finding): number => finding.endOffset - finding.startOffset;
  const lostBytes = findings.reduce((sum, finding) => sum + (isLoss(finding) ? lengthOf(finding) : 0), 0);
  // Times keep the gaps, so that the longest track lasts as long as what was found and what was lost together.
  const seconds = tracks.reduce((most, track) => Math.max(most, track.durationSeconds), 0);
  const perByte = seconds / Math.max(1, recoveredBytes + lostBytes);
  return findings.map((finding) =>
    isLoss(finding) ? { ...finding, lostSeconds: lengthOf(finding) * perByte } : finding,
  );
}

function reportTimeline(profile: RecordingProfile, log: PacketLog, timeline: Timeline): TrackReport {
  const own = profile.tracks[timeline.track] as TrackProfile;
  const frameBytes = own.track.samples.constantSizeBytes;
  let [bytes, keyframes] = [0, 0];
  for (const packet of timeline.packets) {
    bytes += log.size(packet);
    if (log.isSync(packet)) keyframes++;
  }
  return {
    trackId: own.track.trackId,
    kind: own.kind,
    codec: trackCodecs(own.track),
    packets: frameBytes > 0 ? Math.floor(bytes / frameBytes) : timeline.packets.length,
    keyframes: frameBytes > 0 ? 0 : keyframes,
    bytes,
    durationSeconds: (timeline.decodeTicks[timeline.packets.length] as number) / own.track.timescale,
    timing: timeline.source,
  };
}

/** The report with the silence that `movie` will be given. */
export function withSilence(report: RepairReport, movie: Movie): RepairReport {
  const frames = new Map(movie.tracks.map((track) => [track.trackId, silentFramesOf(track)]));
  const tracks = report.tracks.map((track): TrackReport => {
    const silence = frames.get(track.trackId) ?? 0;
    return silence > 0 ? { ...track, silence } : track;
  });
  return { ...report, tracks };
}

/** Reports on a movie whose own index was kept. */
export function reportMovie(
  diagnosis: Diagnosis,
  movie: Movie,
  findings: readonly Finding[],
  scannedBytes: number,
): RepairReport {
  const tracks = movie.tracks.map((track): TrackReport => {
    const { samples } = track;
    const bytes =
      samples.constantSizeBytes > 0
        ? samples.constantSizeBytes * samples.sampleCount
        : samples.sizes.reduce((sum, size) => sum + size, 0);
    let ticks = 0;
    for (let run = 0; run < samples.durationRuns.length; run += 2) {
      ticks += (samples.durationRuns[run] as number) * (samples.durationRuns[run + 1] as number);
    }
    const silence = silentFramesOf(track);
    return {
      trackId: track.trackId,
      kind: track.handlerType === "vide" ? "video" : track.handlerType === "soun" ? "audio" : "other",
      codec: trackCodecs(track),
      packets: samples.sampleCount,
      ...(silence > 0 && diagnosis !== "healthy" ? { silence } : {}),
      keyframes: samples.syncSamples?.length ?? samples.sampleCount,
      bytes,
      durationSeconds: ticks / track.timescale,
      timing: "index",
    };
  });
  const recovered = tracks.reduce((sum, track) => sum + track.bytes, 0);
  const damage = findings.filter(({ kind }) => kind !== "cut-packet" && kind !== "padding" && kind !== "zeros");
  const lost = damage.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0);
  return {
    schema: 1,
    engine: "native",
    diagnosis,
    tracks,
    findings,
    bytes: { recovered, scanned: scannedBytes },
    confidence: recovered > 0 ? recovered / (recovered + lost) : 0,
  };
}
