import type { Failure } from "./types.ts";

/** What a range of the damaged file is. */
export type FindingKind = "lost" | "zeros" | "padding" | "cut-packet" | "damaged-packet";

/** One range of the damaged file that is not plain media. */
export interface Finding {
  readonly kind: FindingKind;
  readonly startOffset: number;
  /** After the last byte. */
  readonly endOffset: number;
  readonly action: string;
  readonly lostSeconds?: number;
}

/** What was recovered of one track. */
export interface TrackReport {
  readonly trackId: number;
  readonly kind: "video" | "audio" | "other";
  readonly codec: string;
  readonly packets: number;
  readonly keyframes: number;
  readonly bytes: number;
  readonly durationSeconds: number;
}

/** What a repair found and did. */
export interface RepairReport {
  readonly engine: string;
  readonly diagnosis: string;
  readonly tracks: readonly TrackReport[];
  readonly findings: readonly Finding[];
  readonly bytes: { readonly recovered: number; readonly scanned: number };
  /** Recovered share of the bytes that may hold media, 0 to 1. */
  readonly confidence: number;
}

/** One check on an output. */
export interface Check {
  readonly name: string;
  readonly status: "passed" | "warning" | "skipped" | "failed";
  readonly detail: string;
}

/** Bytes of content that the repair had the object store give, take, and copy itself. */
export interface MovedBytes {
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly copiedBytes: number;
}

/** What became of one input. */
export interface RepairedFile {
  /** Object key. */
  readonly input: string;
  /** Object key; null where nothing was written. */
  readonly output: string | null;
  readonly status: "repaired" | "healthy" | "failed";
  readonly references: readonly string[];
  readonly report: RepairReport | null;
  readonly checks: readonly Check[];
  readonly notices: readonly string[];
  /** Null where nothing came of it; not told of jobs that an earlier version worked at. */
  readonly moved?: MovedBytes | null;
  readonly error?: Failure;
}

/** Result of a job of the pipeline `repair`. */
export interface RepairResult {
  readonly schema: 1;
  readonly files: readonly RepairedFile[];
  readonly summary: { readonly repaired: number; readonly healthy: number; readonly failed: number };
}
