/** What kind of damage or oddity a byte range is. */
export type FindingKind =
  /** Bytes of no track that could be told: damaged or foreign. */
  | "lost"
  /** Zeros where data should be: never written, or wiped. */
  | "zeros"
  /** Unused bytes between packets, as the recorder leaves them. */
  | "padding"
  /** The last packet, cut off by the end of the data. */
  | "cut-packet"
  /** A packet whose bytes run into damage. */
  | "damaged-packet";

/** One thing found in the damaged file, with what was done about it. */
export interface Finding {
  readonly kind: FindingKind;
  readonly startOffset: number;
  /** After the last byte. */
  readonly endOffset: number;
  /** In the user's terms. */
  readonly action: string;
  /** Playing time lost, in seconds, estimated by the bytes; absent where none is, and where fragments or an index tell the times. */
  readonly lostSeconds?: number;
}
