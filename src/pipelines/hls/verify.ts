import { ReelmillError } from "../../base/errors.ts";
import { formatCount } from "../../base/units.ts";
import { verifyDecodes } from "../../ffmpeg/verify.ts";
import type { FragmentIndex } from "../../media/isobmff/index-fragments.ts";
import type { Rung } from "./ladder.ts";
import type { PackageHooks, PackagePlan } from "./packaging.ts";
import type { EncodedStream } from "./write-media.ts";

/** Clocks of the source and of a rung that count differently agree to this. */
const SLACK_SECONDS = 0.000_012;

/** What was found when the rungs' pictures were counted. */
export interface PictureCount {
  /** Of every rung. */
  readonly pictures: number;
  readonly findings: readonly string[];
}

/**
 * Holds the pictures of every rung against the source's: as many, at the same times to the tick, and the same in all rungs. Pictures that
 * the decoder could not make of the source are missing in all rungs alike and become a finding. Throws OUTPUT_NOT_VERIFIED.
 */
export function checkPictures(
  { video, clock }: PackagePlan,
  rungs: readonly { readonly rung: Rung; readonly index: FragmentIndex }[],
): PictureCount {
  const [first, ...others] = rungs.map(({ rung, index }) => ({ rung, times: timesOf(index) }));
  if (first === undefined || first.times.length === 0) {
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", "No picture came out of the encoder.");
  }
  requireAlignedKeys(rungs);
  for (const { rung, times } of others) {
    const isSame = times.length === first.times.length && times.every((at, index) => at === first.times[index]);
    if (isSame) continue;
    const message = `The pictures of ${rung.name} (${times.length}) are not those of ${first.rung.name} (${first.times.length}).`;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
  }
  if (video.ticks.length === 0) return { pictures: first.times.length, findings: [] };
  const tick = video.timeBase.numerator / video.timeBase.denominator;
  const expected = video.ticks.map((at) => (at - video.originTicks) * tick);
  const slack =
    SLACK_SECONDS + (clock.denominator === video.timeBase.denominator ? 0 : clock.numerator / clock.denominator);
  const lost = countLost(first.times, expected, slack);
  if (lost === undefined) {
    const message = `The rungs' pictures (${first.times.length}) are not at the times of the source's (${expected.length}).`;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
  }
  const findings = lost === 0 ? [] : [`${formatCount(lost, "picture")} could not be decoded from the source.`];
  return { pictures: first.times.length, findings };
}

/** Fragments begin with key pictures: they must stand at the same times whatever the codec. */
function requireAlignedKeys(rungs: readonly { readonly rung: Rung; readonly index: FragmentIndex }[]): void {
  const [first, ...others] = rungs.map(({ rung, index: { fragments, timescale } }) => ({
    rung,
    keys: fragments.map(({ startTicks }) => startTicks / timescale),
  }));
  for (const { rung, keys } of others) {
    const isSame = keys.length === first?.keys.length && keys.every((at, index) => at === first.keys[index]);
    if (isSame) continue;
    const message = `The key pictures of ${rung.name} (${keys.length}) are not those of ${first?.rung.name} (${first?.keys.length}).`;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
  }
}

function timesOf({ fragments, timescale }: FragmentIndex): readonly number[] {
  return fragments.flatMap(({ presentationTicks }) => presentationTicks.map((ticks) => ticks / timescale));
}

/** How many of the times expected are missing; undefined where there is one that was not expected. */
function countLost(found: readonly number[], expected: readonly number[], slack: number): number | undefined {
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
    const { isClean, videoFrames, complaints } = await verifyDecodes(tools, path, { signal });
    if (!isClean || (codec !== null && videoFrames !== pictures)) {
      const fault = complaints.at(-1) ?? `${formatCount(videoFrames, "picture")} came out, ${pictures} were to come`;
      throw new ReelmillError("OUTPUT_NOT_VERIFIED", `${name} of the package does not decode: ${fault}.`);
    }
    onProgress((index + 1) / streams.length);
  }
}
