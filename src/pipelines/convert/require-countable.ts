import { ReelmillError } from "../../base/errors.ts";
import { type FrameTimes, MAX_PICTURES } from "../../ffmpeg/frame-times.ts";
import { type MediaManifest, type Ratio, secondsOf, type VideoStream } from "../../ffmpeg/manifest.ts";
import { type ConvertSettings, rateOf } from "./options.ts";

/**
 * An even rate fills gaps with pictures: a time that is wrong by years would make millions of them. Throws INPUT_TOO_LONG where they would be
 * more than are counted.
 */
export function requireCountable(
  { timeBase }: Pick<VideoStream, "timeBase">,
  { ticks }: Pick<FrameTimes, "ticks">,
  { durationSeconds = 0 }: Pick<MediaManifest, "durationSeconds">,
  { frameRate }: Pick<ConvertSettings, "frameRate">,
): void {
  if (frameRate === undefined) return;
  const listed = secondsOf((ticks.at(-1) ?? 0) - (ticks[0] ?? 0), timeBase);
  const seconds = Math.max(listed, durationSeconds);
  const count = seconds * ratioOf(rateOf(frameRate));
  if (count <= MAX_PICTURES) return;
  const length = `${Math.round(seconds)} s lie between its first and its last picture`;
  const wish = `at ${frameRate} a second that would be ${Math.round(count)} pictures, and ${MAX_PICTURES} are the most`;
  throw new ReelmillError(
    "INPUT_TOO_LONG",
    `${length}: ${wish}. Times of the recording may be wrong; without frameRate they stay as they are.`,
  );
}

function ratioOf({ numerator, denominator }: Ratio): number {
  return numerator / denominator;
}
