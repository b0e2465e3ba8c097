import type { ByteSource } from "../media/bytes/byte-source.ts";
import type { Movie, SampleTable, Track } from "../media/isobmff/movie.ts";
import { forEachSample } from "../media/isobmff/sample-table.ts";
import { SampleTableBuilder } from "../media/isobmff/sample-table-builder.ts";
import { assignTracks } from "./assign.ts";
import type { Extent } from "./extents.ts";
import { learnProfile, type RecordingProfile, type TrackProfile } from "./learn/profile.ts";
import type { ScanProgress } from "./scan/scanner.ts";
import { profileOfPackets, type Scan, scanExtents } from "./scan-source.ts";
import { buildTimelines } from "./timing/timeline.ts";
import type { Timeline } from "./timing/times.ts";

/** A sample found behind a destroyed fragment's header. */
interface Salvaged {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly isSync: boolean;
  readonly durationTicks: number;
  readonly compositionTicks: number;
}

/** The samples of one hole for one track, up to where the next fragment begins. */
interface Salvage {
  readonly holeEnd: number;
  readonly samples: readonly Salvaged[];
}

/** More holes than these are not scanned: each takes a model of its own. */
const MAX_HOLES = 64;

/**
 * Finds the samples whose fragment's header is destroyed: `holes` are scanned as raw data, with the file's other
 * fragments as the reference. What reaches up to the next fragment is placed right before that one's time, which is
 * exact; anything else has no certain time and is left out. PCM is left out, too. `holes` in the answer are what is still
 * lost of each, in the order given.
 */
export async function salvageHoles(
  damaged: ByteSource,
  movie: Movie,
  holes: readonly Extent[],
  onProgress?: ScanProgress,
): Promise<{ readonly movie: Movie; readonly holes: readonly Extent[] }> {
  const found: Salvage[][] = movie.tracks.map(() => []);
  const left = [...holes];
  const profile = withoutGaps(learnProfile(movie, damaged));
  for (const [index, hole] of holes.slice(0, MAX_HOLES).entries()) {
    const scan = await scanExtents(damaged, [hole], profile, onProgress);
    if (scan.log.count === 0) continue;
    const assigned = assignTracks(scan.log, scan.model.families, profile);
    for (const timeline of buildTimelines(scan.log, assigned, profileOfPackets(profile, scan))) {
      const samples = lastStretch(scan, timeline);
      const isPlaceable = samples.length > 0 && movie.tracks[timeline.track]?.samples.constantSizeBytes === 0;
      if (!isPlaceable) continue;
      found[timeline.track]?.push({ holeEnd: hole.endOffset, samples });
      const known = left[index] ?? hole;
      left[index] = { ...known, endOffset: Math.min(known.endOffset, samples[0]?.offset ?? hole.endOffset) };
    }
  }
  const tracks = movie.tracks.map((track, index): Track => {
    const salvages = found[index] ?? [];
    return salvages.length === 0 ? track : { ...track, samples: insert(track.samples, salvages) };
  });
  return { movie: { ...movie, tracks }, holes: left };
}

/** A duration so common is every sample's; the others are the gaps that holes leave. */
const COMMON_SHARE = 0.8;

/** The profile without the durations of samples that stand before a gap. */
function withoutGaps(profile: RecordingProfile): RecordingProfile {
  const tracks = profile.tracks.map((own): TrackProfile => {
    const total = own.durations.reduce((sum, share) => sum + share.count, 0);
    const isCommon = (own.durations[0]?.count ?? 0) >= COMMON_SHARE * total;
    return isCommon ? { ...own, durations: own.durations.slice(0, 1) } : own;
  });
  return { ...profile, tracks };
}

/** The track's packets behind the last damage in the hole: from there on nothing is missing up to the next fragment. */
function lastStretch({ log }: Scan, { packets, decodeTicks, presentationTicks }: Timeline): Salvaged[] {
  let first = log.count - 1;
  while (first > 0 && !log.isAfterGap(first)) first--;
  const samples: Salvaged[] = [];
  packets.forEach((packet, position) => {
    if (packet < first) return;
    const decode = decodeTicks[position] as number;
    samples.push({
      offset: log.offset(packet),
      sizeBytes: log.size(packet),
      isSync: log.isSync(packet),
      durationTicks: (decodeTicks[position + 1] as number) - decode,
      compositionTicks: presentationTicks ? (presentationTicks[position] as number) - decode : 0,
    });
  });
  return samples;
}

/** Puts each hole's samples before the first sample that lies behind it; the one before gives up its stretched time. */
function insert(table: SampleTable, salvages: readonly Salvage[]): SampleTable {
  const builder = new SampleTableBuilder(table.sampleCount + 1024);
  let [next, ticks, lastStartTicks, lastChunk] = [0, 0, 0, -1];
  forEachSample(table, (sample, offset, sizeBytes, durationTicks, compositionTicks, isSync, chunk) => {
    for (let salvage = salvages[next]; salvage && offset >= salvage.holeEnd; salvage = salvages[++next]) {
      if (sample > 0) addBefore(builder, salvage.samples, ticks, lastStartTicks);
      lastChunk = -1;
    }
    if (chunk !== lastChunk) builder.startChunk(offset, table.chunkDescriptionIndexes?.[chunk] ?? 1);
    lastChunk = chunk;
    builder.addSample(sizeBytes, durationTicks, compositionTicks, isSync);
    lastStartTicks = ticks;
    ticks += durationTicks;
  });
  return builder.build();
}

/** Adds the samples so that the last ends at `endTicks`; those that would decode before `fromTicks` are left out. */
function addBefore(
  builder: SampleTableBuilder,
  samples: readonly Salvaged[],
  endTicks: number,
  fromTicks: number,
): void {
  let startTicks = endTicks;
  let first = samples.length;
  while (first > 0 && startTicks - (samples[first - 1] as Salvaged).durationTicks > fromTicks) {
    first--;
    startTicks -= (samples[first] as Salvaged).durationTicks;
  }
  if (first === samples.length) return;
  builder.stretchLastSample(startTicks - endTicks);
  for (const { offset, sizeBytes, durationTicks, compositionTicks, isSync } of samples.slice(first)) {
    builder.startChunk(offset, 1);
    builder.addSample(sizeBytes, durationTicks, compositionTicks, isSync);
  }
}
