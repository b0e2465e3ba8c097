import { createHash } from "node:crypto";
import { ReelmillError } from "../../base/errors.ts";
import { formatCount } from "../../base/units.ts";
import { secondsOf } from "../../ffmpeg/manifest.ts";
import { requireAllDecode } from "../../ffmpeg/verify.ts";
import type { FragmentIndex } from "../../media/isobmff/index-fragments.ts";
import { eachTick } from "../../spans/packed-ticks.ts";
import { indexFile } from "./index-file.ts";
import type { Rung } from "./ladder.ts";
import type { PackageHooks, PackagePlan, RungSpan } from "./packaging.ts";
import type { EncodedStream } from "./write-media.ts";

/** Clocks of the source and of a rung that count differently agree to this. */
const SLACK_SECONDS = 0.000_012;

/** Behind pictures that it lost, a decoder gives some of the others a time of its own, no farther than this from one that was lost. */
const MAX_STRAY_SECONDS = 0.5;

/** What was found when the rungs' pictures were counted. */
export interface PictureCount {
  /** Of every rung. */
  readonly pictures: number;
  readonly findings: readonly string[];
}

/** Holds one rung after the other against the source. */
export interface PictureCheck {
  /** Indexes the rung's file. Throws OUTPUT_NOT_VERIFIED, and as `indexFile`. */
  readonly add: (rung: Rung, path: string) => FragmentIndex;
  /** When all rungs have been added. */
  readonly finish: () => PictureCount;
}

/**
 * Holds the pictures of every rung against the source's: as many, at the same times to the tick, and the same in all rungs, with key
 * pictures at the same times; of a span those of the span. Pictures that the decoder could not make of the source are missing in all rungs alike and become a finding.
 * No list of the times is kept: ten hours have two million.
 */
export function createPictureCheck(plan: PackagePlan, span?: RungSpan): PictureCheck {
  let first: RungTimes | undefined;
  let findings: readonly string[] = [];
  return {
    add: ({ name }, path) => {
      const comparison = first === undefined ? compareWithSource(plan, span) : undefined;
      const shown = createHash("sha256");
      let pictures = 0;
      const index = indexFile(path, (ticks, timescale) => {
        shown.update(ticks);
        pictures += ticks.length;
        comparison?.take(ticks, timescale);
      });
      const { fragments, timescale } = index;
      const begun = createHash("sha256").update(Float64Array.from(fragments, ({ startTicks }) => startTicks));
      const times: RungTimes = {
        ...{ name, timescale, pictures, keys: fragments.length },
        ...{ shown: shown.digest("hex"), begun: begun.digest("hex") },
      };
      findings = comparison?.finish() ?? findings;
      first ??= times;
      requireSame(times, first);
      return index;
    },
    finish: () => ({ pictures: first?.pictures ?? 0, findings }),
  };
}

/** Whether some pictures of an encoded span stand at times that the source's list does not have; never where there is none. */
export function hasStrays(plan: PackagePlan, span: RungSpan, path: string): boolean {
  const { disorder: _, ...video } = plan.video;
  if (video.packedTicks === null) return false;
  const comparison = compareWithSource({ ...plan, video }, span);
  indexFile(path, comparison.take);
  return comparison.strayCount() > 0;
}

/** When a rung's pictures are shown, and those that fragments begin with, as digests. */
interface RungTimes {
  readonly name: string;
  readonly timescale: number;
  readonly pictures: number;
  readonly keys: number;
  readonly shown: string;
  readonly begun: string;
}

function requireSame(rung: RungTimes, first: RungTimes): void {
  const isSame = (what: "shown" | "begun"): boolean => first.timescale === rung.timescale && rung[what] === first[what];
  if (!isSame("shown")) throw differ("pictures", rung, first, ({ pictures }) => pictures);
  if (!isSame("begun")) throw differ("key pictures", rung, first, ({ keys }) => keys);
}

function differ(what: string, rung: RungTimes, first: RungTimes, countOf: (times: RungTimes) => number): ReelmillError {
  const message = `The ${what} of ${rung.name} (${countOf(rung)}) are not those of ${first.name} (${countOf(first)}).`;
  return new ReelmillError("OUTPUT_NOT_VERIFIED", message);
}

/** Holds the times of a rung's pictures, rising, against those of the source. */
interface SourceComparison {
  readonly take: (ticks: Float64Array, timescale: number) => void;
  /** How many pictures so far stand at none of the source's times. */
  readonly strayCount: () => number;
  /** Gives what is to be told. Throws OUTPUT_NOT_VERIFIED. */
  readonly finish: () => readonly string[];
}

