import { ReelmillError } from "../../base/errors.ts";
import { formatCount } from "../../base/units.ts";
import { requireDecodes } from "../../ffmpeg/verify.ts";
import type { IndexedSamples } from "../../media/isobmff/index-fragments.ts";
import { unpackTicks } from "../../spans/packed-ticks.ts";
import type { Rung } from "./ladder.ts";
import type { PackageHooks, PackagePlan, RungSpan } from "./packaging.ts";
import type { EncodedStream } from "./write-media.ts";

/** Clocks of the source and of a rung that count differently agree to this. */
const SLACK_SECONDS = 0.000_012;

/** What was found when the rungs' pictures were counted. */
export interface PictureCount {
  /** Of every rung. */
  readonly pictures: number;
  readonly findings: readonly string[];
}

/** Holds one rung after the other against the source. */
export interface PictureCheck {
  /** Throws OUTPUT_NOT_VERIFIED. */
  readonly add: (rung: Rung, samples: IndexedSamples) => void;
  /** When all rungs have been added. */
  readonly finish: () => PictureCount;
}

/**
 * Holds the pictures of every rung against the source's: as many, at the same times to the tick, and the same in all rungs, with key
 * pictures at the same times; of a span those of the span. Pictures that the decoder could not make of the source are missing in all rungs alike and become a finding.
 */
export function createPictureCheck(plan: PackagePlan, span?: RungSpan): PictureCheck {
  let first: RungTimes | undefined;
  let findings: readonly string[] = [];
  return {
    add: (rung, samples) => {
      const times = timesOf(rung, samples);
      if (first === undefined) {
        findings = compareWithSource(plan, span, times);
        first = times;
        return;
      }
      requireSame("pictures", times, first, ({ pictures }) => pictures);
      requireSame("key pictures", times, first, ({ keys }) => keys);
    },
    finish: () => ({ pictures: first?.pictures.length ?? 0, findings }),
  };
}

/** In seconds, rising. */
interface RungTimes {
  readonly name: string;
  readonly pictures: Float64Array;
  /** Of the pictures that fragments begin with. */
  readonly keys: Float64Array;
}

function timesOf({ name }: Rung, { index: { fragments, timescale }, presentationTicks }: IndexedSamples): RungTimes {
  const keys = Float64Array.from(fragments, ({ startTicks }) => startTicks / timescale);
  return { name, pictures: presentationTicks.map((ticks) => ticks / timescale), keys };
}

function requireSame(
  what: string,
  rung: RungTimes,
  first: RungTimes,
  listOf: (times: RungTimes) => Float64Array,
): void {
  const [own, others] = [listOf(rung), listOf(first)];
  if (own.length === others.length && own.every((at, index) => at === others[index])) return;
  const message = `The ${what} of ${rung.name} (${own.length}) are not those of ${first.name} (${others.length}).`;
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
}

function compareWithSource(
  { video, clock }: PackagePlan,
  { startTicks = null, endTicks = null }: Partial<RungSpan> = {},
  { pictures }: RungTimes,
): readonly string[] {
  if (pictures.length === 0) throw new ReelmillError("OUTPUT_NOT_VERIFIED", "No picture came out of the encoder.");
  if (video.packedTicks === null) return [];
  const tick = video.timeBase.numerator / video.timeBase.denominator;
  const expected = unpackTicks(video.packedTicks)
    .filter((at) => (startTicks === null || at >= startTicks) && (endTicks === null || at < endTicks))
    .map((at) => (at - video.originTicks) * tick);
  const slack =
    SLACK_SECONDS + (clock.denominator === video.timeBase.denominator ? 0 : clock.numerator / clock.denominator);
  const lost = countLost(pictures, expected, slack);
  if (lost === undefined) {
    const message = `The rungs' pictures (${pictures.length}) are not at the times of the source's (${expected.length}).`;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
  }
  return lost === 0 ? [] : [`${formatCount(lost, "picture")} could not be decoded from the source.`];
}

/** How many of the times expected are missing; undefined where there is one that was not expected. */
function countLost(found: Float64Array, expected: Float64Array, slack: number): number | undefined {
  let at = 0;
  for (const seconds of found) {
    while (at < expected.length && (expected[at] as number) < seconds - slack) at++;
    if (at === expected.length || Math.abs((expected[at] as number) - seconds) > slack) return undefined;
    at++;
  }
  return expected.length - found.length;
}

/** Decodes every stream as a whole. Throws OUTPUT_NOT_VERIFIED, FFMPEG_TIMEOUT, PROGRAM_KILLED, ABORTED. */
export async function checkDecodes(
  streams: readonly EncodedStream[],
  pictures: number,
  { tools, signal, onProgress }: PackageHooks,
): Promise<void> {
  for (const [index, { name, path, codec }] of streams.entries()) {
    const wanted = codec === null ? null : pictures;
    await requireDecodes(tools, path, { what: `${name} of the package`, pictures: wanted, signal });
    onProgress((index + 1) / streams.length);
  }
}
