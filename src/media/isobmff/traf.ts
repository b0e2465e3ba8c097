import type { BoxReader } from "./box-reader.ts";
import type { FragmentDefaults } from "./movie.ts";
import { parseTfdt } from "./tfdt.ts";
import { parseTfhd, type TrackFragmentHeader } from "./tfhd.ts";
import { parseTrun, type TrackRun } from "./trun.ts";

/** A run with every default and its place resolved. */
export interface FragmentRun extends TrackRun {
  /** Absolute file offset of its first sample. */
  readonly offsetBytes: number;
  /** 1-based `stsd` index. */
  readonly descriptionIndex: number;
  readonly defaultDurationTicks: number;
  readonly defaultSizeBytes: number;
  readonly defaultFlags: number;
}

/** One track's part of a `moof`. */
export interface TrackFragment {
  readonly trackId: number;
  /** `tfdt`; undefined where none stands. */
  readonly baseDecodeTimeTicks: number | undefined;
  readonly runs: readonly FragmentRun[];
}

/**
 * Reads a `traf`, ISO/IEC 14496-12 §8.8.6. `moofOffsetBytes` is the fragment's place in the file, `implicitBaseBytes`
 * where the data of the track before end (the `moof` itself for the first): the base where none is told (§8.8.7.1).
 * Throws MEDIA_MALFORMED where a box lies about its length or a run would lie before the file.
 */
export function parseTraf(
  traf: BoxReader,
  moofOffsetBytes: number,
  implicitBaseBytes: number,
  defaultsOf: (trackId: number) => FragmentDefaults | undefined,
): TrackFragment {
  const boxes = traf.children();
  const tfhd = boxes.find((box) => box.type === "tfhd");
  if (tfhd === undefined) throw traf.fail("tfhd is missing");
  const header = parseTfhd(tfhd);
  const defaults = defaultsOf(header.trackId);
  const tfdt = boxes.find((box) => box.type === "tfdt");
  const base = header.baseDataOffsetBytes ?? (header.isBaseMoof ? moofOffsetBytes : implicitBaseBytes);
  let nextOffset = base;
  const runs: FragmentRun[] = [];
  for (const box of boxes) {
    if (box.type !== "trun") continue;
    if (box.isClipped) throw box.fail("the run is longer than its track fragment");
    const run = parseTrun(box);
    const offsetBytes = run.dataOffsetBytes === undefined ? nextOffset : base + run.dataOffsetBytes;
    if (offsetBytes < 0) throw box.fail(`its data would lie at byte ${offsetBytes}`);
    const resolved = resolveRun(run, offsetBytes, header, defaults);
    runs.push(resolved);
    nextOffset = offsetBytes + runBytes(resolved);
  }
  return { trackId: header.trackId, baseDecodeTimeTicks: tfdt ? parseTfdt(tfdt) : undefined, runs };
}

function resolveRun(
  run: TrackRun,
  offsetBytes: number,
  header: TrackFragmentHeader,
  defaults: FragmentDefaults | undefined,
): FragmentRun {
  return {
    ...run,
    offsetBytes,
    descriptionIndex: Math.min(header.descriptionIndex ?? defaults?.descriptionIndex ?? 1, 0xffff) || 1,
    defaultDurationTicks: header.defaultDurationTicks ?? defaults?.durationTicks ?? 0,
    defaultSizeBytes: header.defaultSizeBytes ?? defaults?.sizeBytes ?? 0,
    defaultFlags: header.defaultSampleFlags ?? defaults?.sampleFlags ?? 0,
  };
}

/** Bytes of a run's samples together. */
export function runBytes(run: FragmentRun): number {
  if (run.sizes === undefined) return run.defaultSizeBytes * run.sampleCount;
  let bytes = 0;
  for (const sizeBytes of run.sizes) bytes += sizeBytes;
  return bytes;
}