function compareWithSource(
  { video, clock }: PackagePlan,
  { startTicks = null, endTicks = null }: Partial<RungSpan> = {},
): SourceComparison {
  const { packedTicks, disorder = { strayTicks: [], leftOut: 0 }, timeBase, originTicks } = video;
  const slack = SLACK_SECONDS + (clock.denominator === timeBase.denominator ? 0 : clock.numerator / clock.denominator);
  const expected = (packedTicks === null ? Iterator.from<number>([]) : eachTick(packedTicks))
    .filter((at) => at >= (startTicks ?? at) && at < (endTicks ?? Number.POSITIVE_INFINITY))
    .map((at) => secondsOf(at - originTicks, timeBase));
  let due = expected.next();
  let expectedCount = 0;
  const passDue = (): void => {
    expectedCount++;
    due = expected.next();
  };
  const strayTimes = disorder.strayTicks.values().map((at) => secondsOf(at - originTicks, timeBase));
  let stray = strayTimes.next();
  /** Both rise, and each is there once. */
  const isDecoded = (seconds: number): boolean => {
    while (!stray.done && stray.value < seconds - slack) stray = strayTimes.next();
    if (stray.done || stray.value > seconds + slack) return false;
    stray = strayTimes.next();
    return true;
  };
  let shownCount = 0;
  let decodedCount = 0;
  const strays = createStrayPairs();
  return {
    take: (ticks, timescale) => {
      shownCount += ticks.length;
      for (const at of ticks) {
        const seconds = at / timescale;
        while (!due.done && due.value < seconds - slack) {
          strays.miss(due.value);
          passDue();
        }
        if (!due.done && Math.abs(due.value - seconds) <= slack) passDue();
        else if (isDecoded(seconds)) decodedCount++;
        else strays.stray(seconds);
      }
    },
    strayCount: strays.count,
    finish: () => {
      while (!due.done) {
        strays.miss(due.value);
        passDue();
      }
      if (shownCount === 0) throw new ReelmillError("OUTPUT_NOT_VERIFIED", "No picture came out of the encoder.");
      if (packedTicks === null) return [];
      const { strayCount, isPaired } = strays.finish();
      const lost = expectedCount - (shownCount - decodedCount);
      // A fault of ours would move all, or any without a loss.
      if (isPaired && strayCount <= lost) {
        return describeLost(expectedCount - shownCount - disorder.leftOut, decodedCount + strayCount, disorder.leftOut);
      }
      const message = `The rungs' pictures (${shownCount}) are not at the times of the source's (${expectedCount}).`;
      throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
    },
  };
}

/** Holds pictures at times that are none of the source's against those of the source that were not shown, which are both told by rising times. */
function createStrayPairs() {
  const open: { readonly kind: "stray" | "missed"; readonly seconds: number }[] = [];
  let strayCount = 0;
  let lonely = 0;
  const add = (kind: "stray" | "missed", seconds: number): void => {
    while (open[0] !== undefined && open[0].seconds < seconds - MAX_STRAY_SECONDS) {
      if (open.shift()?.kind === "stray") lonely++;
    }
    const partner = open.findIndex((one) => one.kind !== kind);
    if (partner === -1) open.push({ kind, seconds });
    else open.splice(partner, 1);
  };
  return {
    miss: (seconds: number): void => add("missed", seconds),
    stray: (seconds: number): void => {
      strayCount++;
      add("stray", seconds);
    },
    count: () => strayCount,
    finish: () => ({ strayCount, isPaired: lonely === 0 && open.every(({ kind }) => kind === "missed") }),
  };
}

function describeLost(lost: number, strayCount: number, leftOut: number): readonly string[] {
  const pictures = (count: number): string => formatCount(count, "picture");
  return [
    ...(lost > 0 ? [`${pictures(lost)} could not be decoded from the source.`] : []),
    ...(strayCount > 0 ? [`Behind damage, ${pictures(strayCount)} came at another time than the source tells.`] : []),
    ...(leftOut > 0 ? [`Left out: ${pictures(leftOut)} with times that do not rise.`] : []),
  ];
}

/** Decodes every stream as a whole. Throws OUTPUT_NOT_VERIFIED, FFMPEG_TIMEOUT, PROGRAM_KILLED, ABORTED. */
export async function checkDecodes(
  streams: readonly EncodedStream[],
  pictures: number,
  { tools, ...hooks }: PackageHooks,
): Promise<void> {
  const demands = streams.map(({ name, path, codec }) => {
    return { what: `${name} of the package`, path, pictures: codec === null ? null : pictures };
  });
  await requireAllDecode(tools, demands, hooks);
}
