import type { JobError } from "../../jobs/job.ts";

/** Where a file stands. */
export type FileState =
  /** Changed a short while ago, or only now seen. */
  | "growing"
  /** No job can name it: it stays where it is until it is renamed; `error` says why. */
  | "misnamed"
  /** At rest and damaged, but not to be tried just now; `error` says why. */
  | "stable"
  /** Plays: it stays where it is and may serve as a reference. */
  | "healthy"
  /** Waits for its turn, or is in the hands of another service (`heldBy`). */
  | "queued"
  /** The work on it has begun. */
  | "repairing"
  /** Cannot be repaired without a healthy recording of the same device; tried again when another one appears. */
  | "waiting-for-reference"
  | "exported"
  | "quarantined";

/** A file as the dashboard shows it. Times are milliseconds since 1970-01-01T00:00:00Z. */
export interface EdgeFile {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
  readonly state: FileState;
  /** From 0 to 1, while it is repaired. */
  readonly progress: number;
  /** What is being done, for people; empty where nothing is. */
  readonly phase: string;
  /** Why it was quarantined, waits, or is put off. */
  readonly error: JobError | null;
  /** The job that repairs it or did; null where there is none. */
  readonly jobId: string | null;
  /** Its name in export/ or quarantine/. */
  readonly placedAs: string | null;
  /** The service that has it in hand, where that is another one. */
  readonly heldBy: string | null;
  /** When its state last changed. */
  readonly changedAtMs: number;
}

/** What has been done since the service was started. */
export interface EdgeCounters {
  readonly scans: number;
  readonly exported: number;
  /** Of those exported, the ones that the batch API repaired. */
  readonly exportedByCloud: number;
  readonly quarantined: number;
  /** Tries that ended without the file being to blame. */
  readonly putOff: number;
  /** How often the share could not be reached. */
  readonly pauses: number;
}

/** The watch folder at a glance. */
export interface EdgeStatus {
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  /** Why it is paused; empty where it is not. */
  readonly reason: string;
  /** Why nothing can be exported, though the share is there; empty where nothing is known to be in the way. */
  readonly fault: string;
  readonly readyFolder: string;
  readonly exportFolder: string;
  readonly quarantineFolder: string;
  readonly originalsFolder: string;
  /** Those in ready/ by name, then those that left it lately, the last first. */
  readonly knownFiles: readonly EdgeFile[];
  /** Name of the healthy recording that is tried first; null where there is none. */
  readonly currentReference: string | null;
  readonly counters: EdgeCounters;
  readonly lastScanAtMs: number | null;
}

/** What the contract's `GET /health` answers. */
export interface EdgeHealth {
  readonly status: "healthy" | "degraded" | "paused";
  readonly scanner_running: boolean;
  /** Recordings in ready/. */
  readonly known_files: number;
  readonly current_reference: string | null;
}

/** What the contract's `GET /stats` answers. */
export interface EdgeStats extends EdgeCounters {
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  readonly reason: string;
  readonly currentReference: string | null;
  readonly lastScanAtMs: number | null;
  /** Known files by state. */
  readonly files: Readonly<Partial<Record<FileState, number>>>;
}
