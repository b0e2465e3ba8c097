/** Where a track's times come from, by falling trust. */
export type TimingSource =
  | "index"
  | "container"
  | "constant-rate"
  | "packet-durations"
  | "other-clock"
  | "picture-order"
  | "reference-histogram";

/** When the packets of one track decode and show. */
export interface Timeline {
  /** Index of the reference's track. */
  readonly track: number;
  /** Places in the log, in decode order. */
  readonly packets: Uint32Array;
  /** Decode time of each packet in media ticks, and after them the end of the last one. */
  readonly decodeTicks: Float64Array;
  /** Presentation time of each packet in media ticks; undefined where it is the decode time. */
  readonly presentationTicks?: Float64Array;
  readonly source: TimingSource;
}
