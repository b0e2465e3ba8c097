import type { ByteSource } from "../media/bytes/byte-source.ts";
import { forEachChunkInFile } from "../media/isobmff/chunk-order.ts";
import type { Movie, SampleTable, Track } from "../media/isobmff/movie.ts";
import { samplesWithin, truncateSampleTable } from "../media/isobmff/truncate-sample-table.ts";
import { type Extent, firstEndingAfter } from "./extents.ts";
import type { Finding } from "./findings.ts";
import { endKeptWithPictures } from "./kept-last-samples.ts";
import type { RepairOptions, RepairOutcome } from "./outcome.ts";
import { isRawSound } from "./raw-sound.ts";
import { reportMovie } from "./report.ts";
import { fitsBytes } from "./sample-check.ts";
import { fitEdits, isWalkedByChunk, withoutSamplesIn } from "./select-samples.ts";
import type { Triage } from "./triage.ts";
import { layOutput } from "./write/layout.ts";
import { dropHoles, placeOfSamples } from "./zero-holes.ts";

/** What the damaged file's own index is good for. */
export type KeptIndex =
  /** It tells all there is: nothing needs to be scanned. */
  | { readonly kind: "sound"; readonly outcome: RepairOutcome }
  /** It lists only a part of the data; `outcome` is what it gives by itself. */
  | { readonly kind: "short"; readonly movie: Movie; readonly outcome: RepairOutcome; readonly indexedBytes: number }
  /** It does not fit the bytes, but its codec configuration may. */
  | { readonly kind: "stale"; readonly movie: Movie }
  | { readonly kind: "none" };

interface Measured {
  readonly movie: Movie;
  /** Whether a player would find and take another index, or none. */
  readonly isHidden: boolean;
  /** Byte ranges of its chunks inside the file, joined and rising. */
  readonly ranges: readonly Extent[];
  readonly insideBytes: number;
  readonly endOffset: number;
}

/** An index that leaves out less than this is whole. */
const MIN_UNINDEXED_BYTES = 64 * 1024;
const MIN_INDEXED_SHARE = 0.9;

/**
 * Judges the indexes (`moov`) that the file still has, and repairs with the best of them where one is sound. Throws what
 * `options.onPause` throws.
 */
export async function keepIndex(damaged: ByteSource, state: Triage, options: RepairOptions): Promise<KeptIndex> {
  const measured = state.movies
    .filter(({ movie }) => !movie.isFragmented && movie.tracks.some((track) => track.samples.sampleCount > 0))
    .filter(({ movie }) => movie.tracks.every((track) => isBelievable(track.samples, damaged.sizeBytes)))
    .map(({ movie, isHidden }) => measure(damaged, movie, isHidden || movie !== state.movies[0]?.movie))
    .sort((a, b) => b.insideBytes - a.insideBytes);
  const best = measured.find(({ movie, insideBytes }) => insideBytes > 0 && fitsBytes(movie, damaged));
  if (best === undefined) {
    const stale = measured[0];
    return stale ? { kind: "stale", movie: stale.movie } : { kind: "none" };
  }
  const outcome = await repairWithIndex(damaged, state, best, options);
  if (outcome === undefined) return { kind: "stale", movie: best.movie };
  const missed = unindexedBytes(damaged, state.extents, best.ranges);
  const isShort = missed > MIN_UNINDEXED_BYTES && best.insideBytes < MIN_INDEXED_SHARE * (best.insideBytes + missed);
  if (!isShort) return { kind: "sound", outcome };
  return { kind: "short", movie: best.movie, outcome, indexedBytes: best.insideBytes };
}

/** Samples of one size that are walked one by one whatever the file's size, and for each byte of it. */
const WALKED_SAMPLES = { least: 2 ** 26, perByte: 8 } as const;

/** A table of equal samples takes no bytes per sample, so that a hostile one may list billions in a small file. */
function isBelievable(samples: SampleTable, sizeBytes: number): boolean {
  if (samples.constantSizeBytes === 0 || isWalkedByChunk(samples)) return true;
  return samples.sampleCount <= Math.max(WALKED_SAMPLES.least, WALKED_SAMPLES.perByte * sizeBytes);
}

function measure(damaged: ByteSource, movie: Movie, isHidden: boolean): Measured {
  const ranges: { startOffset: number; endOffset: number }[] = [];
  let endOffset = 0;
  const tables = movie.tracks.map((track) => track.samples);
  forEachChunkInFile(tables, ({ offsetBytes, sizeBytes }) => {
    endOffset = Math.max(endOffset, offsetBytes + sizeBytes);
    const end = Math.min(offsetBytes + sizeBytes, damaged.sizeBytes);
    const last = ranges.at(-1);
    if (end <= offsetBytes) return;
    if (last && offsetBytes <= last.endOffset) last.endOffset = Math.max(last.endOffset, end);
    else ranges.push({ startOffset: offsetBytes, endOffset: end });
  });
  const insideBytes = ranges.reduce((sum, range) => sum + range.endOffset - range.startOffset, 0);
  return { movie, isHidden, ranges, insideBytes, endOffset };
}

