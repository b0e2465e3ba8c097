import type { JobFilter } from "../../api/api.ts";
import { useApi } from "../../auth/api-context.ts";
import { refreshMsOf } from "../../live/use-event-stream.ts";
import { useLoaded } from "../../live/use-loaded.ts";
import { useNow } from "../../live/use-now.ts";
import { Link } from "../../routing/link.tsx";
import { usePlace } from "../../routing/location.ts";
import { Connection } from "../../ui/connection.tsx";
import { Empty, Loading } from "../../ui/empty.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { PageHeading } from "../../ui/page-heading.tsx";
import { Section } from "../../ui/section.tsx";
import { Composer } from "./composer.tsx";
import { JobFilterBar, jobsPath, readStatuses } from "./job-filter.tsx";
import { JobRow } from "./job-row.tsx";
import { useJobList } from "./use-job-list.ts";

/** All jobs, and the place to start one. */
export function JobsPage() {
  const api = useApi();
  const { query } = usePlace();
  const filter: JobFilter = {
    statuses: readStatuses(query.get("status")),
    pipeline: query.get("pipeline") ?? undefined,
    cursor: query.get("cursor") ?? undefined,
  };
  const list = useJobList(filter);
  const stats = useLoaded(api.getStats, "stats", Math.min(10_000, refreshMsOf(list.stream)));
  const pipelines = useLoaded(api.listPipelines, "pipelines", null);
  return (
    <>
      <PageHeading title="Jobs" aside={<Connection state={list.stream} />} />
      <Composer pipelines={pipelines} />
      <Section title="All jobs">
        <JobFilterBar
          statuses={filter.statuses ?? []}
          pipeline={filter.pipeline}
          pipelines={pipelines.data?.map(({ name }) => name) ?? []}
          counts={stats.data?.jobs.byStatus}
        />
        {list.error !== undefined && <ErrorNote error={list.error} title="The list is not up to date" />}
        <JobList list={list} filter={filter} />
      </Section>
    </>
  );
}

function JobList({ list, filter }: { readonly list: ReturnType<typeof useJobList>; readonly filter: JobFilter }) {
  const nowMs = useNow();
  const { data } = list;
  if (data === undefined) return list.error === undefined ? <Loading what="jobs" /> : null;
  if (data.jobs.length === 0) {
    const isFiltered = (filter.statuses ?? []).length > 0 || filter.pipeline !== undefined;
    return (
      <Empty title={isFiltered ? "No such jobs" : "No jobs yet"}>
        <p className="muted">
          {isFiltered ? "Choose another filter to see more." : "Drop a recording onto this page to start the first."}
        </p>
      </Empty>
    );
  }
  const statuses = filter.statuses ?? [];
  return (
    <>
      <ol className="job-list card">
        {data.jobs.map((job) => (
          <JobRow key={job.id} job={job} nowMs={nowMs} />
        ))}
      </ol>
      <nav className="pager" aria-label="Pages of jobs">
        {filter.cursor !== undefined && (
          <Link className="button button-plain" to={jobsPath(statuses, filter.pipeline)}>
            Newest
          </Link>
        )}
        {data.nextCursor !== null && (
          <Link className="button button-plain" to={jobsPath(statuses, filter.pipeline, data.nextCursor)}>
            Older
          </Link>
        )}
      </nav>
    </>
  );
}
