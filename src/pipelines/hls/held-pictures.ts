import type { FfmpegInput } from "../../ffmpeg/arguments.ts";

/** So many pictures are taken from a place on. */
export interface HeldPictures {
  readonly startSeconds: number;
  /** ≥ 1 */
  readonly pictures: number;
  readonly framesPerSecond: number;
}

/** Keeps the file's own times, which the filters count in. */
export const HELD_GLOBAL_ARGUMENTS: readonly string[] = ["-copyts"];

/** An encoded rung from the key picture at or before a place on: what is shown there may have begun long before. */
export function heldInput(path: string, startSeconds: number): FfmpegInput {
  return { path, options: ["-noaccurate_seek", "-ss", startSeconds.toFixed(3)] };
}

/**
 * The filters of a `heldInput` that give exactly so many pictures of a constant rate, from time 0: what players show from the place on, however
 * seldom the pictures change and wherever they end.
 */
export function heldFilters({ startSeconds, pictures, framesPerSecond }: HeldPictures): string {
  return [
    // Where several inputs come to one graph, ffmpeg 7.1 may tell of the first one's end that it is where its only picture begins.
    "tpad=stop_mode=clone:stop=1",
    // Else a single picture whose length is not told would be dropped.
    `fps=${framesPerSecond}:eof_action=pass`,
    "tpad=stop_mode=clone:stop=-1",
    `trim=start=${startSeconds.toFixed(3)}`,
    `trim=end_frame=${pictures}`,
    "setpts=PTS-STARTPTS",
  ].join(",");
}
