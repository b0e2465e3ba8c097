import { z } from "zod";
import type { Care } from "../../adapters/aws/care.ts";
import type { JobContainer, JobContainers } from "../../adapters/aws/job-containers.ts";
import type { Logger } from "../../base/log.ts";
import type { BatchRecords } from "../../jobs/batch-records.ts";
import type { JobStore, TaskQueue } from "../../jobs/ports.ts";
import { type Telling, tellJobEnd } from "../../jobs/tell-end.ts";
import { onGivenUp } from "../../jobs/transitions.ts";
import { parseEvent } from "./parse-event.ts";

/** Why the sweeper is called: the time has come, or AWS Batch gave a container up. */
const EVENT = z.union([
  z.object({ reason: z.literal("time") }),
  z.object({
    source: z.literal("aws.batch"),
    detail: z.object({
      jobId: z.string(),
      status: z.literal("FAILED"),
      statusReason: z.string().max(1000).default("AWS Batch does not say why"),
      container: z.object({
        command: z.array(z.string()).default([]),
        environment: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
      }),
    }),
  }),
]);

type LostContainer = Extract<z.output<typeof EVENT>, { readonly detail: unknown }>["detail"];

/** What the sweeper works with. */
export interface SweepPorts extends Telling {
  readonly care: Pick<Care, "settleStale" | "ringForgotten" | "takeTurn">;
  /** Undefined where there are none. */
  readonly containers: Pick<JobContainers, "startForgotten" | "find"> | undefined;
  readonly records: BatchRecords;
  readonly store: Pick<JobStore, "update">;
  readonly queue: Pick<TaskQueue, "depths">;
  /** Tells of jobs that ended; undefined where nothing is to be told. */
  readonly deliver: (() => Promise<void>) | undefined;
  /** Forgets what is older than it is kept for. */
  readonly sweepOld: () => Promise<void>;
  readonly log: Logger;
}

const HOUR_MS = 3600_000;

/**
 * Looks for what got lost: transitions left half-written, messages whose slips are gone, jobs without a container, containers without an end, news not told; once an hour for what is old. Each is tried
 * though another fails; throws the first failure at the end, or REQUEST_INVALID.
 */
export async function sweep(event: unknown, ports: SweepPorts): Promise<void> {
  const parsed = parseEvent(EVENT, event);
  if ("detail" in parsed) return await recordLostContainer(parsed.detail, ports);
  const { care, queue, deliver, sweepOld, log, metrics } = ports;
  const steps: (() => Promise<void>)[] = [
    care.settleStale,
    async () => {
      const queues = await care.ringForgotten();
      if (queues.length > 0) log.warn("Tasks waited of which no worker had been told.", { queues });
    },
    async () => await startForgotten(ports),
    async () => await deliver?.(),
    async () => {
      // Looked for only where somebody hears of it.
      const depths = metrics === undefined ? [] : await queue.depths();
      metrics?.observe({ DeadLetters: depths.reduce((sum, { dead }) => sum + dead, 0) });
    },
    async () => {
      if (await care.takeTurn("sweep-old", HOUR_MS)) await sweepOld();
    },
  ];
  const failures: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => failures.push(error));
  for (const error of failures) log.error("A part of the sweep failed.", { error });
  if (failures.length > 0) throw failures[0];
}

/** Throws the first failure once all is tried. */
async function startForgotten(ports: SweepPorts): Promise<void> {
  const { containers, log } = ports;
  if (containers === undefined) return;
  const { started, failed, lost } = await containers.startForgotten();
  if (started.length > 0) log.warn("Jobs waited for which no container had been asked.", { jobs: started });
  for (const { jobId, error } of failed) log.error("The job got no container.", { job_id: jobId, error });
  for (const container of lost) await giveUp(container.jobId, container, container.reason, ports);
  if (failed[0] !== undefined) throw failed[0].error;
}

/** Ends a job as failed whose container is gone. One that has ended, or was started again, stays as it is. */
async function giveUp(
  jobId: string,
  container: JobContainer | undefined,
  reason: string,
  { store, log, ...telling }: SweepPorts,
): Promise<void> {
  log.error("AWS Batch gave the job up.", { job_id: jobId, reason });
  const decide = onGivenUp({ code: "WORKER_LOST", message: `AWS Batch gave the job up: ${reason}` });
  const ended = await store.update(jobId, (job) =>
    container === undefined || container.attempt === job.attempt ? decide(job) : undefined,
  );
  if (ended !== undefined) tellJobEnd(telling, ended);
}

/** A container that was killed could record nothing itself. */
async function recordLostContainer(
  { jobId: containerId, statusReason, container }: LostContainer,
  ports: SweepPorts,
): Promise<void> {
  const { containers, records, log } = ports;
  const { command } = container;
  const ownId = command.includes("--job") ? command[command.indexOf("--job") + 1] : undefined;
  if (ownId !== undefined) {
    const known = await containers?.find(ownId);
    if (known === undefined || known.containerId === containerId)
      return await giveUp(ownId, known, statusReason, ports);
    log.warn("AWS Batch gave up a container beside the job's own.", { job_id: ownId, reason: statusReason });
    return;
  }
  const jobId = container.environment.find(({ name }) => name === "JOB_ID")?.value;
  const record = jobId === undefined ? undefined : await records.get(jobId);
  // What the container itself recorded says more.
  if (jobId === undefined || record?.status !== "PROCESSING") return;
  log.error("AWS Batch gave the job up.", { job_id: jobId, reason: statusReason });
  await records.record(jobId, { status: "FAILED", errorMessage: `AWS Batch gave the job up: ${statusReason}` });
}
