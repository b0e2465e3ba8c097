import type { Edit, Movie, SampleTable, Track } from "../../media/isobmff/movie.ts";
import { boxesOfOtherSamples } from "../../media/isobmff/sample-groups.ts";
import { SampleTableBuilder } from "../../media/isobmff/sample-table-builder.ts";
import type { RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { commonDuration, samplesOf } from "../timing/durations.ts";
import { endOfPresentation } from "../timing/last-samples.ts";
import type { Timeline } from "../timing/times.ts";

/** The recovered movie: the reference's configuration, the damaged file's samples. Tracks without packets are left out. */
export function buildMovie(profile: RecordingProfile, log: PacketLog, timelines: readonly Timeline[]): Movie {
  return {
    ...profile.movie,
    isFragmented: false,
    tracks: timelines.map((timeline) => buildTrack(profile, log, timeline)),
  };
}

function buildTrack(profile: RecordingProfile, log: PacketLog, timeline: Timeline): Track {
  const own = profile.tracks[timeline.track] as TrackProfile;
  const samples = tabulate(own, log, timeline);
  const startTicks = timeline.decodeTicks[0] ?? 0;
  return {
    ...own.track,
    boxes: boxesOfOtherSamples(own.track.boxes, own.track.samples.sampleCount, samples.sampleCount),
    samples,
    edits: rebuildEdits(own, startTicks, endOfPresentation(timeline), profile.movie.timescale),
  };
}

function tabulate(own: TrackProfile, log: PacketLog, timeline: Timeline): SampleTable {
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
    const ticks = (decodeTicks[position + 1] as number) - decode;
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

/**
 * The reference's initial delay and priming, stretched over the recovered samples (ISO/IEC 14496-12 §8.6.6). Media whose
 * beginning was lost starts as much later.
 */
function rebuildEdits(
  own: TrackProfile,
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
  const mediaTimeTicks = Math.max(0, primingTicks - startTicks);
  const shown = Math.max(0, endTicks - startTicks - mediaTimeTicks);
  const empty: readonly Edit[] = emptyTicks > 0 ? [{ durationTicks: emptyTicks, mediaTimeTicks: -1, rate: 1 }] : [];
  return [...empty, { durationTicks: Math.ceil(toMovie(shown)), mediaTimeTicks, rate: 1 }];
}
