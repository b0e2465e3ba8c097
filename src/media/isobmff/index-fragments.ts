import { NumberTable } from "../../base/number-table.ts";
import type { ByteSource } from "../bytes/byte-source.ts";
import { editOffsetTicks } from "./edit-offset.ts";
import { type FragmentSample, readFragmentSamples } from "./fragment-samples.ts";
import { readSingleTrack } from "./single-track.ts";
import { eachTopLevelBox } from "./top-level.ts";

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
  readonly fragments: NumberTable<IndexedFragment>;
}

/** The fragments of an index: ten hours of sound have 36,000. */
export function createFragmentTable(fragments: Iterable<IndexedFragment> = []): NumberTable<IndexedFragment> {
  return new NumberTable(["startBytes", "endBytes", "firstSampleEndBytes", "startTicks", "durationTicks"], fragments);
}

/** Hears of one fragment after the other when its samples are shown, in ticks, rising, of which there are `timescale` per second. */
export type ShownListener = (presentationTicks: Float64Array, timescale: number) => void;

/**
 * Lists the fragments of a file, ISO/IEC 14496-12 §8.8; an edit list moves their times. Their samples, of which a day has ten million, are told and
 * not kept. For files that were just written: throws MEDIA_MALFORMED where there is not exactly one track, or a fragment lacks its time or cannot be read.
 */
export function indexFragments(source: ByteSource, onShown: ShownListener = () => undefined): FragmentIndex {
  const { moov, movie, track } = readSingleTrack(source, eachTopLevelBox(source));
  const { timescale } = track;
  const lateTicks = -Math.round(editOffsetTicks(track, movie.timescale));
  const initializationBytes = moov.offsetBytes + moov.sizeBytes;
  const fragments = createFragmentTable();
  let begun: BegunFragment | undefined;
  let endTicks = 0;
  // A fragment takes along what stands between the media data before it and its `moof`.
  let startBytes = initializationBytes;
  for (const box of eachTopLevelBox(source, initializationBytes)) {
    if (box.type === "mdat") startBytes = box.offsetBytes + box.sizeBytes;
    if (box.type !== "moof") continue;
    const samples = readFragmentSamples(source, box, movie);
    const [first] = samples as [FragmentSample, ...FragmentSample[]];
    const startTicks = first.presentationTicks + lateTicks;
    if (begun !== undefined) fragments.push(endFragment(begun, startBytes, startTicks));
    begun = { startBytes, startTicks, firstSampleEndBytes: first.offsetBytes + first.sizeBytes };
    const shown = Float64Array.from(samples, ({ presentationTicks }) => presentationTicks + lateTicks);
    for (const [at, { durationTicks }] of samples.entries()) {
      endTicks = Math.max(endTicks, (shown[at] as number) + durationTicks);
    }
    onShown(shown.sort(), timescale);
  }
  if (begun !== undefined) fragments.push(endFragment(begun, source.sizeBytes, endTicks));
  return { initializationBytes, timescale, fragments };
}

type BegunFragment = Omit<IndexedFragment, "endBytes" | "durationTicks">;

function endFragment(begun: BegunFragment, endBytes: number, endTicks: number): IndexedFragment {
  const { startBytes, firstSampleEndBytes, startTicks } = begun;
  return { startBytes, endBytes, firstSampleEndBytes, startTicks, durationTicks: endTicks - startTicks };
}
