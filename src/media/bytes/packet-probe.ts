/**
 * What a codec says of the bytes at one place, before anything is known of their neighbours. `evidenceBits` is
 * −log2 of the chance that random bytes would pass the same checks: 8 for one matched byte, 32 for four, more for a
 * long consistent parse. Probes never throw on hostile bytes and never look outside `[startIndex, endIndex)`.
 */
export type PacketProbe =
  /** A packet starts here and its length follows from its own bytes. */
  | {
      readonly kind: "packet";
      /** Length of the whole packet, ≥ 1. The bytes counted need not all be visible in the probed range. */
      readonly sizeBytes: number;
      readonly evidenceBits: number;
      /** Whether decoding may start at this packet (a sync sample). Always true for audio. */
      readonly isSync: boolean;
      /** Audio: samples per channel that the packet decodes to. Absent where the packet does not tell. */
      readonly durationSamples?: number;
    }
  /** A packet may start here, but its bytes do not tell where it ends. */
  | {
      readonly kind: "open";
      readonly minSizeBytes: number;
      readonly maxSizeBytes: number;
      readonly evidenceBits: number;
      readonly isSync: boolean;
      readonly durationSamples?: number;
    }
  /** Undecidable with the bytes given: ask again with at least `neededBytes` from the start (or at the end of data: no). */
  | { readonly kind: "more"; readonly neededBytes: number }
  /** No packet of this codec starts here. */
  | { readonly kind: "no" };

/** The one `no` answer, so that the hot path allocates nothing for it. */
export const NO_PACKET: PacketProbe = { kind: "no" };
