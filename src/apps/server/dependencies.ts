import type { ShownLoan } from "../../adapters/local/object-lender.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Tracer } from "../../base/tracer.ts";
import type { ContainerCounter } from "../../jobs/container-starter.ts";
import type { Job, JobError } from "../../jobs/job.ts";
import type { LogReader } from "../../jobs/log-reader.ts";
import type { ObjectLender } from "../../jobs/object-lender.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import type { PipelineRegistry } from "../../jobs/pipeline.ts";
import type { JobStore, TaskQueue } from "../../jobs/ports.ts";
import type { JobService } from "../../jobs/service.ts";
import type { BatchSources } from "../../pipelines/repair/select-batch.ts";
import type { CostService } from "../cost/cost-service.ts";
import type { HealthCheck } from "../health-check.ts";
import type { ServerLimits } from "./limits.ts";

/** Worker processes, counted. */
export interface WorkerStats {
  /** How many there should be now. */
  readonly desired: number;
  readonly running: number;
  readonly busy: number;
  /** How many there may be. */
  readonly max: number;
}

/** The machine and the programs it has, for people. */
export interface SystemView {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  /** The file system of the data folder. */
  readonly disk: { readonly path: string; readonly totalBytes: number; readonly freeBytes: number };
  /** Null where it is not installed. */
  readonly ffmpeg: {
    readonly version: string;
    readonly path: string;
    readonly encoders: readonly string[];
    readonly missing: readonly string[];
  } | null;
  /** The configuration in effect, secrets left out. */
  readonly settings: readonly { readonly name: string; readonly value: string; readonly source: string }[];
}

/** A file in the watch folder. */
export interface WatchedFile {
  readonly name: string;
  readonly bytes: number;
  readonly state: string;
  /** From 0 to 1. */
  readonly progress: number;
  /** What is being done; empty where nothing is. */
  readonly phase: string;
  readonly error: JobError | null;
}

/** How the watch folder stands. */
export interface WatchStatus {
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  /** Why it is paused; empty where it is not. */
  readonly reason: string;
  /** Why nothing can be exported; empty where nothing is known to be in the way. */
  readonly fault: string;
  readonly readyFolder: string;
  readonly exportFolder: string;
  readonly quarantineFolder: string;
  readonly currentReference: string | null;
  readonly knownFiles: readonly WatchedFile[];
  readonly counters: object;
}

/** The watch folder, as far as the server has to do with it. */
export interface WatchService {
  /** Cheap: called several times a second while somebody looks on. */
  status(): WatchStatus;
  /** What `GET /stats` answers; JSON. */
  stats(): object;
  /** Looks at the folder now. */
  scanNow(): Promise<unknown>;
  /** Has one file of ready/ repaired. Throws PARAMS_INVALID, INPUT_NOT_FOUND, JOB_STATE, STORE_UNAVAILABLE. */
  repairNow(name: string): Promise<void>;
}

/** One news on its way to a webhook; times in milliseconds since 1970-01-01T00:00:00Z. */
export interface DeliveryRecord {
  readonly id: string;
  readonly jobId: string;
  readonly url: string;
  readonly format: string;
  readonly state: string;
  readonly createdAtMs: number;
  readonly nextAttemptAtMs: number | null;
  readonly attempts: readonly {
    readonly atMs: number;
    readonly durationMs: number;
    /** HTTP status; null where no answer came. */
    readonly status: number | null;
    readonly error: { readonly code: string; readonly message: string } | null;
  }[];
}

/** Deliveries of webhooks, as far as the server has to do with them. */
export interface DeliveryLog {
  /** Newest first. */
  list(options: { readonly jobId?: string | undefined; readonly limit: number }): Promise<readonly DeliveryRecord[]>;
  /** Sends it once more; undefined where there is none. */
  redeliver(id: string): Promise<unknown>;
}

/** What the batch API needs besides. A bucket is to its clients what the store keeps below one prefix. */
export interface BatchDependencies {
  /** What the store keeps below `uploads/`. */
  readonly inputBucket: string;
  /** What the store keeps below `outputs/`. */
  readonly outputBucket: string;
  /** Of the references that are kept, without a slash at its end. */
  readonly referencePrefix: string;
  /** The server as its clients reach it, without a slash at its end; undefined: as each asks for it. */
  readonly publicUrl: string | undefined;
  readonly lender: ObjectLender;
  /** Knows loans again that this server answers itself; throws FORBIDDEN. Undefined where the store answers them. */
  readonly requireLent: ((shown: ShownLoan) => void) | undefined;
  /** Asks for a container for the job of a batch, and gives its id; undefined: its tasks are taken by workers like all others. */
  readonly startContainer: ((job: Job) => Promise<string>) | undefined;
  /** Finds a reference for a batch. */
  readonly findHealthy: BatchSources["findHealthy"];
  /** Gives the signal that ends a search for a reference which begins now; left out where requests may take as long as they take. */
  readonly givePatience?: (() => AbortSignal) | undefined;
}

/** The built dashboard. */
export interface Dashboard {
  readonly folder: string;
  /** Where its pages are led into the store: scheme, host and port of that; undefined where they speak with this server alone. */
  readonly findStore: () => Promise<string | undefined>;
}

/** All that the server stands on; nothing of it is made or ended by the server. */
export interface ServerDependencies {
  readonly version: string;
  readonly service: JobService;
  readonly store: JobStore;
  readonly queue: TaskQueue;
  readonly objects: ObjectStore;
  readonly pipelines: PipelineRegistry;
  readonly log: Logger;
  readonly clock: Clock;
  /** Takes spans of requests that change something; left out where nobody asked for them. */
  readonly tracer?: Tracer | undefined;
  /**
   * SHA-256 of each API key that is taken, in hex. Where there is none, everyone who reaches the server may use it: it must then
   * be bound to loopback alone, and answers only to the names of that.
   */
  readonly apiKeyHashes: readonly string[];
  readonly limits: ServerLimits;
  /** Tells what jobs cost on AWS. */
  readonly cost: CostService;
  readonly workers: { stats(): WorkerStats };
  /** As `Parts` has it. */
  readonly countContainers: ContainerCounter["count"] | undefined;
  readonly system: () => Promise<SystemView>;
  /** Looks at what keeps jobs and objects. */
  readonly checkPlace: () => Promise<readonly HealthCheck[]>;
  /** What is not done for want of ffmpeg, looked for anew; undefined where it is there. */
  readonly ffmpegFault: () => Promise<string | undefined>;
  /** Gives the log lines of jobs. */
  readonly logs: LogReader;
  readonly batch: BatchDependencies;
  /** Undefined where no folder is watched. */
  readonly watch: WatchService | undefined;
  /** Undefined where no webhooks are sent. */
  readonly deliveries: DeliveryLog | undefined;
  /** Undefined where none was built. */
  readonly dashboard: Dashboard | undefined;
  /** Keeps unfinished uploads; made where it is missing. On the file system of the object store, so that nothing is copied. */
  readonly uploadFolder: string;
  /** Ends the streams to listeners and what runs in the background. */
  readonly signal: AbortSignal;
}
