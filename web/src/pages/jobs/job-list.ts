import type { JobFilter } from "../../api/api.ts";
import type { JobPage, JobView } from "../../api/types.ts";

/**
 * A page of jobs with what changed meanwhile: known jobs are renewed, and leave the page where they no longer match;
 * new ones come first, on the first page only.
 */
export function mergeJobs(page: JobPage, changed: ReadonlyMap<string, JobView>, filter: JobFilter): JobPage {
  const known = new Set(page.jobs.map(({ id }) => id));
  const kept = page.jobs.map((job) => newer(job, changed.get(job.id))).filter((job) => matches(job, filter));
  const added =
    filter.cursor === undefined
      ? [...changed.values()].filter((job) => !known.has(job.id) && matches(job, filter) && isOnPage(job, page))
      : [];
  const jobs = [...added, ...kept].toSorted((one, other) => other.createdAt.localeCompare(one.createdAt));
  return { ...page, jobs };
}

function newer(job: JobView, change: JobView | undefined): JobView {
  return change === undefined || change.updatedAt < job.updatedAt ? job : change;
}

function matches(job: JobView, { pipeline, statuses = [] }: JobFilter): boolean {
  return (
    (pipeline === undefined || job.pipeline === pipeline) && (statuses.length === 0 || statuses.includes(job.status))
  );
}

/** Jobs older than the page's last belong to a later page, if there is one. */
function isOnPage(job: JobView, page: JobPage): boolean {
  const last = page.jobs.at(-1);
  return page.nextCursor === null || last === undefined || job.createdAt >= last.createdAt;
}
