import { join } from "node:path";
import { fileArgument } from "../../ffmpeg/arguments.ts";
import { audioArguments } from "../../ffmpeg/audio-encoder.ts";
import { runFfmpeg } from "../../ffmpeg/run.ts";
import type { Rung } from "./ladder.ts";
import type { PackageHooks, PackagePlan, SoundPlan, SubtitlePlan } from "./packaging.ts";
import { pictureArguments } from "./picture-arguments.ts";

/** Every rung and every sound comes out as one fragmented MP4 file. */
const FRAGMENTS = "+empty_moov+default_base_moof+skip_trailer";
/** Sound is cut into pieces of a second, which segments are put together of. */
const SOUND_FRAGMENT_MICROSECONDS = 1_000_000;
const SAMPLE_RATE_HZ = 48_000;
const AAC_FRAME_SAMPLES = 1024;

/** Where a rung's or a sound's media lie in the folder of the work. */
export function encodedPath(folder: string, { name }: Rung | SoundPlan): string {
  return join(folder, `${name}.mp4`);
}

/** As `encodedPath`, of a track of subtitles: a WebVTT file in the source's own times. */
export function subtitlePath(folder: string, { name }: SubtitlePlan): string {
  return join(folder, `${name}.vtt`);
}

/**
 * Encodes all rungs, sounds and subtitles in one process: decoded once, each rung scaled from the next larger one, every fragment of pictures begun by
 * an IDR at the same time in all rungs. Throws FFMPEG_FAILED, FFMPEG_TIMEOUT, PROGRAM_KILLED, ABORTED.
 */
export async function encodeRungs(
  plan: PackagePlan,
  inputPath: string,
  folder: string,
  { tools, signal, onProgress }: PackageHooks,
): Promise<void> {
  const { durationSeconds, rungs, sounds, subtitles, video } = plan;
  await runFfmpeg(tools, {
    // The source's own times, exact to the tick: ffmpeg would shift them by a start that is rounded to microseconds.
    globalArguments: ["-copyts", ...plan.encoders.flatMap(({ device }) => device?.globalArguments ?? [])],
    inputs: [{ path: inputPath, isRecording: true }],
    mayTakeLong: true,
    outputArguments: [
      ...["-filter_complex", filterGraph(plan)],
      ...rungs.flatMap((rung, index) => [
        ...["-map", `[out${index}]`, ...pictureArguments(plan, rung)],
        ...["-map_metadata", "-1", "-map_chapters", "-1", "-movflags", `${FRAGMENTS}+frag_keyframe`, "-f", "mp4"],
        fileArgument(encodedPath(folder, rung)),
      ]),
      ...sounds.flatMap((sound) => [
        ...["-map", `0:${sound.streamIndex}`, ...soundArguments(sound, video, durationSeconds)],
        fileArgument(encodedPath(folder, sound)),
      ]),
      ...subtitles.flatMap((track) => [
        ...["-map", `0:${track.streamIndex}`, "-c:s", "webvtt", "-f", "webvtt"],
        fileArgument(subtitlePath(folder, track)),
      ]),
    ],
    signal,
    onProgress: ({ outputSeconds }) =>
      onProgress(durationSeconds > 0 ? Math.min(1, outputSeconds / durationSeconds) : 0),
  });
}

/** One decode for all: each rung's pictures go to its encoder and on to the next smaller size. */
function filterGraph({ video, rungs, encoders }: PackagePlan): string {
  const chains: string[] = [];
  const common = [`setpts=PTS-${video.originTicks}`, ...video.filters].join(",");
  let from = `[0:${video.streamIndex}]${common},`;
  for (const [index, { codec, widthPixels, heightPixels }] of rungs.entries()) {
    const before = rungs[index - 1];
    const isSame = before?.widthPixels === widthPixels && before.heightPixels === heightPixels;
    // Scaling to the size that is there already passes pictures on as they are.
    const scale = isSame ? "null" : `scale=${widthPixels}:${heightPixels}:flags=bicubic,setsar=1`;
    const isLast = index === rungs.length - 1;
    const device = encoders.find((encoder) => encoder.codec === codec)?.device ?? null;
    // Behind the parting: the next smaller rung is scaled from pictures that lie in memory.
    const out = device === null ? `out${index}` : `own${index}`;
    chains.push(`${from}${scale}${isLast ? "" : ",split=2"}[${out}]${isLast ? "" : `[next${index}]`}`);
    if (device !== null) chains.push(`[${out}]${device.filter}[out${index}]`);
    from = `[next${index}]`;
  }
  return chains.join(";");
}

/** Sound from the first picture on, silence where there is none, as many AAC frames as come nearest to the pictures' end. */
function soundArguments(
  { channels, kilobitsPerSecond }: SoundPlan,
  { originTicks, timeBase }: PackagePlan["video"],
  durationSeconds: number,
): readonly string[] {
  const encoding = audioArguments({ codec: "aac", bitrateKbps: kilobitsPerSecond, channels });
  const endSamples =
    Math.max(1, Math.round((durationSeconds * SAMPLE_RATE_HZ) / AAC_FRAME_SAMPLES)) * AAC_FRAME_SAMPLES;
  const filters = [
    `asetpts=PTS-${originTicks}*${timeBase.numerator}/${timeBase.denominator}/TB`,
    `aresample=${SAMPLE_RATE_HZ}:async=1:first_pts=0`,
    `aformat=channel_layouts=${channels === 2 ? "stereo" : "5.1"}`,
    `apad=whole_len=${endSamples}`,
    `atrim=end_sample=${endSamples}`,
  ];
  return [
    ...["-af", filters.join(","), ...encoding.arguments],
    // The encoder's run-in stands before time 0 and its run-out behind the end; without an edit list players would play both.
    ...["-bsf:a", `noise=amount=0:drop='lt(pts,0)+gte(pts,${endSamples})'`],
    ...["-map_metadata", "-1", "-map_chapters", "-1", "-frag_duration", String(SOUND_FRAGMENT_MICROSECONDS)],
    ...["-movflags", FRAGMENTS, "-f", "mp4"],
  ];
}
