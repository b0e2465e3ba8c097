import type { Edit, Movie, SampleTable, Track } from "../../media/isobmff/movie.ts";
import { boxesOfOtherSamples } from "../../media/isobmff/sample-groups.ts";
import { SampleTableBuilder } from "../../media/isobmff/sample-table-builder.ts";
import type { RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { commonDuration, samplesOf } from "../timing/durations.ts";
import type { Timeline } from "../timing/times.ts";

/** The recovered movie: the reference's configuration, the damaged file's samples. Tracks without packets are left out. */
export function buildMovie(profile: RecordingProfile, log: PacketLog, timelines: readonly Timeline[]): Movie {
  const seconds = Math.max(0, ...timelines.map((timeline) => durationSeconds(profile, timeline)));
  return {
    ...profile.movie,
    isFragmented: false,
    tracks: timelines.map((timeline) => buildTrack(profile, log, timeline, seconds)),
  };
}

function durationSeconds(profile: RecordingProfile, timeline: Timeline): number {
  const track = profile.tracks[timeline.track] as TrackProfile;
  return (timeline.decodeTicks[timeline.packets.length] as number) / track.track.timescale;
}

function buildTrack(profile: RecordingProfile, log: PacketLog, timeline: Timeline, movieSeconds: number): Track {
  const own = profile.tracks[timeline.track] as TrackProfile;
  const isLoneSample = own.track.samples.sampleCount === 1 && timeline.packets.length === 1 && own.kind === "other";
  const samples = tabulate(own, log, timeline, isLoneSample ? Math.round(movieSeconds * own.track.timescale) : 0);
  const startTicks = timeline.decodeTicks[0] ?? 0;
  return {
    ...own.track,
    boxes: boxesOfOtherSamples(own.track.boxes, own.track.samples.sampleCount, samples.sampleCount),
    samples,
    edits: rebuildEdits(own, samples, startTicks, endOfPresentation(timeline), profile.movie.timescale),
  };
}

/** The table of a timeline. `loneTicks` is the duration of a track's only sample (timecode); 0 otherwise. */
function tabulate(own: TrackProfile, log: PacketLog, timeline: Timeline, loneTicks: number): SampleTable {
  const { packets, decodeTicks, presentationTicks } = timeline;
  const frameBytes = own.track.samples.constantSizeBytes;
  const builder = new SampleTableBuilder(packets.length, frameBytes);
  let end = -1;
  packets.forEach((packet, position) => {
    const [offset, sizeBytes] = [log.offset(packet), log.size(packet)];
    // Samples that touch each other in the file share a chunk.
    if (offset !== end) builder.startChunk(offset, 1);
    end = offset + sizeBytes;
    const decode = decodeTicks[position] as number;
    const ticks = loneTicks || (decodeTicks[position + 1] as number) - decode;
    if (frameBytes > 0) addFrames(builder, samplesOf(log, own, packet), ticks, own);
    else {
      const compositionTicks = presentationTicks ? (presentationTicks[position] as number) - decode : 0;
      builder.addSample(sizeBytes, ticks, compositionTicks, own.kind !== "video" || log.isSync(packet));
    }
  });
  return builder.build();
}

/** PCM frames last their usual time; what a gap adds falls to the last frame before it. */
function addFrames(builder: SampleTableBuilder, count: number, ticks: number, own: TrackProfile): void {
  const each = commonDuration(own);
  builder.addConstant(count, each);
  builder.stretchLastSample(ticks - each * count);
}

/** Ticks at which the last picture shown, or sound heard, ends. */
function endOfPresentation({ packets, decodeTicks, presentationTicks }: Timeline): number {
  let end = decodeTicks[packets.length] as number;
  presentationTicks?.forEach((ticks, position) => {
    const durationTicks = (decodeTicks[position + 1] as number) - (decodeTicks[position] as number);
    end = Math.max(end, ticks + durationTicks);
  });
  return end;
}

/**
 * The reference's initial delay and priming, stretched over the recovered samples (ISO/IEC 14496-12 §8.6.6). Media whose
 * beginning was lost starts as much later.
 */
function rebuildEdits(
  own: TrackProfile,
  samples: SampleTable,
  startTicks: number,
  endTicks: number,
  movieTimescale: number,
): readonly Edit[] {
  const first = own.track.edits.find((edit) => edit.mediaTimeTicks >= 0);
  if (first === undefined && startTicks === 0) return [];
  const toMovie = (ticks: number): number => (ticks * movieTimescale) / own.track.timescale;
  const primingTicks = own.track.samples.sampleCount > 1 ? (first?.mediaTimeTicks ?? 0) : 0;
  const [delay] = own.track.edits;
  const delayTicks = delay?.mediaTimeTicks === -1 ? delay.durationTicks : 0;
  const emptyTicks = delayTicks + Math.round(toMovie(Math.max(0, startTicks - primingTicks)));
  const loneTicks = samples.sampleCount === 1 ? (samples.durationRuns[1] ?? 0) : 0;
  const mediaTimeTicks = Math.max(0, primingTicks - startTicks);
  const shown = Math.max(0, Math.max(endTicks - startTicks, loneTicks) - mediaTimeTicks);
  const empty: readonly Edit[] = emptyTicks > 0 ? [{ durationTicks: emptyTicks, mediaTimeTicks: -1, rate: 1 }] : [];
  return [...empty, { durationTicks: Math.ceil(toMovie(shown)), mediaTimeTicks, rate: 1 }];
}
