/**
 * Which places to leave out so that the times at all others rise, as few as can be (the complement of a longest strictly increasing subsequence,
 * in n log n); rising. What is not a number stays.
 */
export function placesAgainstOrder(times: readonly number[]): readonly number[] {
  /** At each length, the place that the lowest last time of a rising run of that length stands at. */
  const ends: number[] = [];
  const before = new Int32Array(times.length).fill(-1);
  for (const [place, time] of times.entries()) {
    if (Number.isNaN(time)) continue;
    const length = countBelow(ends, times, time);
    before[place] = ends[length - 1] ?? -1;
    ends[length] = place;
  }
  const kept = new Uint8Array(times.length);
  for (let place = ends.at(-1) ?? -1; place >= 0; place = before[place] as number) kept[place] = 1;
  return times.flatMap((time, place) => (kept[place] === 1 || Number.isNaN(time) ? [] : [place]));
}

/** Of places whose times rise, how many have one below. */
function countBelow(places: readonly number[], times: readonly number[], time: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[places[middle] as number] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
