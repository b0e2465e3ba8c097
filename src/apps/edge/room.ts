import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Examination } from "../../pipelines/repair/index.ts";
import type { ClaimKeeper } from "./claims.ts";
import type { EdgeCounters } from "./edge-status.ts";
import type { FileBook, FileEntry } from "./file-entry.ts";
import type { ProcessContext } from "./process-file.ts";
import type { RepairService } from "./repair-service.ts";
import type { EdgeSettings } from "./settings.ts";
import type { Share } from "./share.ts";
import type { StabilityTracker } from "./stability.ts";

/** What a watch folder needs from outside. */
export interface EdgeServiceOptions {
  readonly settings: EdgeSettings;
  readonly repair: RepairService;
  /** Asked where `repair` fails; undefined: nobody is. */
  readonly cloud?: RepairService | undefined;
  /** Tells healthy files from damaged ones; may throw as `openFileSource`. */
  readonly examine: (path: string, signal: AbortSignal) => Promise<Examination>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Remembers, off the share, which shares have been seen; see `createShare`. */
  readonly memoryFile?: string | undefined;
}

/** What changes while the service runs. */
export interface State {
  isRunning: boolean;
  /** Empty: not paused. */
  pauseReason: string;
  /** Why the folders could not be written at the last scan; empty where they could. */
  outputFault: string;
  currentReference: string | null;
  lastScanAtMs: number | null;
  readonly counters: { -readonly [Name in keyof EdgeCounters]: number };
}

/** Everything that the steps of the service share. */
export interface Room {
  readonly options: EdgeServiceOptions;
  readonly context: ProcessContext;
  readonly state: State;
  readonly book: FileBook;
  readonly share: Share;
  readonly claims: ClaimKeeper;
  readonly tracker: StabilityTracker;
  readonly stopping: AbortController;
  readonly active: Map<FileEntry, Promise<void>>;
  /** Asks for a scan soon. */
  readonly wake: () => void;
}

/** Looks whether the share is there, and pauses or resumes the service accordingly. */
export async function probe(room: Room): Promise<boolean> {
  const { state, options } = room;
  const reason = (await room.share.probe()) ?? "";
  if (reason !== "" && state.pauseReason === "") {
    state.counters.pauses += 1;
    options.log.warn(`Paused: ${reason}`);
  }
  if (reason === "" && state.pauseReason !== "") options.log.info("The share is there again");
  state.pauseReason = reason;
  return reason === "";
}
