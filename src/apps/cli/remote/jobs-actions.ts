import type { Json } from "../../../base/json.ts";
import { printableLine } from "../../../base/printable.ts";
import type { CliContext } from "../cli-context.ts";
import { connect } from "../client/connect.ts";
import { pathPart } from "../client/paths.ts";
import { JOB, type JobView } from "../client/views.ts";
import { forEachId } from "./each.ts";
import type { RemoteOptions } from "./options.ts";
import { formatJson } from "./text.ts";

/** What may be done with a job. */
export type JobAction = "cancel" | "retry" | "replay";

/** Cancels, retries or replays jobs. Gives 0 where all of it was done, else 1. Throws USAGE and what `ApiClient` does. */
export async function runJobsActionCommand(
  action: JobAction,
  ids: readonly string[],
  options: RemoteOptions,
  context: CliContext,
): Promise<number> {
  // All before any: a mistyped one must not leave half of it done.
  for (const id of ids) pathPart(id, "job's id");
  const client = await connect(options, context);
  const jobs: Json[] = [];
  const work = async (id: string): Promise<void> => {
    const { raw, value } = await client.ask(`/v1/jobs/${id}/${action}`, JOB, { method: "POST" });
    jobs.push(raw);
    if (!options.json) context.writeOutput(`${printableLine(describe(action, id, value))}\n`);
  };
  const exitCode = await forEachId(ids, work, context);
  if (options.json) context.writeOutput(formatJson({ jobs }));
  return exitCode;
}

function describe(action: JobAction, id: string, job: JobView): string {
  if (action === "replay") return `${id}: replayed as ${job.id}`;
  return action === "cancel" ? `${id}: ${job.status}` : `${id}: started again, ${job.status}`;
}
