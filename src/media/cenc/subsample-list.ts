import { ReelmillError } from "../../base/errors.ts";
import { MAX_SUBSAMPLES, type Subsample } from "../isobmff/senc.ts";
import { BLOCK_BYTES } from "./block-pattern.ts";

/** Tells which bytes of a sample are protected; asked of every sample, in decode order. */
export type SampleLayout = (sample: Uint8Array) => readonly Subsample[];

/** What the field of clear bytes holds at most. */
const MAX_CLEAR_BYTES = 0xffff;

/** Puts a sample's subsamples together, in the order of its bytes. */
export class SubsampleList {
  readonly #subsamples: Subsample[] = [];
  #clearBytes = 0;

  clear(bytes: number): void {
    this.#clearBytes += bytes;
  }

  /** Bytes that are encrypted, as far as they are whole blocks; fewer than a block are clear ones. */
  protect(bytes: number): void {
    if (bytes < BLOCK_BYTES) this.clear(bytes);
    else this.#push(bytes);
  }

  /** The subsamples: together they have as many bytes as were told. Throws SUBSAMPLES_TOO_MANY where a file could not tell of them all. */
  finish(): readonly Subsample[] {
    if (this.#clearBytes > 0) this.#push(0);
    const { length } = this.#subsamples;
    if (length <= MAX_SUBSAMPLES) return this.#subsamples;
    throw new ReelmillError(
      "SUBSAMPLES_TOO_MANY",
      `A picture has ${length} parts to be encrypted by themselves, as its slices and tiles are; fragmented MP4 can tell of ${MAX_SUBSAMPLES}. Use --encrypt-method aes-128, or --segments ts.`,
    );
  }

  #push(protectedBytes: number): void {
    for (; this.#clearBytes > MAX_CLEAR_BYTES; this.#clearBytes -= MAX_CLEAR_BYTES) {
      this.#subsamples.push({ clearBytes: MAX_CLEAR_BYTES, protectedBytes: 0 });
    }
    this.#subsamples.push({ clearBytes: this.#clearBytes, protectedBytes });
    this.#clearBytes = 0;
  }
}
