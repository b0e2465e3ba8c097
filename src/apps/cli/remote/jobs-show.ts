import type { CliContext } from "../cli-context.ts";
import { connect } from "../client/connect.ts";
import { pathPart } from "../client/paths.ts";
import { JOB, TASKS } from "../client/views.ts";
import { EXIT_OK } from "../exit-codes.ts";
import { formatJob } from "./job-text.ts";
import type { RemoteOptions } from "./options.ts";
import { formatJson } from "./text.ts";

/** Shows a job with its tasks, as text or as JSON. Gives 0. Throws JOB_NOT_FOUND, USAGE and what `ApiClient` does. */
export async function runJobsShowCommand(id: string, options: RemoteOptions, context: CliContext): Promise<number> {
  const path = `/v1/jobs/${pathPart(id, "job's id")}`;
  const client = await connect(options, context);
  const job = await client.ask(path, JOB);
  const tasks = await client.ask(`${path}/tasks`, TASKS);
  if (options.json) context.writeOutput(formatJson({ job: job.raw, ...(tasks.raw as object) }));
  else context.writeOutput(formatJob(job.value, tasks.value.tasks));
  return EXIT_OK;
}
