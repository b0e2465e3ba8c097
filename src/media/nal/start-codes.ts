/**
 * The NAL units of a byte stream with start codes (ITU-T H.264 and H.265, annex B), header first, zeros behind them taken
 * off. Views, not copies. Bytes before the first start code are passed over; the last unit may be cut where the bytes end.
 */
export function* eachStartCodeNal(bytes: Uint8Array): Generator<Uint8Array> {
  let start = nextStartCode(bytes, 0);
  while (start !== undefined) {
    const next = nextStartCode(bytes, start);
    let end = next === undefined ? bytes.length : next - 3;
    while (end > start && bytes[end - 1] === 0) end--;
    if (end > start) yield bytes.subarray(start, end);
    start = next;
  }
}

/** Index behind the next `00 00 01`; undefined where there is none. */
function nextStartCode(bytes: Uint8Array, from: number): number | undefined {
  for (let index = bytes.indexOf(1, from + 2); index !== -1; index = bytes.indexOf(1, index + 1)) {
    if (bytes[index - 1] === 0 && bytes[index - 2] === 0) return index + 1;
  }
  return undefined;
}
