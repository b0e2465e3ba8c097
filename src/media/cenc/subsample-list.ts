import type { Subsample } from "../isobmff/senc.ts";
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

  /** The subsamples: together they have as many bytes as were told. */
  finish(): readonly Subsample[] {
    if (this.#clearBytes > 0) this.#push(0);
    return this.#subsamples;
  }

  #push(protectedBytes: number): void {
    for (; this.#clearBytes > MAX_CLEAR_BYTES; this.#clearBytes -= MAX_CLEAR_BYTES) {
      this.#subsamples.push({ clearBytes: MAX_CLEAR_BYTES, protectedBytes: 0 });
    }
    this.#subsamples.push({ clearBytes: this.#clearBytes, protectedBytes });
    this.#clearBytes = 0;
  }
}
