import type { Vp9FrameHeader } from "./uncompressed-header.ts";

/** Weight of what was seen against what was not. */
const SEEN_SHARE = 0.9;
/** Bytes looked at for the choices: they end within these. */
const CHOICE_BYTES = 8;

/**
 * What the packets of one VP9 track look like: which patterns of frame type, references and modes recur, how the
 * quantizer moves, and in what bits packets end. Holds counts that `observe` updates; one model serves one track.
 */
export class Vp9Model {
  readonly #choices = new Map<string, number>();
  readonly #firstBytes = new Uint8Array(256);
  readonly #tails = new Float64Array(TAIL_CLASSES);
  #packets = 0;
  #tailed = 0;
  #quantizer: number | undefined;
  #largestCompressed = 0;

  /** Learns from a frame that is certain: its header, and its bytes if its end is certain too. */
  observe(header: Vp9FrameHeader, bytes: Uint8Array, frameStart: number, frameEnd: number | undefined): void {
    const key = choiceKey(header, bytes, frameStart);
    this.#choices.set(key, (this.#choices.get(key) ?? 0) + 1);
    this.#firstBytes[bytes[frameStart] as number] = 1;
    this.#packets++;
    this.#largestCompressed = Math.max(this.#largestCompressed, header.compressedBytes);
    if (header.showExistingSlot !== undefined) return;
    this.#quantizer = header.baseQuantizer;
    if (frameEnd === undefined) return;
    const tail = tailClass(bytes, frameStart, frameEnd);
    this.#tails[tail] = (this.#tails[tail] as number) + 1;
    this.#tailed++;
  }

  /**
   * Whether frames of the track were seen to start with this byte: a filter for scans, before `probeVp9Start`. Any may
   * while nothing was observed.
   */
  isFamiliarStart(byte: number): boolean {
    return this.#packets === 0 || this.#firstBytes[byte] === 1;
  }

  /** log2 of how much likelier this header is in the track than in any bytes. */
  headerBits(header: Vp9FrameHeader, bytes: Uint8Array, frameStart: number): number {
    if (this.#packets === 0) return 0;
    const seen = (this.#choices.get(choiceKey(header, bytes, frameStart)) ?? 0) / this.#packets;
    // The fixed bits among them were counted already.
    const free = Math.max(0, header.choiceBits - header.fixedBits);
    let bits = Math.log2(SEEN_SHARE * seen * 2 ** free + 1 - SEEN_SHARE);
    if (header.showExistingSlot !== undefined) return bits;
    bits += Math.log2((65536 * 0.95) / Math.max(64, 2 * this.#largestCompressed));
    if (header.compressedBytes > 2 * this.#largestCompressed) bits -= 12;
    if (this.#quantizer !== undefined && !header.isIntra) {
      const step = Math.abs(header.baseQuantizer - this.#quantizer);
      bits += Math.log2(256 * (0.7 * (Math.exp(-step / 12) / 24) + 0.3 / 256));
    }
    return bits;
  }

  /** log2 of how much likelier a frame ends in these bytes than any bytes are to. */
  tailBits(bytes: Uint8Array, frameStart: number, frameEnd: number): number {
    const tail = tailClass(bytes, frameStart, frameEnd);
    const prior = TAIL_PRIOR[tail] as number;
    const share = ((this.#tails[tail] as number) + TAIL_PRIOR_WEIGHT * prior) / (this.#tailed + TAIL_PRIOR_WEIGHT);
    return Math.log2(share / tailChance(tail));
  }
}

function choiceKey(header: Vp9FrameHeader, bytes: Uint8Array, frameStart: number): string {
  const count = Math.min(header.choiceBits, 8 * CHOICE_BYTES);
  let key = "";
  for (let i = 0; i < count; i += 8) {
    const byte = bytes[frameStart + (i >> 3)] ?? 0;
    key += String.fromCharCode(count - i >= 8 ? byte : byte & (0xff00 >> (count - i)));
  }
  return key;
}

/**
 * Tails are told apart by the zero bits they end in: 0 to 7, then 8 and more by whole bytes up to four. An encoder's
 * flush of the arithmetic coder leaves zeros, so most packets end in several.
 */
const TAIL_CLASSES = 12;
const TAIL_PRIOR_WEIGHT = 10;
const TAIL_PRIOR: readonly number[] = [0.005, 0.035, 0.065, 0.085, 0.1, 0.105, 0.06, 0.135, 0.38, 0.02, 0.005, 0.005];

function tailClass(bytes: Uint8Array, frameStart: number, frameEnd: number): number {
  let zeroBytes = 0;
  while (zeroBytes < 4 && frameEnd - zeroBytes > frameStart && bytes[frameEnd - 1 - zeroBytes] === 0) zeroBytes++;
  if (zeroBytes > 0) return 7 + zeroBytes;
  const last = bytes[frameEnd - 1] ?? 1;
  return 31 - Math.clz32(last & -last);
}

/** How often random bytes have a tail. */
function tailChance(tail: number): number {
  if (tail < 8) return 2 ** -(tail + 1);
  return tail === 11 ? 2 ** -32 : 2 ** (-8 * (tail - 7)) * (255 / 256);
}
