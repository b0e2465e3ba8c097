import { ReelmillError } from "../../base/errors.ts";
import type { ByteSource } from "../bytes/byte-source.ts";
import { readFragmentSamples } from "./fragment-samples.ts";
import type { Movie } from "./movie.ts";
import { readMovie } from "./read-movie.ts";
import { scanTopLevelBoxes, type TopLevelBox } from "./top-level.ts";

/** One `moof` with the media data behind it, of a file with a single track. */
export interface IndexedFragment {
  /** Of the `moof`, or of the `styp` or the like before it. */
  readonly startBytes: number;
  /** Where the next fragment begins, or the file ends. */
  readonly endBytes: number;
  /** Where the first sample ends: up to there the fragment is a picture that stands alone. */
  readonly firstSampleEndBytes: number;
  /** Decode time of the first sample, and how long all of them last, in ticks of the media. */
  readonly startTicks: number;
  readonly durationTicks: number;
  /** Presentation times of the samples in decode order, in ticks of the media. */
  readonly presentationTicks: readonly number[];
}

/** A fragmented file, whole and of one track, as packagers cut it. */
export interface FragmentIndex {
  /** Where the Media Initialization Section ends, which begins the file. */
  readonly initializationBytes: number;
  /** Ticks per second. */
  readonly timescale: number;
  readonly fragments: readonly IndexedFragment[];
}

/**
 * Lists the fragments of a file, ISO/IEC 14496-12 §8.8. For files that were just written: throws MEDIA_MALFORMED where there is not exactly
 * one track, or a fragment lacks its time or cannot be read.
 */
export function indexFragments(source: ByteSource): FragmentIndex {
  const boxes = scanTopLevelBoxes(source);
  const moov = boxes.find(({ type }) => type === "moov");
  const movie = moov && readMovie(source, moov);
  const [track] = movie?.tracks ?? [];
  if (moov === undefined || movie === undefined || track === undefined || movie.tracks.length !== 1) {
    throw new ReelmillError("MEDIA_MALFORMED", "The fragmented file has not exactly one track.");
  }
  const initializationBytes = moov.offsetBytes + moov.sizeBytes;
  const moofs = boxes.filter(({ type }) => type === "moof");
  const heads = moofs.map(({ offsetBytes }) => fragmentStart(boxes, offsetBytes, initializationBytes));
  const fragments = moofs.map((moof, index) => {
    const startBytes = heads[index] as number;
    return readFragment(source, moof, movie, { startBytes, endBytes: heads[index + 1] ?? source.sizeBytes });
  });
  return { initializationBytes, timescale: track.timescale, fragments };
}

/** A fragment takes along what stands between the media data before it and its `moof`. */
function fragmentStart(boxes: readonly TopLevelBox[], moofBytes: number, initializationBytes: number): number {
  const before = boxes.findLast(({ offsetBytes, type }) => offsetBytes < moofBytes && type === "mdat");
  return before === undefined ? initializationBytes : before.offsetBytes + before.sizeBytes;
}

function readFragment(
  source: ByteSource,
  moof: TopLevelBox,
  movie: Movie,
  place: { readonly startBytes: number; readonly endBytes: number },
): IndexedFragment {
  const samples = readFragmentSamples(source, moof, movie);
  const [first, last] = [samples[0], samples.at(-1)];
  const startTicks = first?.decodeTicks ?? 0;
  return {
    ...place,
    firstSampleEndBytes: (first?.offsetBytes ?? 0) + (first?.sizeBytes ?? 0),
    startTicks,
    durationTicks: (last?.decodeTicks ?? 0) + (last?.durationTicks ?? 0) - startTicks,
    presentationTicks: samples.map(({ presentationTicks }) => presentationTicks),
  };
}
