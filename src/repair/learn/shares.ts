/** A value and how often it was seen. */
export interface Share {
  readonly value: number;
  readonly count: number;
}

/** Adds one, or `times`, to a value's count. */
export function countValue(counts: Map<number, number>, value: number, times = 1): void {
  counts.set(value, (counts.get(value) ?? 0) + times);
}

/** The counted values, commonest first, the smaller of equally common ones before the larger. */
export function sharesOf(counts: ReadonlyMap<number, number>): Share[] {
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count || a.value - b.value);
}

/** The mean of the values, each as often as it was seen; `none` where none was. */
export function meanOf(seen: readonly Share[], none: number): number {
  let [sum, count] = [0, 0];
  for (const share of seen) {
    sum += share.value * share.count;
    count += share.count;
  }
  return count > 0 ? sum / count : none;
}

/** Values by how often they occur, commonest first. */
export function shares(values: readonly number[]): Share[] {
  const counts = new Map<number, number>();
  for (const value of values) countValue(counts, value);
  return sharesOf(counts);
}
