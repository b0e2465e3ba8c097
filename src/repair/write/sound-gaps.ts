import { concatBytes } from "../../media/isobmff/box-writer.ts";
import type { Movie, SampleTable, Track } from "../../media/isobmff/movie.ts";
import { forEachChunk } from "../../media/isobmff/sample-table.ts";
import { SampleTableBuilder } from "../../media/isobmff/sample-table-builder.ts";
import { type PcmLayout, pcmLayout } from "../../media/pcm/pcm-layout.ts";
import { silentFrame } from "../../media/pcm/silence.ts";
import { isRawSound } from "../raw-sound.ts";

/** Gaps shorter than this are slips of a clock: they are closed until they add up. */
const MIN_GAP_SECONDS = 0.005;
/** Silence is written once, in so many bytes at most, and listed as often as it takes. */
const MAX_SILENCE_BYTES = 1024 * 1024;
/** More chunks of silence than this would only a hostile file have: its gaps stay in the durations. */
const MAX_SILENT_CHUNKS = 262_144;
const U32_MAX = 0xffff_ffff;

/** A stretch of time in which a raw sound track has no frames. */
interface SoundGap {
  /** The frame that the gap stands before. */
  readonly frame: number;
  readonly frameCount: number;
}

/** How a track's gaps are filled. */
interface SilencePlan {
  readonly layout: PcmLayout;
  readonly gaps: readonly SoundGap[];
  /** Frames of the block of silence that chunks share. */
  readonly blockFrames: number;
}

/** A movie whose raw sound has no gaps, and the bytes that fill them. */
export interface FilledMovie {
  readonly movie: Movie;
  /** To stand at the place given. */
  readonly silence: Uint8Array;
}

/**
 * Fills gaps in raw sound with silence, which is to stand at `silenceOffset`. Elsewhere a gap makes the sample before it
 * longer; but readers want all frames of uncompressed sound to be alike: some take hours of it frame by frame otherwise,
 * and none follows edits of it reliably.
 */
export function fillSoundGaps(movie: Movie, silenceOffset: number): FilledMovie {
  const blocks: Uint8Array[] = [];
  let offset = silenceOffset;
  const tracks = movie.tracks.map((track): Track => {
    const plan = planSilence(track);
    if (plan === undefined) return track;
    const { layout, gaps, blockFrames } = plan;
    const samples = fill(track.samples, gaps, offset, blockFrames);
    if (blockFrames > 0) blocks.push(repeat(silentFrame(layout), blockFrames));
    offset += blockFrames * layout.bytesPerFrame;
    return { ...track, samples };
  });
  return { movie: { ...movie, tracks }, silence: concatBytes(blocks) };
}

/** Frames of silence that `fillSoundGaps` puts into a track. */
export function silentFramesOf(track: Track): number {
  return planSilence(track)?.gaps.reduce((sum, gap) => sum + gap.frameCount, 0) ?? 0;
}

/** Undefined where nothing is to be filled or made even. */
function planSilence(track: Track): SilencePlan | undefined {
  const layout = rawLayoutOf(track);
  if (layout === undefined || track.samples.durationRuns.length <= 2) return undefined;
  const gaps = gapsOf(track);
  const added = gaps.reduce((sum, gap) => sum + gap.frameCount, 0);
  if (track.samples.sampleCount + added > U32_MAX) return undefined;
  const longest = gaps.reduce((most, gap) => Math.max(most, gap.frameCount), 0);
  const blockFrames = Math.min(longest, Math.floor(MAX_SILENCE_BYTES / layout.bytesPerFrame));
  const chunks = gaps.reduce((sum, gap) => sum + Math.ceil(gap.frameCount / Math.max(1, blockFrames)), 0);
  return chunks > MAX_SILENT_CHUNKS ? undefined : { layout, gaps, blockFrames };
}

/** Undefined also for raw sound whose silence is not known. */
function rawLayoutOf(track: Track): PcmLayout | undefined {
  const [entry] = track.sampleEntries;
  const layout = entry && isRawSound(track) ? pcmLayout(entry) : undefined;
  return layout?.bytesPerFrame === track.samples.constantSizeBytes ? layout : undefined;
}

function gapsOf({ samples, timescale }: Track): readonly SoundGap[] {
  const usual = usualTicks(samples);
  const gaps: SoundGap[] = [];
  let [frame, lateTicks] = [0, 0];
  for (let run = 0; run < samples.durationRuns.length; run += 2) {
    const count = samples.durationRuns[run] as number;
    frame += count;
    lateTicks += count * ((samples.durationRuns[run + 1] as number) - usual);
    if (lateTicks < MIN_GAP_SECONDS * timescale || frame >= samples.sampleCount) continue;
    const frameCount = Math.floor(lateTicks / usual);
    lateTicks -= frameCount * usual;
    if (frameCount > 0) gaps.push({ frame, frameCount });
  }
  return gaps;
}

/** The duration that most samples have, ≥ 1. */
function usualTicks({ durationRuns }: SampleTable): number {
  let [usual, most] = [1, 0];
  for (let run = 0; run < durationRuns.length; run += 2) {
    if ((durationRuns[run] as number) <= most) continue;
    most = durationRuns[run] as number;
    usual = durationRuns[run + 1] as number;
  }
  return Math.max(1, usual);
}

function fill(table: SampleTable, gaps: readonly SoundGap[], silenceOffset: number, blockFrames: number): SampleTable {
  const ticks = usualTicks(table);
  const builder = new SampleTableBuilder(0, table.constantSizeBytes);
  let next = 0;
  forEachChunk(table, (_chunk, first, count, offset, _size, _ticks, description) => {
    let frame = first;
    while (frame < first + count) {
      const gap = gaps[next];
      if (gap?.frame === frame) {
        next++;
        for (let left = gap.frameCount; left > 0; left -= blockFrames) {
          builder.startChunk(silenceOffset, description);
          builder.addConstant(Math.min(left, blockFrames), ticks);
        }
      }
      const end = Math.min(first + count, gaps[next]?.frame ?? Number.POSITIVE_INFINITY);
      builder.startChunk(offset + (frame - first) * table.constantSizeBytes, description);
      builder.addConstant(end - frame, ticks);
      frame = end;
    }
  });
  return builder.build();
}

function repeat(frame: Uint8Array, count: number): Uint8Array {
  const block = new Uint8Array(frame.length * count);
  for (let at = 0; at < block.length; at += frame.length) block.set(frame, at);
  return block;
}
