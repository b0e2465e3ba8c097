import type { AudioStream } from "../../ffmpeg/manifest.ts";
import { measureSounds } from "../../ffmpeg/sound-ends.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";

/** Sound that is left out beyond this is worth a word. */
const TOLD_SECONDS = 0.1;

/** When pictures begin, in the source's times, and how long they last. */
interface PictureStretch {
  readonly startSeconds: number;
  readonly durationSeconds: number;
}

/**
 * What of the sound is left out: all renditions begin and end together (Apple 8.3, 8.7), so what sounds before the first picture or after the last.
 * Where the container does not tell of a track, such as Matroska, the file is read. Throws as `measureSounds`.
 */
export async function describeCuts(
  path: string,
  tracks: readonly AudioStream[],
  pictures: PictureStretch,
  { tools, signal }: { readonly tools: FfmpegTools; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const isTold = tracks.every(
    ({ startSeconds, durationSeconds }) => startSeconds !== undefined && durationSeconds !== undefined,
  );
  const measured = isTold ? undefined : await measureSounds(tools, path, signal);
  return tracks.flatMap(({ index, startSeconds, durationSeconds }) => {
    const told =
      startSeconds === undefined || durationSeconds === undefined
        ? measured?.get(index)
        : { startSeconds, endSeconds: startSeconds + durationSeconds };
    if (told === undefined) return [];
    const early = pictures.startSeconds - told.startSeconds;
    const late = told.endSeconds - (pictures.startSeconds + pictures.durationSeconds);
    return [
      ...describeCut(early, index, "before the first picture"),
      ...describeCut(late, index, "behind the last picture"),
    ];
  });
}

function describeCut(seconds: number, track: number, where: string): readonly string[] {
  if (seconds <= TOLD_SECONDS) return [];
  return [`${seconds.toFixed(2)} s of sound track ${track} ${where} were left out: HLS has all streams last as long.`];
}
