import type { Edit, Movie, SampleTable, Track } from "../../media/isobmff/movie.ts";
import type { RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
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
  return {
    ...own.track,
    samples,
    edits: rebuildEdits(own, samples, endOfPresentation(timeline), profile.movie.timescale),
  };
}

/** Run-length columns from a timeline. `loneTicks` is the duration of a track's only sample (timecode); 0 otherwise. */
function tabulate(own: TrackProfile, log: PacketLog, timeline: Timeline, loneTicks: number): SampleTable {
  const { packets, decodeTicks, presentationTicks } = timeline;
  const frameBytes = wholeFrameBytes(own, log, packets);
  const durations = new RunList();
  const composition = new RunList();
  const chunks = new ChunkList();
  const sizes = new Uint32Array(frameBytes > 0 ? 0 : packets.length);
  const sync: number[] = [];
  let sampleCount = 0;
  packets.forEach((packet, position) => {
    const count = frameBytes > 0 ? Math.floor(log.size(packet) / frameBytes) : 1;
    const ticks = loneTicks || (decodeTicks[position + 1] as number) - (decodeTicks[position] as number);
    chunks.add(log.offset(packet), log.size(packet), count);
    addDurations(durations, count, ticks, own);
    composition.add(
      1,
      presentationTicks ? (presentationTicks[position] as number) - (decodeTicks[position] as number) : 0,
    );
    if (frameBytes === 0) sizes[position] = log.size(packet);
    if (log.isSync(packet)) sync.push(position);
    sampleCount += count;
  });
  const isReordered = composition.values.some((value, index) => index % 2 === 1 && value !== 0);
  const allSync = own.kind !== "video" || sync.length === packets.length;
  return {
    sampleCount,
    chunkOffsets: Float64Array.from(chunks.offsets),
    chunkSampleCounts: Uint32Array.from(chunks.counts),
    constantSizeBytes: frameBytes,
    sizes,
    durationRuns: Uint32Array.from(durations.values),
    ...(isReordered ? { compositionRuns: Int32Array.from(composition.values) } : {}),
    ...(allSync ? {} : { syncSamples: Uint32Array.from(sync) }),
  };
}

/** Size that all samples share (for PCM: of a frame), or 0 where a packet holds no whole number of them. */
export function wholeFrameBytes(own: TrackProfile, log: PacketLog, packets: Uint32Array): number {
  const { constantSizeBytes } = own.track.samples;
  const isWhole = constantSizeBytes > 0 && packets.every((packet) => log.size(packet) % constantSizeBytes === 0);
  return isWhole ? constantSizeBytes : 0;
}

/** PCM frames last their usual time; what a gap adds falls to the last frame before it. */
function addDurations(durations: RunList, count: number, ticks: number, own: TrackProfile): void {
  if (count <= 1) {
    durations.add(count, ticks);
    return;
  }
  const each = Math.max(1, own.durations[0]?.value ?? 1);
  durations.add(count - 1, each);
  durations.add(1, Math.max(0, ticks - each * (count - 1)));
}

/** Pairs (count, value), equal neighbours joined. */
class RunList {
  readonly values: number[] = [];

  add(count: number, value: number): void {
    const at = this.values.length - 2;
    if (at >= 0 && this.values[at + 1] === value) this.values[at] = (this.values[at] as number) + count;
    else this.values.push(count, value);
  }
}

/** Samples that touch each other in the file share a chunk. */
class ChunkList {
  readonly offsets: number[] = [];
  readonly counts: number[] = [];
  #end = -1;

  add(offset: number, sizeBytes: number, samples: number): void {
    const last = this.counts.length - 1;
    if (offset === this.#end) this.counts[last] = (this.counts[last] as number) + samples;
    else {
      this.offsets.push(offset);
      this.counts.push(samples);
    }
    this.#end = offset + sizeBytes;
  }
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

/** The reference's initial delay and priming, stretched over the recovered samples (ISO/IEC 14496-12 §8.6.6). */
function rebuildEdits(
  own: TrackProfile,
  samples: SampleTable,
  endTicks: number,
  movieTimescale: number,
): readonly Edit[] {
  const first = own.track.edits.find((edit) => edit.mediaTimeTicks >= 0);
  if (first === undefined) return [];
  const delay = own.track.edits[0]?.mediaTimeTicks === -1 ? [own.track.edits[0] as Edit] : [];
  const mediaTimeTicks = own.track.samples.sampleCount > 1 ? first.mediaTimeTicks : 0;
  const loneTicks = samples.sampleCount === 1 ? (samples.durationRuns[1] ?? 0) : 0;
  const shown = Math.max(0, Math.max(endTicks, loneTicks) - mediaTimeTicks);
  return [
    ...delay,
    { durationTicks: Math.ceil((shown * movieTimescale) / own.track.timescale), mediaTimeTicks, rate: 1 },
  ];
}
