import { formatCount } from "../../base/units.ts";
import type { ByteSource } from "../../media/bytes/byte-source.ts";
import { readFragments } from "../../media/isobmff/fragments.ts";
import type { Movie, SampleTable, Track } from "../../media/isobmff/movie.ts";
import type { DamageNote } from "../../pipelines/repair/index.ts";
import { trackCodecs } from "../../repair/codecs/codec-name.ts";
import type { Triage } from "../../repair/triage.ts";

/** A track as its index describes it; null where the container does not tell. */
export interface InspectedTrack {
  readonly trackId: number;
  readonly handler: string;
  /** As ffmpeg calls it: `h264`, `aac`, `pcm_s16le`; a fourcc where it has no name. */
  readonly codec: string;
  readonly samples: number | null;
  readonly keyframes: number | null;
  readonly durationSeconds: number | null;
  readonly bytes: number | null;
  readonly sampleBytes: { readonly min: number; readonly max: number; readonly mean: number } | null;
}

/** What `reelmill inspect --json` prints. */
export interface Inspection {
  readonly schema: 1;
  readonly file: string;
  readonly bytes: number;
  readonly container: string;
  /** The tree of boxes, one line per box, two blanks per level; empty for other containers. */
  readonly boxes: readonly string[];
  readonly tracks: readonly InspectedTrack[];
  /** How the tracks' chunks lie in the file, one sentence per track. */
  readonly interleave: readonly string[];
  readonly notes: readonly DamageNote[];
  /** What was looked at for them and what was not. */
  readonly checked: string;
}

/** Describes the tracks of a movie and how they are interleaved. Never throws on content. */
export function inspectMovie(
  source: ByteSource,
  state: Triage,
  movie: Movie,
): Pick<Inspection, "tracks" | "interleave"> {
  const tables = movie.isFragmented
    ? readFragments(source, state.boxes, movie).tracks.map((track) => track.samples)
    : movie.tracks.map((track) => track.samples);
  const tracks: InspectedTrack[] = [];
  const interleave: string[] = [];
  for (const [index, track] of movie.tracks.entries()) {
    const samples = tables[index] ?? track.samples;
    tracks.push(inspectTrack(track, samples));
    interleave.push(describeChunks(track, samples));
  }
  return { tracks, interleave };
}

function inspectTrack({ trackId, handlerType, timescale, sampleEntries }: Track, samples: SampleTable): InspectedTrack {
  const bytes = totalBytes(samples);
  return {
    trackId,
    handler: handlerType,
    codec: trackCodecs({ sampleEntries }),
    samples: samples.sampleCount,
    keyframes: samples.syncSamples?.length ?? samples.sampleCount,
    durationSeconds: totalTicks(samples) / timescale,
    bytes,
    sampleBytes: samples.sampleCount === 0 ? null : sizeRange(samples, bytes),
  };
}

function totalBytes({ constantSizeBytes, sampleCount, sizes }: SampleTable): number {
  return constantSizeBytes > 0 ? constantSizeBytes * sampleCount : sizes.reduce((sum, size) => sum + size, 0);
}

function totalTicks({ durationRuns }: SampleTable): number {
  let ticks = 0;
  for (let run = 0; run < durationRuns.length; run += 2)
    ticks += (durationRuns[run] ?? 0) * (durationRuns[run + 1] ?? 0);
  return ticks;
}

function sizeRange(samples: SampleTable, bytes: number): NonNullable<InspectedTrack["sampleBytes"]> {
  const { constantSizeBytes: constant, sizes, sampleCount } = samples;
  if (constant > 0) return { min: constant, max: constant, mean: constant };
  const min = sizes.reduce((least, size) => Math.min(least, size), Number.POSITIVE_INFINITY);
  const max = sizes.reduce((most, size) => Math.max(most, size), 0);
  return { min, max, mean: Math.round(bytes / sampleCount) };
}

function describeChunks({ trackId }: Track, { chunkOffsets, chunkSampleCounts }: SampleTable): string {
  if (chunkOffsets.length === 0) return `track ${trackId}: no chunks`;
  const counts = new Map<number, number>();
  for (const count of chunkSampleCounts) counts.set(count, (counts.get(count) ?? 0) + 1);
  const common = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 3);
  const shares = common.map(([samples, chunks]) => `${samples} (${chunks}×)`).join(", ");
  const first = chunkOffsets.reduce((least, offset) => Math.min(least, offset), Number.POSITIVE_INFINITY);
  return `track ${trackId}: ${formatCount(chunkOffsets.length, "chunk")} from byte ${first} on, samples per chunk: ${shares}`;
}
