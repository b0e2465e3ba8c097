import type { FrameTimes } from "../ffmpeg/frame-times.ts";
import type { Span } from "./choose-spans.ts";

/** Pictures that filters look at before the cut. */
const CONTEXT_PICTURES = 3;

/** A span with where it is cut out of the source. */
export interface PlacedSpan extends Span {
  /** As `SpanJob` has them, in ticks of the source. */
  readonly startTicks: number | null;
  readonly endTicks: number | null;
  /** Where reading begins, in seconds of the file's own clock; null: at its start. */
  readonly seekSeconds: number | null;
}

/** What is known of pictures that are cut. */
type Times = Pick<FrameTimes, "ticks" | "keys">;

/** Where a span is cut out of the pictures listed, and where to begin to read for it. */
export function placeSpan({ start, end }: Span, times: Times, tickSeconds: number): PlacedSpan {
  return {
    start,
    end,
    startTicks: start === 0 ? null : (times.ticks[start] ?? null),
    endTicks: times.ticks[end] ?? null,
    seekSeconds: seekFor(start, times, tickSeconds),
  };
}

/** A place between the key picture before the cut, and before what filters look at, and the picture after it; null: the beginning. */
function seekFor(start: number, { ticks, keys }: Times, tickSeconds: number): number | null {
  const key = keys.findLast((index) => index <= start - CONTEXT_PICTURES) ?? 0;
  if (key === 0) return null;
  const at = ticks[key] as number;
  return ((at + (ticks[key + 1] ?? at)) / 2) * tickSeconds;
}
