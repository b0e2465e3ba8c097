import type { Durability } from "../adapters/local/database.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { BatchRecords } from "../jobs/batch-records.ts";
import type { ContainerCounter } from "../jobs/container-starter.ts";
import type { DeliveryStore, SendWebhook } from "../jobs/deliveries.ts";
import type { Job, JobWebhook } from "../jobs/job.ts";
import type { ObjectStore } from "../jobs/object-store.ts";
import type { PipelineRegistry } from "../jobs/pipeline.ts";
import type { JobStore, TaskQueue } from "../jobs/ports.ts";
import type { AwsHome } from "./aws-settings.ts";

/** Where a Reelmill keeps everything. Holds no secrets and can be given to another process. */
export type Home = LocalHome | AwsHome;

/** Where everything of one machine's Reelmill lies. */
export interface LocalHome {
  readonly backend: "local";
  /** Holds database, objects, unfinished uploads, work folders and logs. */
  readonly data: string;
  /** Where objects lie; default `objects` in the data folder. */
  readonly objects?: string;
  /** Folders elsewhere whose files are objects too, by the first segment of their keys. */
  readonly mounts: Readonly<Record<string, string>>;
}

/** Ports joined to their adapters. */
export interface Parts {
  readonly store: JobStore;
  readonly queue: TaskQueue;
  readonly objects: ObjectStore;
  readonly deliveries: DeliveryStore;
  readonly pipelines: PipelineRegistry;
  /** Parent of all processes' folders on this machine. */
  readonly workRoot: string;
  /** Unfinished uploads. */
  readonly uploadFolder: string;
  /** Takes the news of every job that ends, besides webhooks; undefined where nothing does. */
  readonly news: { readonly target: JobWebhook; readonly send: SendWebhook } | undefined;
  /** Hears of work that other machines brought for the queues; undefined where there are no others. */
  readonly listen: ((queues: readonly string[]) => Listener) | undefined;
  /** Asks for a container that works at the job, and gives its id; the same one however often. Undefined where there are no containers. */
  readonly startContainer: ((job: Job) => Promise<string>) | undefined;
  /** Counts the containers elsewhere that work at queues and jobs; undefined where there are none. */
  readonly countContainers: ContainerCounter["count"] | undefined;
  /** Throws STORE_UNAVAILABLE, STORE_REFUSED where what is kept cannot be reached. */
  requireStores(): Promise<void>;
  /** Removes what processes that are gone left half-written in the stores. */
  sweepTemporary(): Promise<void>;
  close(): void;
}

/** Hears of work that other machines brought. */
export interface Listener {
  /** Resolves when there may be something to do, after `timeoutMs`, or when the signal is aborted; never throws. */
  readonly wait: (timeoutMs: number, signal: AbortSignal) => Promise<void>;
  /** Removes what tells of work that is done; for a machine that waits for none. Never throws. */
  readonly tidy: (signal: AbortSignal) => Promise<void>;
  /** How often to look for what nobody tells of. */
  readonly lookMs: number;
  close(): Promise<void>;
}

/** What a process opens its parts with. */
export interface Opening {
  /** The process's name among those that work with the home. */
  readonly owner: string;
  /** What a commit outlives, on one machine. */
  readonly durability: Durability;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The parts of one job of the batch worker, which nobody else works at while they are open. */
export interface BatchParts extends Pick<Parts, "store" | "queue" | "pipelines" | "workRoot"> {
  /** Name of this process's folder in `workRoot`. */
  readonly workOwner: string;
  readonly objects: ObjectStore;
  readonly records: BatchRecords;
  /** Aborted where another worker has taken the job, as of a process that was frozen. */
  readonly lost: AbortSignal;
  /** Removes what a worker left half-written that was killed. */
  sweep(): Promise<void>;
  /** Lets go of the job; where it is done, what was kept to go on with is removed. */
  close(isDone: boolean): Promise<void>;
}

/** Names of a job of the batch worker, each fit to be one of a path. */
export interface BatchPlace {
  readonly bucket: string;
  readonly table: string;
  readonly jobId: string;
}
