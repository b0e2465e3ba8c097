import type { Clock } from "../../base/clock.ts";

/** A look at something that is taken once at a time, and is good for so many milliseconds after its end: whoever asks sooner gets the same answer. */
export function createKeptLook<T>(clock: Clock, keepMs: number, look: () => Promise<T>): () => Promise<T> {
  let known: { untilMs: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (known !== undefined && clock.monotonicMs() <= known.untilMs) return known.answer;
    const kept = { untilMs: Number.POSITIVE_INFINITY, answer: look() };
    const end = (): void => {
      kept.untilMs = clock.monotonicMs() + keepMs;
    };
    kept.answer.then(end, end);
    known = kept;
    return kept.answer;
  };
}
