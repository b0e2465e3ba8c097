import { ReelmillError } from "../../base/errors.ts";
import { type AudioStream, type MediaManifest, secondsOf, type VideoStream } from "../../ffmpeg/manifest.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import type { HlsSettings } from "./options.ts";
import { durationOf, endOf, holdForSound, listPictureTimes, type PictureTimes } from "./picture-times.ts";
import { describeCuts, listSoundStretches } from "./sound-cuts.ts";

/** Two days; ten hours have been tried. */
const MAX_SECONDS = 172_800;

/** What of a recording becomes a package. */
interface Recording {
  readonly path: string;
  readonly manifest: MediaManifest;
  readonly video: VideoStream;
  /** None where the package is to have none. */
  readonly sounds: readonly AudioStream[];
}

/** When a package's pictures are shown. */
export interface PlannedTimes {
  readonly times: PictureTimes;
  /** From the first picture's beginning to the last one's end. */
  readonly durationSeconds: number;
  /** What is otherwise than in the recording, the sound's times included. */
  readonly findings: readonly string[];
}

/** Looks when pictures and sound come and decides when the package begins and ends. Throws INPUT_DISCONTINUOUS, INPUT_TOO_LONG, and as `listFrameTimes`. */
export async function planTimes(
  { path, manifest, video, sounds }: Recording,
  settings: Pick<HlsSettings, "segments">,
  context: { readonly tools: FfmpegTools; readonly signal: AbortSignal },
): Promise<PlannedTimes> {
  const listed = await listPictureTimes(path, video, settings, context);
  const end = endOf(listed.times, video) ?? Number.POSITIVE_INFINITY;
  const stretches = await listSoundStretches(path, sounds, end, context);
  const { times, findings } = holdForSound(listed.times, video, stretches, settings);
  const durationSeconds = durationOf(times, video, manifest);
  requireBounded(durationSeconds);
  const shown = { startSeconds: secondsOf(times.originTicks, video.timeBase), durationSeconds };
  return { times, durationSeconds, findings: [...listed.findings, ...findings, ...describeCuts(stretches, shown)] };
}

/** Gaps become silence and thumbnails: a time that is wrong by years would make no end of them. Throws INPUT_TOO_LONG. */
function requireBounded(durationSeconds: number): void {
  if (durationSeconds <= MAX_SECONDS) return;
  const message = `By the times of its pictures the recording lasts ${Math.round(durationSeconds)} s; a package has ${MAX_SECONDS} s at most.`;
  throw new ReelmillError("INPUT_TOO_LONG", message);
}
