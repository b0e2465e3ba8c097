/** Pictures that filters look at before the cut. */
const CONTEXT_PICTURES = 3;

/**
 * Where to begin to read for the pictures from `start` on: a place between the key picture before them, and before what filters look at, and
 * the picture after it. In seconds, as `seconds`, the times of all pictures; null: at the beginning.
 */
export function seekFor(start: number, seconds: Float64Array, keys: readonly number[]): number | null {
  const key = keys.findLast((index) => index <= start - CONTEXT_PICTURES) ?? 0;
  if (key === 0) return null;
  const [at, next] = [seconds[key] as number, seconds[key + 1] ?? (seconds[key] as number)];
  return at + (next - at) / 2;
}
