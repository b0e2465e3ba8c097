import type { ErrorCode } from "../../base/errors.ts";
import type { RepairReport } from "../../repair/report.ts";

/** One check on an output. */
export interface Check {
  /**
   * `structure`: boxes and index; `packets`: what the index lists against what was recovered; `decode`: by ffmpeg;
   * `durations`: pictures against sound, only where they differ.
   */
  readonly name: "structure" | "packets" | "decode" | "durations";
  /** `warning`: worth knowing, but no reason to refuse the output. */
  readonly status: "passed" | "warning" | "skipped" | "failed";
  /** In the user's terms. */
  readonly detail: string;
}

/** Why a file was not repaired. */
export interface FileError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What became of one input. */
export interface FileResult {
  readonly input: string;
  /** Where the repaired file lies: the input itself when mended in place; null where nothing was written. */
  readonly output: string | null;
  /** `repairable` is what `repaired` would be without a dry run. */
  readonly status: "repaired" | "repairable" | "healthy" | "failed";
  /** Names of the recordings that were learnt from; empty where none was needed. */
  readonly references: readonly string[];
  /** What was found and recovered; null where it did not come so far. */
  readonly report: RepairReport | null;
  readonly checks: readonly Check[];
  /** What else the user should know, such as the undoing of an earlier repair that was broken off. */
  readonly notices: readonly string[];
  readonly error?: FileError;
}

/** What a way of repairing achieved. */
export interface Achievement {
  readonly status: "repaired" | "repairable" | "healthy";
  readonly output: string | null;
  readonly report: RepairReport;
  readonly checks: readonly Check[];
  readonly references: readonly string[];
}

/** The document that `--json` prints and `--report` writes; holds no media content. */
export interface RepairDocument {
  /** Rises when a field changes its meaning or goes; new fields may come without. */
  readonly schema: 1;
  readonly dryRun: boolean;
  /** First the paths where nothing was found, then the files in the order of the inputs. */
  readonly files: readonly FileResult[];
  /** Paths that were left out on purpose: links out of the folders given. */
  readonly skipped: readonly { readonly input: string; readonly reason: string }[];
  readonly summary: {
    readonly repaired: number;
    readonly repairable: number;
    readonly healthy: number;
    readonly failed: number;
  };
}
