import type { Check } from "./repair-types.ts";

/** Result of a job of the pipeline `convert`. */
export interface ConvertResult {
  readonly schema: 1;
  /** Object key. */
  readonly output: string;
  readonly report: {
    /** Null where they were copied. */
    readonly pictures: number | null;
    readonly spans: number;
    readonly encoder: string;
    readonly checks: readonly Check[];
    readonly findings: readonly string[];
    readonly inputBytes: number;
    readonly outputBytes: number;
    readonly durationSeconds: number | null;
  };
}
