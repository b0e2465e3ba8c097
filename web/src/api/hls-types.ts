/** Result of a job of the pipeline `hls`. */
export interface HlsResult {
  readonly schema: 1;
  /** Object key of the multivariant playlist; all of the package lies beside and below it. */
  readonly playlist: string;
  readonly report: HlsReport;
}

/** What came of packaging. */
export interface HlsReport {
  /** Of every rung. */
  readonly pictures: number;
  readonly durationSeconds: number;
  readonly encoder: string;
  readonly variants: readonly HlsVariant[];
  readonly rules: { readonly passed: number; readonly mustsFailed: number; readonly shouldsFailed: number };
  readonly findings: readonly string[];
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** A variant stream as it came out. */
export interface HlsVariant {
  readonly name: string;
  /** Such as `1280x720`; null for sound alone. */
  readonly resolution: string | null;
  readonly framesPerSecond: number | null;
  readonly codecs: readonly string[];
  readonly peakBitsPerSecond: number;
  readonly averageBitsPerSecond: number;
}
