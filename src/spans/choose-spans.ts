/** A stretch of the pictures of a stream, in order of presentation. */
export interface Span {
  /** Index of its first picture. */
  readonly start: number;
  /** Index after its last picture. */
  readonly end: number;
}

/** How a stream may be cut. */
export interface SpanWishes {
  /** How many spans to aim at, ≥ 1. */
  readonly count: number;
  /** No span is shorter on average, in the unit of the times. */
  readonly minLength: number;
}

/** Cuts move to a key picture within this share of a span's length. */
const REACH = 0.25;

/**
 * Cuts `times` (of presentation, in any unit, rising) into spans of about equal length, where there is a key picture near: an encoder that
 * begins anew there loses least, because keys stand where scenes change. `keys` are indexes into `times`, rising.
 */
export function chooseSpans(times: ArrayLike<number>, keys: readonly number[], wishes: SpanWishes): readonly Span[] {
  const first = times[0];
  const last = times[times.length - 1];
  if (first === undefined || last === undefined) return [];
  const count = Math.max(1, Math.min(wishes.count, Math.floor((last - first) / wishes.minLength), times.length));
  const reach = (REACH * times.length) / count;
  const cuts: number[] = [0];
  for (let part = 1; part < count; part++) {
    const ideal = Math.round((part * times.length) / count);
    const cut = nearestKey(keys, ideal, reach) ?? ideal;
    if (cut > (cuts.at(-1) ?? 0)) cuts.push(cut);
  }
  return cuts.map((start, index) => ({ start, end: cuts[index + 1] ?? times.length }));
}

function nearestKey(keys: readonly number[], ideal: number, reach: number): number | undefined {
  let best: number | undefined;
  for (const key of keys) {
    const distance = Math.abs(key - ideal);
    if (distance <= reach && (best === undefined || distance < Math.abs(best - ideal))) best = key;
  }
  return best;
}
