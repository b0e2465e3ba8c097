import type { Track } from "./movie.ts";

/**
 * Ticks of the media that the edit list takes off presentation times: an empty edit and one that goes on to the end, as packagers
 * and encoders write them. Negative where the track begins late.
 */
export function editOffsetTicks(
  { edits, timescale }: Pick<Track, "edits" | "timescale">,
  movieTimescale: number,
): number {
  let ticks = 0;
  for (const edit of edits) {
    if (edit.mediaTimeTicks >= 0) return ticks + edit.mediaTimeTicks;
    ticks -= (edit.durationTicks * timescale) / movieTimescale;
  }
  return ticks;
}
