import { z } from "zod";
import { formatCount, formatElapsedMs } from "../../base/units.ts";
import { busyMs } from "../../cost/busy-time.ts";
import { type MeasuredJob, spreadsOverCores } from "../../cost/pace.ts";
import type { Job, Task } from "../../jobs/job.ts";
import type { JobStore } from "../../jobs/ports.ts";
import { describeVariant } from "./describe-workload.ts";

/** What results of conversions and packages tell of their sizes. */
const SIZES = z.object({
  report: z.object({ inputBytes: z.number(), outputBytes: z.number(), durationSeconds: z.number().nullable() }),
});

/** Jobs that are looked through for some of the same kind, the newest ones. */
const LOOKED_AT = 200;
/** More would change the median little, and each costs a question to the store. */
const MAX_MEASURED = 20;

/** The newest succeeded jobs of a pipeline that did the same, measured; `cores` of the machine that their workers run on. */
export async function listMeasured(
  store: Pick<JobStore, "list" | "listTasks">,
  pipeline: string,
  variant: string,
  cores: number,
): Promise<readonly MeasuredJob[]> {
  const { jobs } = await store.list({ pipeline, statuses: ["succeeded"], limit: LOOKED_AT });
  const alike = jobs.filter((job) => describeVariant(pipeline, job.params) === variant).slice(0, MAX_MEASURED);
  return await Promise.all(alike.map(async (job) => measureJob(job, await store.listTasks(job.id), cores)));
}

/**
 * What a job took, by the last attempts at its tasks. Where its work spreads over all cores, those of the time in which any task ran; else
 * the tasks' own times, one after the other.
 */
export function measureJob(job: Job, tasks: readonly Task[], cores: number): MeasuredJob {
  const stretches = stretchesOf(tasks);
  const sizes = SIZES.safeParse(job.result).data?.report;
  const isSpread = spreadsOverCores(job.pipeline);
  const alone = stretches.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const worked = tasks.filter(({ stage }) => stage === "work");
  return {
    workSeconds: (isSpread ? busyMs(stretches) * cores : alone) / 1000,
    // A repair's tasks weigh as much as their files.
    bytes: sizes?.inputBytes ?? (isSpread ? 0 : worked.reduce((sum, { weight }) => sum + weight, 0)),
    mediaSeconds: sizes?.durationSeconds ?? null,
    outputBytes: sizes?.outputBytes ?? null,
    tasks: worked.length,
  };
}

/** How a job was measured, for people. */
export function describeMeasured({ pipeline }: Job, tasks: readonly Task[], cores: number): string {
  const stretches = stretchesOf(tasks);
  const on = spreadsOverCores(pipeline) ? ` on ${formatCount(cores, "core")}` : "";
  return `Measured here: ${formatCount(stretches.length, "task")}, at least one at work for ${formatElapsedMs(busyMs(stretches))}${on}.`;
}

function stretchesOf(tasks: readonly Task[]) {
  return tasks.flatMap(({ startedAtMs, finishedAtMs }) =>
    startedAtMs === null || finishedAtMs === null ? [] : [{ startMs: startedAtMs, endMs: finishedAtMs }],
  );
}
