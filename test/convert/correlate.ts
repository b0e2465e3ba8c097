/** Where one sound was found in another one. */
export interface Lag {
  /** By how many samples `found` is later than expected; a fraction by interpolation. */
  readonly samples: number;
  /** Likeness there, 1 for the same sound, 0 for two that have nothing in common. */
  readonly likeness: number;
}

/**
 * Looks for `length` samples of `wanted` from `wantedAt` on in `found` around `foundAt`, up to `reach` samples either
 * way. Undefined where the two do not overlap far enough, or where what is wanted is silent.
 */
export function findLag(
  wanted: Float32Array,
  wantedAt: number,
  found: Float32Array,
  foundAt: number,
  length: number,
  reach: number,
): Lag | undefined {
  if (wantedAt < 0 || wantedAt + length > wanted.length) return undefined;
  const pattern = wanted.subarray(wantedAt, wantedAt + length);
  const power = pattern.reduce((sum, value) => sum + value * value, 0);
  if (power / length < 1e-6) return undefined;
  const likeness: number[] = [];
  for (let lag = -reach; lag <= reach; lag++) likeness.push(likenessAt(pattern, power, found, foundAt + lag));
  const best = likeness.reduce((top, value, index) => (value > (likeness[top] ?? 0) ? index : top), 0);
  const [before = 0, at = 0, after = 0] = [likeness[best - 1], likeness[best], likeness[best + 1]];
  const bend = before - 2 * at + after;
  const fraction = bend < 0 ? (before - after) / (2 * bend) : 0;
  return { samples: best - reach + fraction, likeness: at };
}

/** Normalised correlation; 0 where `found` does not reach far enough. */
function likenessAt(pattern: Float32Array, power: number, found: Float32Array, at: number): number {
  if (at < 0 || at + pattern.length > found.length) return 0;
  let product = 0;
  let foundPower = 0;
  for (let index = 0; index < pattern.length; index++) {
    const value = found[at + index] ?? 0;
    product += (pattern[index] ?? 0) * value;
    foundPower += value * value;
  }
  return foundPower === 0 ? 0 : product / Math.sqrt(power * foundPower);
}
