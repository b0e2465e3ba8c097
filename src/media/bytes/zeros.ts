const WORD_BYTES = 8;
/** Shorter runs are looked at byte by byte: a view of whole words would cost more than it saves. */
const MIN_WORD_RUN_BYTES = 64;
const TRIM_BLOCK_BYTES = 4096;

/** The first index in `[from, to)` of `bytes` that holds something other than zero, or `to`. */
export function skipZeroBytes(bytes: Uint8Array, from: number, to: number): number {
  let index = from;
  // The words' start must be a multiple of eight in the buffer.
  const near = Math.min(to, from + MIN_WORD_RUN_BYTES + ((-(bytes.byteOffset + from) >>> 0) % WORD_BYTES));
  while (index < near && bytes[index] === 0) index++;
  if (index < near || to - index < WORD_BYTES) return skipByByte(bytes, index, to);
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset + index, Math.floor((to - index) / WORD_BYTES));
  let word = 0;
  while (word < words.length && words[word] === 0n) word++;
  return skipByByte(bytes, index + word * WORD_BYTES, to);
}

function skipByByte(bytes: Uint8Array, from: number, to: number): number {
  let index = from;
  while (index < to && bytes[index] === 0) index++;
  return index;
}

/** The index after the last byte in `[from, to)` of `bytes` that is not zero, or `from`. */
export function trimZeroBytes(bytes: Uint8Array, from: number, to: number): number {
  for (let end = to; end > from; end -= TRIM_BLOCK_BYTES) {
    const start = Math.max(from, end - TRIM_BLOCK_BYTES);
    if (skipZeroBytes(bytes, start, end) === end) continue;
    let index = end;
    while (bytes[index - 1] === 0) index--;
    return index;
  }
  return from;
}
