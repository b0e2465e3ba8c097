import { ReelmillError } from "../../base/errors.ts";
import type { ByteSource } from "../bytes/byte-source.ts";
import type { Movie } from "./movie.ts";
import { openMoof } from "./single-track.ts";
import type { TopLevelBox } from "./top-level.ts";
import { type FragmentRun, parseTraf } from "./traf.ts";

/** A sample of a fragment. */
export interface FragmentSample {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** In ticks of the media. */
  readonly decodeTicks: number;
  readonly durationTicks: number;
  readonly presentationTicks: number;
}

/**
 * The samples of a `moof` that holds a single track, in decode order. For files that were just written: throws MEDIA_MALFORMED where it has no
 * samples or no time, or cannot be read.
 */
export function readFragmentSamples(source: ByteSource, moof: TopLevelBox, movie: Movie): readonly FragmentSample[] {
  const { offsetBytes } = moof;
  const traf = openMoof(source, moof)
    .children()
    .find(({ type }) => type === "traf");
  const fragment = traf && parseTraf(traf, offsetBytes, offsetBytes, (id) => movie.fragmentDefaults?.get(id));
  const samples: FragmentSample[] = [];
  let ticks = fragment?.baseDecodeTimeTicks;
  for (const run of ticks === undefined ? [] : (fragment?.runs ?? [])) ticks = appendRun(run, ticks ?? 0, samples);
  if (samples.length > 0) return samples;
  throw new ReelmillError("MEDIA_MALFORMED", `The moof at byte ${offsetBytes} has no samples, or no time.`);
}

/** Returns the decode time behind the run. */
function appendRun(run: FragmentRun, startTicks: number, samples: FragmentSample[]): number {
  let decodeTicks = startTicks;
  let { offsetBytes } = run;
  for (let index = 0; index < run.sampleCount; index++) {
    const sizeBytes = run.sizes?.[index] ?? run.defaultSizeBytes;
    const durationTicks = run.durations?.[index] ?? run.defaultDurationTicks;
    const presentationTicks = decodeTicks + (run.compositionOffsets?.[index] ?? 0);
    samples.push({ offsetBytes, sizeBytes, decodeTicks, durationTicks, presentationTicks });
    offsetBytes += sizeBytes;
    decodeTicks += durationTicks;
  }
  return decodeTicks;
}
