import type { ByteSource } from "../media/bytes/byte-source.ts";
import { skipZeroBytes, trimZeroBytes } from "../media/bytes/zeros.ts";
import { type Pause, skipZeros } from "./data-end.ts";
import type { Extent } from "./extents.ts";

/** So many zeros in a row are worth a look at what they cover. */
const MIN_STRETCH_BYTES = 512;
/** Zeros at the place looked at that make it worth to find the ends. */
const PROBE_BYTES = 16;
/** Places nearer than this are read through, others are jumped to. */
const MAX_READ_STEP_BYTES = 4096;
const BLOCK_BYTES = 1024 * 1024;
const PAUSE_BYTES = 256 * BLOCK_BYTES;

/**
 * The stretches of at least 512 zeros in a range that a look at one place in every `stepBytes` meets: all that are longer
 * than a step and 16 bytes. Rising, apart. Throws what `pause` throws.
 */
export async function findZeroStretches(
  source: ByteSource,
  { startOffset, endOffset }: Extent,
  stepBytes: number,
  pause: Pause = () => undefined,
): Promise<Extent[]> {
  const stretches: Extent[] = [];
  const isZeroAt = createZeroProbe(source, stepBytes <= MAX_READ_STEP_BYTES ? BLOCK_BYTES : PROBE_BYTES);
  let least = startOffset;
  let nextPause = startOffset + PAUSE_BYTES;
  for (let at = startOffset; at < endOffset; at += stepBytes) {
    if (at >= nextPause) {
      nextPause = at + PAUSE_BYTES;
      await pause();
    }
    if (!isZeroAt(at)) continue;
    const start = zerosBefore(source, Math.max(least, at - stepBytes), at);
    const end = skipZeros(source, at, endOffset);
    if (end - start >= MIN_STRETCH_BYTES) stretches.push({ startOffset: start, endOffset: end });
    least = end;
    // The next place of the grid behind them.
    at += Math.floor((end - at) / stepBytes) * stepBytes;
  }
  return stretches;
}

function createZeroProbe(source: ByteSource, readBytes: number): (at: number) => boolean {
  const bytes = new Uint8Array(readBytes);
  let [base, got] = [0, 0];
  return (at) => {
    if (at < base || at + PROBE_BYTES > base + got) {
      base = at;
      got = source.read(at, bytes);
    }
    const index = at - base;
    const end = Math.min(got, index + PROBE_BYTES);
    return end > index && skipZeroBytes(bytes, index, end) === end;
  };
}

/** Where the zeros that stand directly before `offset` begin, `least` at least. */
function zerosBefore(source: ByteSource, least: number, offset: number): number {
  const bytes = new Uint8Array(offset - least);
  const got = source.read(least, bytes);
  return least + trimZeroBytes(bytes, 0, got);
}
