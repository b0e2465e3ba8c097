import type { BacklogRule } from "../../infra/src/backlog-rule.ts";
import { NUMBERS } from "../../infra/src/numbers.ts";
import type { Resources } from "../../src/cost/resources.ts";
import type { JobKind } from "./jobs.ts";

/** Something that jobs are worked at by: a service that is scaled, or AWS Batch. */
export interface Work {
  readonly name: string;
  /** What a job is, for people. */
  readonly job: string;
  readonly kind: JobKind;
  /** What one worker, or one job's container, runs on. */
  readonly resources: Resources;
  /** Of one job. */
  readonly outputBytes: number;
  readonly capacity:
    | { readonly by: "backlog"; readonly messagesPerWorker: number; readonly maxWorkers: number }
    | { readonly by: "batch"; readonly places: number };
}

const VCPUS = NUMBERS.batch_max_vcpus.value;

/** What is assumed, in seconds; nothing of it was measured on AWS. */
export const ASSUMED = {
  /** A container of a service on Fargate, from the decision until it asks for tasks: network, image, start. */
  fargateStart: 60,
  /** AWS Batch looks for a place, then as above. */
  batchStart: 90,
  /** Of that, the container is paid for from when it fetches its image. */
  batchPaidStart: 60,
  /** A machine with a GPU, from the decision until ECS puts a worker on it. */
  machineBoot: 180,
  /** The worker on a machine that is there: image and start. */
  machineStart: 60,
  /** The capacity provider lets go of a machine without a worker after fifteen looks, one each minute. */
  machineLinger: 900,
  /** Figures of SQS are as old as that when an alarm sees them. */
  metricDelay: 60,
  /** Standard deviation of the logarithm of the time that tasks take. */
  spread: 0.5,
} as const;

/** 218.3 s for a minute on two cores (docs/reference/benchmarks.md), on four. */
const HLS_SECONDS = 218.3 / 2;
/** 15.8 s for a minute of 360p on two cores, nine times as many pixels. */
const CONVERT_SECONDS = 15.8 * 9;
/** Three seconds of work, and 1 GB read from and written to S3 at 100 MB/s. */
const REPAIR_SECONDS = 23;
/** Of one segment of five seconds; nothing of the pipeline is there yet. */
const STEREO_SECONDS = 60;

/** What the contract runs on AWS. */
export const WORKS: readonly Work[] = [
  {
    name: "hls",
    job: "one minute of 1080p, a ladder of five rungs, encoded by the processors of the machine",
    kind: { tasks: 1, medianSeconds: HLS_SECONDS, spread: ASSUMED.spread },
    resources: { kind: "machine", machine: "g4dn.xlarge", vcpu: 4, storageGb: NUMBERS.gpu_disk_gb.value },
    outputBytes: 85e6,
    capacity: {
      by: "backlog",
      messagesPerWorker: NUMBERS.gpu_messages_per_worker.value,
      maxWorkers: NUMBERS.gpu_max_capacity.value,
    },
  },
  {
    name: "stereo inference",
    job: "one minute in twelve segments",
    kind: { tasks: 12, medianSeconds: STEREO_SECONDS, spread: ASSUMED.spread },
    resources: {
      kind: "fargate",
      vcpu: NUMBERS.stereo_vcpu.value,
      memoryMb: NUMBERS.stereo_memory_mb.value,
      storageGb: NUMBERS.stereo_ephemeral_storage_gb.value,
    },
    outputBytes: 60e6,
    capacity: {
      by: "backlog",
      messagesPerWorker: NUMBERS.messages_per_worker.value,
      maxWorkers: NUMBERS.ecs_video_worker_max_capacity.value,
    },
  },
  {
    name: "convert",
    job: "one minute of 1080p to H.264",
    kind: { tasks: 1, medianSeconds: CONVERT_SECONDS, spread: ASSUMED.spread },
    resources: {
      kind: "fargate",
      vcpu: NUMBERS.convert_vcpu.value,
      memoryMb: NUMBERS.convert_memory_mb.value,
      storageGb: NUMBERS.job_ephemeral_storage_gb.value,
    },
    outputBytes: 60e6,
    capacity: { by: "batch", places: Math.floor(VCPUS / NUMBERS.convert_vcpu.value) },
  },
  {
    name: "repair",
    job: "a recording of 1 GB",
    kind: { tasks: 1, medianSeconds: REPAIR_SECONDS, spread: ASSUMED.spread },
    // By the contract's rule for up to 5 GB.
    resources: { kind: "fargate", vcpu: 1, memoryMb: 2048, storageGb: 30 },
    outputBytes: 1e9,
    capacity: { by: "batch", places: VCPUS },
  },
];

/** The rule of the stacks, with so many workers at most. */
export function ruleWith(messagesPerWorker: number, maxCapacity: number): BacklogRule {
  return {
    messagesPerWorker,
    maxCapacity,
    scaleOutCooldownSeconds: NUMBERS.scale_out_cooldown_seconds.value,
    scaleInCooldownSeconds: NUMBERS.scale_in_cooldown_seconds.value,
    idleMinutesToZero: NUMBERS.idle_minutes_to_zero.value,
  };
}