/** Undefined where no sample is left. */
async function repairWithIndex(
  damaged: ByteSource,
  state: Triage,
  { movie, isHidden, ranges, endOffset }: Measured,
  options: RepairOptions,
): Promise<RepairOutcome | undefined> {
  const limit = hasSamplesFrom(movie, state.dataEndOffset) ? state.dataEndOffset : damaged.sizeBytes;
  const isCut = endOffset > limit;
  const cut: Movie = isCut ? cutMovie(movie, limit) : movie;
  const within = { startOffset: ranges[0]?.startOffset ?? 0, endOffset: Math.min(limit, endOffset) };
  const sound = await dropHoles(damaged, cut, { within, isDamaged: isCut || isHidden, pause: options.onPause });
  const kept: Movie = { ...sound.movie, tracks: sound.movie.tracks.filter((track) => track.samples.sampleCount > 0) };
  if (kept.tracks.length === 0) return undefined;
  const isHoled = sound.findings.length > 0;
  if (!isCut && !isHidden && !isHoled) return { report: reportMovie("healthy", movie, [], damaged.sizeBytes) };
  const findings = [...sound.findings, ...(isCut ? [cutFinding(limit, endOffset, damaged.sizeBytes)] : [])];
  return {
    report: reportMovie(
      isCut ? "index-cut" : isHidden ? "index-hidden" : "index-holed",
      kept,
      findings,
      damaged.sizeBytes,
    ),
    layout: layOutput(damaged, placeOfSamples(kept, limit), kept, state.ftyp, options.faststart ?? false),
  };
}

function cutFinding(startOffset: number, endOffset: number, sizeBytes: number): Finding {
  const why = startOffset < sizeBytes ? "only zeros stand there" : "the file ends before these bytes";
  return { kind: "cut-packet", startOffset, endOffset, action: `left out of the index: ${why}` };
}

/** Whether coded samples are listed at or past `offset`; silence in PCM may rightly be zeros to the end. */
function hasSamplesFrom(movie: Movie, offset: number): boolean {
  return movie.tracks.some(
    (track) => !isRawSound(track) && track.samples.chunkOffsets.some((chunkOffset) => chunkOffset >= offset),
  );
}

/** The movie's samples that end at or before `limit`, whatever their order in the file. */
function cutMovie(movie: Movie, limit: number): Movie {
  const beyond = [{ startOffset: limit, endOffset: Number.POSITIVE_INFINITY }];
  const tracks = movie.tracks.map((track): Track => {
    if (!isRising(track.samples.chunkOffsets)) return withoutSamplesIn(track, beyond, movie.timescale).track;
    // Cut at its end, a table shares its columns with the whole one.
    const samples = truncateSampleTable(track.samples, samplesWithin(track.samples, limit));
    if (samples === track.samples) return track;
    return { ...track, samples, edits: fitEdits({ ...track, samples, leadTicks: 0 }, movie.timescale) };
  });
  return endKeptWithPictures({ ...movie, tracks }, movie);
}

function isRising(offsets: Float64Array): boolean {
  return offsets.every((offset, index) => index === 0 || offset >= (offsets[index - 1] as number));
}

const PROBE_BYTES = 64;
const PROBES_PER_GAP = 32;
const MAX_GAP_PROBES = 2048;
/** Shorter stretches between chunks are padding. */
const MIN_GAP_BYTES = 4096;
const BOX_TYPES_BETWEEN = ["free", "skip", "wide", "uuid", "moov", "moof", "meta"];

/** Estimates the bytes in `extents` that no chunk covers and that are neither zeros nor other boxes. */
function unindexedBytes(damaged: ByteSource, extents: readonly Extent[], ranges: readonly Extent[]): number {
  const gaps = extents
    .flatMap((extent) => uncovered(extent, ranges))
    .sort((a, b) => b.endOffset - b.startOffset - (a.endOffset - a.startOffset));
  let missed = 0;
  let probes = 0;
  const bytes = new Uint8Array(PROBE_BYTES);
  for (const { startOffset, endOffset } of gaps) {
    const length = endOffset - startOffset;
    if (length < MIN_GAP_BYTES || probes >= MAX_GAP_PROBES) break;
    damaged.read(startOffset, bytes);
    if (BOX_TYPES_BETWEEN.includes(String.fromCharCode(...bytes.subarray(4, 8)))) continue;
    let used = 0;
    for (let probe = 0; probe < PROBES_PER_GAP; probe++) {
      const got = damaged.read(startOffset + Math.floor((length * probe) / PROBES_PER_GAP), bytes);
      if (bytes.subarray(0, got).some((byte) => byte !== 0)) used++;
    }
    probes += PROBES_PER_GAP;
    missed += (length * used) / PROBES_PER_GAP;
  }
  return missed;
}

function uncovered(extent: Extent, ranges: readonly Extent[]): Extent[] {
  const gaps: Extent[] = [];
  let startOffset = extent.startOffset;
  for (let index = firstEndingAfter(ranges, startOffset); index < ranges.length; index++) {
    const range = ranges[index] as Extent;
    if (range.startOffset >= extent.endOffset) break;
    if (range.startOffset > startOffset) gaps.push({ startOffset, endOffset: range.startOffset });
    startOffset = Math.max(startOffset, range.endOffset);
  }
  if (extent.endOffset > startOffset) gaps.push({ startOffset, endOffset: extent.endOffset });
  return gaps;
}
