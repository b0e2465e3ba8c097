/**
 * The least index of `[0, length)` for which `holds` is true, by halving: what holds for one index must hold for all behind
 * it. `length` where it holds for none.
 */
export function firstIndexWhere(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
