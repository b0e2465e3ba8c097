import type { ByteSource } from "../media/bytes/byte-source.ts";
import { skipZeroBytes, trimZeroBytes } from "../media/bytes/zeros.ts";

/** Gives signals a turn in long work that finds no packets, and throws to stop it. */
export type Pause = () => void | Promise<void>;

/** Zeros at the end count as never written from this many on; fewer may be sound. */
const MIN_ZERO_TAIL_BYTES = 4096;
/** A packet may rightly end in a few zeros. */
const KEPT_ZERO_BYTES = 16;
const BLOCK_BYTES = 1024 * 1024;
/** So many bytes of zeros are passed over between pauses. */
const PAUSE_BYTES = 64 * BLOCK_BYTES;

/** Where a preallocated tail of zeros begins, or the end of the file. Reads the tail through. */
export function dataEndOf(source: ByteSource): number {
  const steps = walkTail(source);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** As `dataEndOf`, with pauses: a tail may take as long to read as the disk needs for gigabytes. Throws what `pause` throws. */
export async function findDataEnd(source: ByteSource, pause: Pause = () => undefined): Promise<number> {
  const steps = walkTail(source);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await pause();
  }
}

/** Yields now and then; returns where the data end. */
function* walkTail(source: ByteSource): Generator<undefined, number> {
  const block = new Uint8Array(Math.min(BLOCK_BYTES, source.sizeBytes));
  let end = source.sizeBytes;
  let nextPause = end - PAUSE_BYTES;
  while (end > 0) {
    const from = Math.max(0, end - block.length);
    const got = source.read(from, block.subarray(0, end - from));
    const used = trimZeroBytes(block, 0, got);
    if (used > 0) return endAfter(from + used, source.sizeBytes);
    end = from;
    if (end > nextPause) continue;
    nextPause = end - PAUSE_BYTES;
    yield;
  }
  return endAfter(0, source.sizeBytes);
}

function endAfter(usedBytes: number, sizeBytes: number): number {
  return sizeBytes - usedBytes < MIN_ZERO_TAIL_BYTES ? sizeBytes : usedBytes + KEPT_ZERO_BYTES;
}

/** The first offset in `[from, limit)` that holds something other than zero, or `limit`. */
export function skipZeros(source: ByteSource, from: number, limit: number): number {
  const block = new Uint8Array(Math.max(0, Math.min(64 * 1024, limit - from)));
  for (let offset = from; offset < limit; offset += block.length) {
    const got = Math.min(source.read(offset, block), limit - offset);
    const used = skipZeroBytes(block, 0, got);
    if (used < got) return offset + used;
    if (got < block.length) return limit;
  }
  return limit;
}
