import { ReelmillError } from "../../base/errors.ts";
import type { Subsample } from "../isobmff/senc.ts";
import type { TrackEncryption } from "../isobmff/tenc.ts";

/** Bytes of an AES block. */
export const BLOCK_BYTES = 16;

/**
 * Encrypts or decrypts whole blocks by AES-CBC, chained to each other from the constant vector on: as many bytes come out as went in. Called anew for
 * each protected range.
 */
export type BlockCipher = (blocks: Uint8Array) => Uint8Array;

type Pattern = Pick<TrackEncryption, "cryptBlocks" | "skipBlocks">;

/** Of cbcs, ISO/IEC 23001-7 §10.4.2, and of Apple's transport streams: one block of ten. */
export const PICTURE_PATTERN: Pattern = { cryptBlocks: 1, skipBlocks: 9 };
/** As `PICTURE_PATTERN`: every block. */
export const SOUND_PATTERN: Pattern = { cryptBlocks: 0, skipBlocks: 0 };

/**
 * Encrypts or decrypts a sample in place by the scheme cbcs (ISO/IEC 23001-7 §9.5, §9.6, §10.4): in each protected range the blocks of the pattern, what is
 * no whole block stays clear. Without subsamples all of the sample is one range. Throws MEDIA_MALFORMED where the subsamples do not add up to it.
 */
export function cryptSample(
  sample: Uint8Array,
  subsamples: readonly Subsample[] | undefined,
  pattern: Pattern,
  cipher: BlockCipher,
): void {
  const ranges = subsamples ?? [{ clearBytes: 0, protectedBytes: sample.length }];
  const bytes = ranges.reduce((sum, { clearBytes, protectedBytes }) => sum + clearBytes + protectedBytes, 0);
  if (bytes !== sample.length) {
    throw new ReelmillError("MEDIA_MALFORMED", `The subsamples of a sample of ${sample.length} bytes have ${bytes}.`);
  }
  let at = 0;
  for (const { clearBytes, protectedBytes } of ranges) {
    at += clearBytes;
    cryptRange(sample.subarray(at, at + protectedBytes), pattern, cipher);
    at += protectedBytes;
  }
}

function cryptRange(range: Uint8Array, pattern: Pattern, cipher: BlockCipher): void {
  const blocks = blocksOf(Math.floor(range.length / BLOCK_BYTES), pattern);
  if (blocks.length === 0) return;
  const gathered = new Uint8Array(blocks.length * BLOCK_BYTES);
  for (const [index, block] of blocks.entries()) gathered.set(blockAt(range, block), index * BLOCK_BYTES);
  const done = cipher(gathered);
  for (const [index, block] of blocks.entries()) range.set(blockAt(done, index), block * BLOCK_BYTES);
}

/** Numbers of the blocks that a pattern encrypts, of so many; without a pattern all. */
function blocksOf(blockCount: number, { cryptBlocks, skipBlocks }: Pattern): readonly number[] {
  const period = cryptBlocks + skipBlocks;
  const blocks: number[] = [];
  for (let block = 0; block < blockCount; block++) if (period === 0 || block % period < cryptBlocks) blocks.push(block);
  return blocks;
}

function blockAt(bytes: Uint8Array, block: number): Uint8Array {
  return bytes.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
}
