import type { AudioStream } from "../../ffmpeg/manifest.ts";
import { measureSounds } from "../../ffmpeg/sound-ends.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";

/** Where sound ends later than the pictures, or is left out, by more than this, that is worth a word. */
export const TOLD_SECONDS = 0.1;

/** When pictures begin, in the source's times, and how long they last. */
interface PictureStretch {
  readonly startSeconds: number;
  readonly durationSeconds: number;
}

/** When a track sounds, in the source's times. */
export interface SoundStretch {
  /** Among the recording's sound tracks, from 0. */
  readonly position: number;
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/**
 * When the tracks sound, by the container where it tells of all of them that they end with the pictures or before; else, such as in Matroska, the
 * file is read. Throws as `measureSounds`.
 */
export async function listSoundStretches(
  path: string,
  tracks: readonly AudioStream[],
  picturesEndSeconds: number,
  { tools, signal }: { readonly tools: FfmpegTools; readonly signal: AbortSignal },
): Promise<readonly SoundStretch[]> {
  const told = tracks.flatMap(({ position, startSeconds, durationSeconds }) =>
    startSeconds === undefined || durationSeconds === undefined
      ? []
      : [{ position, startSeconds, endSeconds: startSeconds + durationSeconds }],
  );
  const isPlain = told.every(({ endSeconds }) => endSeconds <= picturesEndSeconds + TOLD_SECONDS);
  if (told.length === tracks.length && isPlain) return told;
  const measured = await measureSounds(tools, path, signal);
  return tracks.flatMap(({ index, position }) => {
    const stretch = measured.get(index);
    return stretch === undefined ? [] : [{ ...stretch, position }];
  });
}

/** What of the sound is left out: all renditions begin and end together (Apple 8.3, 8.7), so what sounds before the first picture or after the last. */
export function describeCuts(sounds: readonly SoundStretch[], pictures: PictureStretch): readonly string[] {
  return sounds.flatMap(({ position, startSeconds, endSeconds }) => [
    ...describeCut(pictures.startSeconds - startSeconds, position, "before the first picture"),
    ...describeCut(
      endSeconds - (pictures.startSeconds + pictures.durationSeconds),
      position,
      "behind the last picture",
    ),
  ]);
}

function describeCut(seconds: number, track: number, where: string): readonly string[] {
  if (seconds <= TOLD_SECONDS) return [];
  return [`${seconds.toFixed(2)} s of sound track ${track} ${where} were left out: HLS has all streams last as long.`];
}
