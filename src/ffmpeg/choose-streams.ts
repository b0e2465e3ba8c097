import { formatCount } from "../base/units.ts";
import type { AudioStream, MediaManifest, SubtitleStream, VideoStream } from "./manifest.ts";

/** The pictures that players show where nobody chooses: those marked so, else the first; undefined where there are none. */
export function chooseVideo({ video }: Pick<MediaManifest, "video">): VideoStream | undefined {
  return video.find(({ isDefault }) => isDefault) ?? video[0];
}

/** A sentence on subtitles that cannot be kept, for they are pictures; `holder` is what holds text alone, such as `mp4`. */
export function describeLostSubtitles(subtitles: readonly SubtitleStream[], holder: string): readonly string[] {
  const lost = subtitles.filter(({ isText }) => !isText).length;
  if (lost === 0) return [];
  return [`Subtitles made of pictures (${formatCount(lost, "track")}) were left out: ${holder} holds text alone.`];
}

/** The sound tracks that ffmpeg can decode, and a sentence on the others. */
export function chooseKnownSounds(audio: readonly AudioStream[]): {
  readonly known: readonly AudioStream[];
  readonly findings: readonly string[];
} {
  const known = audio.filter(({ codec }) => codec !== "unknown");
  const lost = audio.length - known.length;
  const finding = `Left out: ${formatCount(lost, "sound track")} of a codec that ffmpeg does not know.`;
  return { known, findings: lost === 0 ? [] : [finding] };
}

/** Sentences on streams that no output has: pictures besides those chosen, data, and attached pictures such as a cover. */
export function describeLostStreams({
  video,
  otherStreamCount,
}: Pick<MediaManifest, "video" | "otherStreamCount">): readonly string[] {
  return [
    ...(video.length > 1 ? [`Left out: ${formatCount(video.length - 1, "further stream")} of pictures.`] : []),
    ...(otherStreamCount > 0
      ? [`Left out: ${formatCount(otherStreamCount, "stream")} of data or attached pictures.`]
      : []),
  ];
}
