import { availableParallelism } from "node:os";
import { ReelmillError } from "../../base/errors.ts";
import { packetDuration } from "../../ffmpeg/arguments.ts";
import { forcedKeyArguments } from "../../ffmpeg/hardware-encoders.ts";
import { type HighRange, highRangeParameters } from "./high-range.ts";
import type { Rung, RungCodec } from "./ladder.ts";
import { KEY_FRAME_SECONDS, type PackagePlan, type RungEncoder, type RungSpan } from "./packaging.ts";

/** A picture so little before an even second counts as being there: times of files are rounded. */
const KEY_SLACK_SECONDS = 0.002;
/**
 * The first picture of each two seconds that have any: counting key pictures instead would make up for a gap by a burst of them. ffmpeg counts
 * times from the first picture that this encoder gets.
 */
function byTime(startSeconds: number): string {
  const since = (startSeconds + KEY_SLACK_SECONDS).toFixed(9);
  const turnOf = (time: string): string => `floor((${time}+${since})/${KEY_FRAME_SECONDS})`;
  return `isnan(prev_forced_t)+gt(${turnOf("t")},${turnOf("prev_forced_t")})`;
}

/** So long that no key picture stands where none is forced. */
const NO_KEY_PICTURES = "9999";

/**
 * The arguments that a rung's pictures of a span are encoded with: every picture at its own time, key pictures at the same times in all rungs, the
 * first picture one of them.
 */
export function pictureArguments(
  { clock, encoders, keyPictures, video }: PackagePlan,
  rung: Rung,
  { startSeconds, lastDurationTicks }: RungSpan,
): readonly string[] {
  const encoder = encoders.find(({ codec }) => codec === rung.codec);
  if (encoder === undefined) throw new ReelmillError("ENCODER_MISSING", `No encoder was chosen for ${rung.codec}.`);
  return [
    ...["-fps_mode", "passthrough", "-enc_time_base", `${clock.numerator}:${clock.denominator}`],
    ...["-c:v", encoder.name, "-b:v", `${rung.kilobitsPerSecond}k`],
    ...(encoder.device !== null && encoder.preset === "default" ? [] : ["-preset", encoder.preset]),
    ...codecArguments(encoder, rung, keyArguments(keyPictures, startSeconds), video),
    ...["-video_track_timescale", String(clock.denominator)],
    // The muxer asks only the last picture how long it lasts: all others end where the next begins.
    ...(lastDurationTicks === null ? [] : packetDuration(lastDurationTicks, clock.denominator)),
  ];
}

/** When there are key pictures, in an expression of ffmpeg's and as a distance. */
interface KeyArguments {
  readonly when: string;
  readonly distance: string;
}

function keyArguments(keyPictures: number | null, startSeconds: number): KeyArguments {
  if (keyPictures === null) return { when: byTime(startSeconds), distance: NO_KEY_PICTURES };
  return { when: `not(mod(n,${keyPictures}))`, distance: String(keyPictures) };
}

/**
 * Tells an encoder how many pictures come per second, under its own names. Behind `setpts`, ffmpeg 7.1 tells it nothing: it would take each tick
 * of the clock for a picture, and share out bits accordingly.
 */
function rateParameters(codec: RungCodec, framesPerSecond = 0): readonly string[] {
  if (framesPerSecond <= 0) return [];
  const thousandths = Math.max(1, Math.round(1000 * framesPerSecond));
  return codec === "av1" ? [`fps-num=${thousandths}`, "fps-denom=1000"] : [`fps=${thousandths}/1000`];
}

function codecArguments(
  { codec, device }: RungEncoder,
  rung: Rung,
  keys: KeyArguments,
  { framesPerSecond, highRange }: PackagePlan["video"],
): readonly string[] {
  const cores = availableParallelism();
  const rate = rateParameters(codec, framesPerSecond);
  // SVT-AV1 sets key pictures by their count alone, and none besides; its rate control knows no buffer.
  if (codec === "av1") return ["-g", keys.distance, "-svtav1-params", [`lp=${cores}`, ...rate].join(":")];
  return [
    ...["-maxrate", `${rung.maxKilobitsPerSecond}k`, "-bufsize", `${rung.bufferKilobits}k`],
    // Pictures without B-frames are shown when they are decoded: all rungs and the sound begin at 0.
    ...["-bf", "0", "-g", NO_KEY_PICTURES, "-force_key_frames", `expr:${keys.when}`],
    ...(device === null
      ? ["-keyint_min", "1", "-forced-idr", "1", ...softwareArguments(codec, rate, highRange, cores)]
      : ["-profile:v", "high", ...forcedKeyArguments(device.family)]),
  ];
}

/** Of the cores that this process may use, as many threads as the encoder would take by itself, which counts those that a container may not use as well. */
function softwareArguments(
  codec: "h264" | "hevc",
  rate: readonly string[],
  highRange: HighRange | null,
  cores: number,
): readonly string[] {
  if (codec === "h264") {
    const threads = String(Math.max(1, Math.floor(1.5 * cores)));
    const parameters = rate.length === 0 ? [] : ["-x264-params", rate.join(":")];
    return ["-profile:v", "high", "-sc_threshold", "0", "-threads", threads, ...parameters];
  }
  const colours = highRange === null ? [] : highRangeParameters(highRange);
  const parameters = ["log-level=error:scenecut=0:open-gop=0", `pools=${cores}`, ...rate, ...colours];
  // Apple's players show HEVC in MP4 only under this name.
  return ["-tag:v", "hvc1", "-x265-params", parameters.join(":")];
}

/** Tells of one picture after the other, by its time, whether `pictureArguments` forces a key picture there; the first is one. */
export function createForcedKeys({ keyPictures }: Pick<PackagePlan, "keyPictures">): (seconds: number) => boolean {
  let count = 0;
  let last = Number.NaN;
  return (seconds) => {
    if (keyPictures !== null) return count++ % keyPictures === 0;
    // As `byTime` has it.
    const turn = Math.floor((seconds + KEY_SLACK_SECONDS) / KEY_FRAME_SECONDS);
    if (turn <= last) return false;
    last = turn;
    return true;
  };
}
