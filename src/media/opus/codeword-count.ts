/**
 * V(N, K), RFC 6716 §4.3.4.2: vectors of `bins` integers whose magnitudes add up to `pulses`. The codec asks only for
 * those below 2^32. `bins` 2 to 176, `pulses` 1 to 128.
 */
export function codewordCount(bins: number, pulses: number): number {
  return TABLE[bins * STRIDE + pulses] as number;
}

const MAX_BINS = 176;
const MAX_PULSES = 128;
const STRIDE = MAX_PULSES + 1;

const TABLE = buildTable();

/** V(N, K) = V(N − 1, K) + V(N, K − 1) + V(N − 1, K − 1); large values lose precision, but those are not used. */
function buildTable(): Float64Array {
  const table = new Float64Array((MAX_BINS + 1) * STRIDE);
  table[0] = 1;
  for (let n = 1; n <= MAX_BINS; n++) {
    table[n * STRIDE] = 1;
    for (let k = 1; k <= MAX_PULSES; k++) {
      const above = (n - 1) * STRIDE + k;
      table[n * STRIDE + k] =
        (table[above] as number) + (table[n * STRIDE + k - 1] as number) + (table[above - 1] as number);
    }
  }
  return table;
}
