import type { Json } from "../../../base/json.ts";
import type { CliContext } from "../cli-context.ts";
import { connect } from "../client/connect.ts";
import { withQuery } from "../client/paths.ts";
import { JOB_PAGE, type JobView } from "../client/views.ts";
import { EXIT_OK } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import type { JobsListOptions } from "./options.ts";
import { formatEta, formatJson, formatPercent, formatTaskCounts, formatTime } from "./text.ts";

/** Lists jobs as a table or as JSON. Gives 0. Throws what `ApiClient` does. */
export async function runJobsListCommand(options: JobsListOptions, context: CliContext): Promise<number> {
  const client = await connect(options, context);
  const jobs: JobView[] = [];
  const raw: Json[] = [];
  let cursor: string | undefined;
  do {
    const { pipeline, status, limit } = options;
    const path = withQuery("/v1/jobs", { pipeline, status, limit: String(limit), cursor });
    const page = await client.ask(path, JOB_PAGE);
    jobs.push(...page.value.jobs);
    raw.push(...(page.raw as { readonly jobs: readonly Json[] }).jobs);
    // A server that hands out the same page for ever must not hold the command.
    cursor = page.value.nextCursor === cursor ? undefined : (page.value.nextCursor ?? undefined);
  } while (options.all && cursor !== undefined);
  if (options.json) context.writeOutput(formatJson({ jobs: raw, nextCursor: cursor ?? null }));
  else if (jobs.length === 0) context.writeOutput("No jobs.\n");
  else context.writeOutput(formatJobs(jobs));
  if (!options.json && cursor !== undefined) context.writeError("There are more; --all lists them too.\n");
  return EXIT_OK;
}

function formatJobs(jobs: readonly JobView[]): string {
  const columns = [
    { title: "id" },
    { title: "pipeline" },
    { title: "status" },
    { title: "done", align: "right" },
    { title: "tasks", align: "right" },
    { title: "left", align: "right" },
    { title: "created (UTC)" },
    { title: "error" },
  ] as const;
  const rows = jobs.map((job) => [
    job.id,
    job.pipeline,
    job.status,
    formatPercent(job.progress),
    formatTaskCounts(job),
    formatEta(job),
    formatTime(job.createdAt),
    job.error?.code ?? "",
  ]);
  return formatTable(columns, rows);
}
