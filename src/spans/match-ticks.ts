/** When the pictures that came out of a span are shown. */
export interface MatchedTicks {
  readonly ticks: readonly number[];
  /** Of how many that is a guess: a decoder that lost pictures gives some of the others a time of its own. */
  readonly guessed: number;
}

/** By no more than this may a guess be wrong. */
const MAX_GUESS_SECONDS = 0.5;
/** Pictures by places that each may be at: beyond, a guess takes too long. */
const MAX_PLACES = 20_000_000;

/**
 * The ticks of those pictures that came out of a span, where the source's decoder lost some: to each the one of `expected` (ticks, rising) that is
 * nearest to its own time (seconds, rising or the same). Where two have the same one, or one has none, all together are placed so that their times
 * change by as little as can be. Undefined where that is more than half a second for one of them.
 */
export function matchTicks(
  ownSeconds: Float64Array,
  expected: ArrayLike<number>,
  timescale: number,
): MatchedTicks | undefined {
  const own = ownSeconds.map((seconds) => seconds * timescale);
  const clear = matchNearest(own, expected);
  if (clear !== undefined) return { ticks: clear, guessed: 0 };
  const places = placeAll(own, expected);
  if (places === undefined) return undefined;
  const ticks: number[] = [];
  let guessed = 0;
  for (const [index, place] of places.entries()) {
    const tick = expected[place] as number;
    const error = Math.abs(tick - (own[index] as number));
    if (error > MAX_GUESS_SECONDS * timescale) return undefined;
    if (error > tolerance(expected, place)) guessed++;
    ticks.push(tick);
  }
  return { ticks, guessed };
}

/** Undefined where one has none that is clearly its own. */
function matchNearest(own: Float64Array, expected: ArrayLike<number>): readonly number[] | undefined {
  const matched: number[] = [];
  let at = 0;
  for (const wanted of own) {
    while (at + 1 < expected.length && nearer(expected, at + 1, at, wanted)) at++;
    const found = expected[at];
    if (found === undefined || Math.abs(found - wanted) > tolerance(expected, at)) return undefined;
    matched.push(found);
    at++;
  }
  return matched;
}

function nearer(ticks: ArrayLike<number>, a: number, b: number, wanted: number): boolean {
  return Math.abs((ticks[a] as number) - wanted) < Math.abs((ticks[b] as number) - wanted);
}

/** Half of the distance to the nearest neighbour. */
function tolerance(ticks: ArrayLike<number>, at: number): number {
  const here = ticks[at] as number;
  const before = at > 0 ? here - (ticks[at - 1] as number) : Number.POSITIVE_INFINITY;
  const after = at + 1 < ticks.length ? (ticks[at + 1] as number) - here : Number.POSITIVE_INFINITY;
  return Math.min(before, after) / 2;
}

/**
 * Rising indexes of `expected`, one for each picture, for which the sum of the distances is least. The picture `index` can be at `index` to
 * `index + spare` alone; `from` remembers, for each of them, how much of the spare was used before.
 */
function placeAll(own: Float64Array, expected: ArrayLike<number>): Uint32Array | undefined {
  const spare = expected.length - own.length;
  const width = spare + 1;
  if (spare < 0 || own.length * width > MAX_PLACES) return undefined;
  const from = new Uint32Array(own.length * width);
  let costs = new Float64Array(width);
  for (const [index, wanted] of own.entries()) {
    const next = new Float64Array(width);
    let best = 0;
    for (let used = 0; used < width; used++) {
      if ((costs[used] as number) < (costs[best] as number)) best = used;
      from[index * width + used] = best;
      next[used] = (costs[best] as number) + Math.abs((expected[index + used] as number) - wanted);
    }
    costs = next;
  }
  const places = new Uint32Array(own.length);
  let used = costs.indexOf(costs.reduce((least, cost) => Math.min(least, cost)));
  for (let index = own.length - 1; index >= 0; index--) {
    places[index] = index + used;
    used = from[index * width + used] as number;
  }
  return places;
}
