import type { FrameTimes } from "../../ffmpeg/frame-times.ts";
import type { Ratio } from "../../ffmpeg/manifest.ts";
import { placeSpan } from "../../spans/place-span.ts";
import type { RungSpan } from "./packaging.ts";
import { createForcedKeys } from "./picture-arguments.ts";

/** No more than about so much is encoded at a time: no more is lost with a worker that is killed. */
export const SPAN_SECONDS = 120;

/** The pictures of a recording, as spans need them. */
export interface SpanPictures extends Pick<FrameTimes, "ticks" | "keys"> {
  /** The first picture that decodes: what becomes 0. */
  readonly originTicks: number;
  readonly timeBase: Ratio;
  /** As the plan has it. */
  readonly keyPictures: number | null;
}

/** All pictures in one span. */
export const WHOLE_SPAN: RungSpan = {
  startTicks: null,
  endTicks: null,
  seekSeconds: null,
  pictures: null,
  startSeconds: 0,
  lastDurationTicks: null,
};

/** Cuts pictures into equal spans of at most about `spanSeconds` (> 0), each begun by a picture that is a key picture in all rungs anyhow. */
export function planSpans(
  { ticks, keys, originTicks, timeBase, keyPictures }: SpanPictures,
  spanSeconds: number,
): readonly RungSpan[] {
  const tickSeconds = timeBase.numerator / timeBase.denominator;
  const first = Math.max(
    0,
    ticks.findIndex((at) => at >= originTicks),
  );
  const count = ticks.length - first;
  const secondsAt = (index: number): number => ((ticks[first + index] as number) - originTicks) * tickSeconds;
  const isForced = createForcedKeys({ keyPictures });
  const keyPlaces: number[] = [];
  for (let index = 0; index < count; index++) if (isForced(secondsAt(index))) keyPlaces.push(index);
  const starts = chooseStarts(keyPlaces, secondsAt, secondsAt(count - 1), spanSeconds).map((index) => first + index);
  if (starts.length < 2) return [WHOLE_SPAN];
  return starts.map((start, index) => {
    const end = starts[index + 1] ?? ticks.length;
    const span = placeSpan({ start: index === 0 ? 0 : start, end }, { ticks, keys }, tickSeconds);
    return {
      startTicks: span.startTicks,
      endTicks: span.endTicks,
      seekSeconds: span.seekSeconds,
      pictures: end - start,
      startSeconds: secondsAt(start - first),
      lastDurationTicks: null,
    };
  });
}

/** Of the indexes of key pictures those that spans of equal length begin nearest behind, 0 the first of them. */
function chooseStarts(
  keys: readonly number[],
  secondsAt: (index: number) => number,
  length: number,
  spanSeconds: number,
): readonly number[] {
  const count = Math.max(1, Math.ceil(length / spanSeconds));
  const starts = [0];
  for (const key of keys) {
    const isDue = secondsAt(key) >= (starts.length * length) / count;
    if (isDue && starts.length < count && key > (starts.at(-1) as number)) starts.push(key);
  }
  return starts;
}
