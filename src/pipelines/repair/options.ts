import type { Environment } from "../../base/config-defaults.ts";

/** How much of the output is checked before it is published. */
export type VerifyLevel =
  /** Nothing is read back. */
  | "none"
  /** The index is read back and held against the report; where ffmpeg is installed, the first pictures are decoded. */
  | "quick"
  /** As quick, but ffmpeg decodes everything. */
  | "full";

/** What does the work on MP4 and MOV files; `auto` is `native`, then `untrunc` where that fails and is installed. */
export type RepairEngine = "native" | "untrunc" | "auto";

/** Resolved options of a repair of one or many files. Paths are as the user gave them. */
export interface RepairPipelineOptions {
  /** Healthy recordings, or folders of them; empty: chosen among the healthy files near the damaged ones. */
  readonly references: readonly string[];
  /** Files that may serve as references too where none are named, besides those in the damaged file's folder. */
  readonly neighbours?: readonly string[] | undefined;
  /** A file for one input, a folder for several; undefined: beside each input. */
  readonly output?: string | undefined;
  /** Mend the file itself. */
  readonly inPlace: boolean;
  /** Put the index at the front. */
  readonly faststart: boolean;
  readonly engine: RepairEngine;
  /** Find out, but write nothing. */
  readonly dryRun: boolean;
  readonly verify: VerifyLevel;
  /** Where ffmpeg and untrunc and their bounds are looked up. */
  readonly environment: Environment;
  /** Cancels: ABORTED is thrown, nothing half done stays. */
  readonly signal: AbortSignal;
}
