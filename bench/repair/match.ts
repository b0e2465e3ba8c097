/** A wanted element found in the output: 0-based indexes into both lists. */
export interface Match {
  readonly wantedIndex: number;
  readonly foundIndex: number;
}

/** A hash that recurs more often than this is only looked for near where the match stands. */
const MAX_CANDIDATES = 32;

/**
 * The longest list of elements of `wanted` that occur in `found` in the same order (a longest common subsequence by
 * patience sorting over equal elements). Where one element recurs very often (looped recordings), only its
 * occurrences around the running position are tried, which keeps the cost bounded.
 */
export function matchInOrder(wanted: readonly string[], found: readonly string[]): Match[] {
  const places = new Map<string, number[]>();
  found.forEach((hash, index) => {
    const list = places.get(hash);
    if (list === undefined) places.set(hash, [index]);
    else list.push(index);
  });
  const tailFound: number[] = [];
  const tailNode: number[] = [];
  const nodes: { readonly wantedIndex: number; readonly foundIndex: number; readonly previous: number }[] = [];
  wanted.forEach((hash, wantedIndex) => {
    const all = places.get(hash);
    if (all === undefined) return;
    const candidates = nearest(all, (tailFound.at(-1) ?? -1) + 1);
    // Falling order, so that one wanted element never extends a chain that it has just extended itself.
    for (const foundIndex of candidates.toReversed()) {
      const length = lowerBound(tailFound, foundIndex);
      nodes.push({ wantedIndex, foundIndex, previous: length === 0 ? -1 : (tailNode[length - 1] ?? -1) });
      tailFound[length] = foundIndex;
      tailNode[length] = nodes.length - 1;
    }
  });
  const matches: Match[] = [];
  for (let node = nodes[tailNode.at(-1) ?? -1]; node !== undefined; node = nodes[node.previous]) {
    matches.push({ wantedIndex: node.wantedIndex, foundIndex: node.foundIndex });
  }
  return matches.reverse();
}

function nearest(sorted: readonly number[], place: number): readonly number[] {
  if (sorted.length <= MAX_CANDIDATES) return sorted;
  const first = Math.max(0, lowerBound(sorted, place) - MAX_CANDIDATES / 4);
  return sorted.slice(first, first + MAX_CANDIDATES);
}

/** The first index whose value is not less than `value`. */
export function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
