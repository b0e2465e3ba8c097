import { createHash } from "node:crypto";
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
  let pictures = 0;
  let findings: readonly string[] = [];
  return {
    add: ({ name }, { index: { fragments, timescale }, presentationTicks }) => {
      const times: RungTimes = {
        ...{ name, timescale, pictures: presentationTicks.length, keys: fragments.length },
        shown: digestOf(presentationTicks),
        begun: digestOf(Float64Array.from(fragments, ({ startTicks }) => startTicks)),
      };
      if (first === undefined) {
        findings = compareWithSource(plan, span, presentationTicks, timescale);
        pictures = times.pictures;
        first = times;
        return;
      }
      const isSame = (what: "shown" | "begun"): boolean =>
        first?.timescale === timescale && times[what] === first[what];
      if (!isSame("shown")) throw differ("pictures", times, first, ({ pictures: count }) => count);
      if (!isSame("begun")) throw differ("key pictures", times, first, ({ keys }) => keys);
    },
    finish: () => ({ pictures, findings }),
  };
}

function digestOf(ticks: Float64Array): string {
  return createHash("sha256").update(ticks).digest("hex");
}

/** When a rung's pictures are shown, and those that fragments begin with, as digests: ten hours of them take much memory. */
interface RungTimes {
  readonly name: string;
  readonly timescale: number;
  readonly pictures: number;
  readonly keys: number;
  readonly shown: string;
  readonly begun: string;
}

function differ(what: string, rung: RungTimes, first: RungTimes, countOf: (times: RungTimes) => number): ReelmillError {
  const message = `The ${what} of ${rung.name} (${countOf(rung)}) are not those of ${first.name} (${countOf(first)}).`;
  return new ReelmillError("OUTPUT_NOT_VERIFIED", message);
}

function compareWithSource(
  { video, clock }: PackagePlan,
  { startTicks = null, endTicks = null }: Partial<RungSpan> = {},
  shown: Float64Array,
  timescale: number,
): readonly string[] {
  if (shown.length === 0) throw new ReelmillError("OUTPUT_NOT_VERIFIED", "No picture came out of the encoder.");
  if (video.packedTicks === null) return [];
  const { timeBase, originTicks } = video;
  const listed = unpackTicks(video.packedTicks);
  const first = startTicks === null ? 0 : listed.findIndex((at) => at >= startTicks);
  const end = endTicks === null ? listed.length : listed.findIndex((at) => at >= endTicks);
  const expected = listed.subarray(Math.max(0, first), end < 0 ? listed.length : end);
  const expectedAt = (index: number): number =>
    (((expected[index] as number) - originTicks) * timeBase.numerator) / timeBase.denominator;
  const slack = SLACK_SECONDS + (clock.denominator === timeBase.denominator ? 0 : clock.numerator / clock.denominator);
  const lost = countLost(shown, timescale, expected.length, expectedAt, slack);
  if (lost === undefined) {
    const message = `The rungs' pictures (${shown.length}) are not at the times of the source's (${expected.length}).`;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
  }
  return lost === 0 ? [] : [`${formatCount(lost, "picture")} could not be decoded from the source.`];
}

/** How many of the times expected are missing; undefined where there is one that was not expected. */
function countLost(
  shown: Float64Array,
  timescale: number,
  expectedCount: number,
  expectedAt: (index: number) => number,
  slack: number,
): number | undefined {
  let at = 0;
  for (const ticks of shown) {
    const seconds = ticks / timescale;
    while (at < expectedCount && expectedAt(at) < seconds - slack) at++;
    if (at === expectedCount || Math.abs(expectedAt(at) - seconds) > slack) return undefined;
    at++;
  }
  return expectedCount - shown.length;
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
