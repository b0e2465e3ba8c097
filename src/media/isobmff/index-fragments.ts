import { ReelmillError } from "../../base/errors.ts";
import { createGrowingList } from "../../base/growing-list.ts";
import type { ByteSource } from "../bytes/byte-source.ts";
import { editOffsetTicks } from "./edit-offset.ts";
import { readFragmentSamples } from "./fragment-samples.ts";
import { readSingleTrack } from "./single-track.ts";
import { scanTopLevelBoxes, type TopLevelBox } from "./top-level.ts";

/** 38 hours of 120 pictures a second. */
const MAX_SAMPLES = 2 ** 24;

/** One `moof` with the media data behind it, of a file with a single track. */
export interface IndexedFragment {
  /** Of the `moof`, or of the `styp` or the like before it. */
  readonly startBytes: number;
  /** Where the next fragment begins, or the file ends. */
  readonly endBytes: number;
  /** Where the first sample ends: up to there the fragment is a picture that stands alone. */
  readonly firstSampleEndBytes: number;
  /** When the first sample is shown, and how long it is until that of the next fragment, or the end, in ticks of the media. */
  readonly startTicks: number;
  readonly durationTicks: number;
}

/** A fragmented file, whole and of one track, as packagers cut it. */
export interface FragmentIndex {
  /** Where the Media Initialization Section ends, which begins the file. */
  readonly initializationBytes: number;
  /** Ticks per second. */
  readonly timescale: number;
  readonly fragments: readonly IndexedFragment[];
}

/** An index, and when all samples are shown, in ticks, rising. */
export interface IndexedSamples {
  readonly index: FragmentIndex;
  readonly presentationTicks: Float64Array;
}

/**
 * Lists the fragments of a file, ISO/IEC 14496-12 §8.8; an edit list moves their times. For files that were just written: throws MEDIA_MALFORMED where there is not exactly
 * one track, or a fragment lacks its time or cannot be read.
 */
export function indexFragments(source: ByteSource): IndexedSamples {
  const boxes = scanTopLevelBoxes(source);
  const { moov, movie, track } = readSingleTrack(source, boxes);
  const initializationBytes = moov.offsetBytes + moov.sizeBytes;
  const moofs = boxes.filter(({ type }) => type === "moof");
  const starts = fragmentStarts(boxes, initializationBytes);
  const shown = createGrowingList(Float64Array, MAX_SAMPLES);
  let endTicks = 0;
  const lateTicks = -Math.round(editOffsetTicks(track, movie.timescale));
  const begun = moofs.map((moof, index) => {
    const samples = readFragmentSamples(source, moof, movie);
    const [first] = samples;
    for (const { presentationTicks, durationTicks } of samples) {
      if (shown.length === MAX_SAMPLES) {
        throw new ReelmillError(
          "MEDIA_MALFORMED",
          `The file has more than ${MAX_SAMPLES} samples, more than are listed.`,
        );
      }
      shown.push(presentationTicks + lateTicks);
      endTicks = Math.max(endTicks, presentationTicks + lateTicks + durationTicks);
    }
    return {
      startBytes: starts[index] as number,
      endBytes: starts[index + 1] ?? source.sizeBytes,
      firstSampleEndBytes: (first?.offsetBytes ?? 0) + (first?.sizeBytes ?? 0),
      startTicks: (first?.presentationTicks ?? 0) + lateTicks,
    };
  });
  const fragments = begun.map((fragment, index) => {
    return { ...fragment, durationTicks: (begun[index + 1]?.startTicks ?? endTicks) - fragment.startTicks };
  });
  const index = { initializationBytes, timescale: track.timescale, fragments };
  return { index, presentationTicks: shown.finish().sort() };
}

/** A fragment takes along what stands between the media data before it and its `moof`. */
function fragmentStarts(boxes: readonly TopLevelBox[], initializationBytes: number): readonly number[] {
  const starts: number[] = [];
  let startBytes = initializationBytes;
  for (const { type, offsetBytes, sizeBytes } of boxes) {
    if (type === "moof") starts.push(startBytes);
    if (type === "mdat") startBytes = offsetBytes + sizeBytes;
  }
  return starts;
}
