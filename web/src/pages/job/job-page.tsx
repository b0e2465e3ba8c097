import type { JobView } from "../../api/types.ts";
import { useNow } from "../../live/use-now.ts";
import { Link } from "../../routing/link.tsx";
import { Connection } from "../../ui/connection.tsx";
import { Loading } from "../../ui/empty.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { PageHeading } from "../../ui/page-heading.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";
import { isEnded, jobTitle } from "../jobs/job-title.ts";
import { DeliveryList } from "./delivery-list.tsx";
import { EventList } from "./event-list.tsx";
import { JobActions } from "./job-actions.tsx";
import { JobFacts } from "./job-facts.tsx";
import { JobProgress } from "./job-progress.tsx";
import { JobResult } from "./job-result.tsx";
import { LogLines } from "./log-lines.tsx";
import { needsReference } from "./reference-need.ts";
import { ReferencePanel } from "./reference-panel.tsx";
import { TaskTable } from "./task-table.tsx";
import { type JobParts, useJob } from "./use-job.ts";

/** One job. */
export function JobPage({ id }: { readonly id: string }) {
  const parts = useJob(id);
  const { data: job, error } = parts.job;
  return (
    <>
      <PageHeading
        title={job === undefined ? "Job" : jobTitle(job)}
        above={
          <nav className="breadcrumb" aria-label="Where you are">
            <Link to="/">Jobs</Link>
            <span aria-hidden="true"> / </span>
            <code>{id}</code>
          </nav>
        }
        aside={
          job !== undefined && (
            <>
              <StatusBadge status={job.status} />
              {!isEnded(job.status) && <Connection state={parts.stream} />}
            </>
          )
        }
        actions={job !== undefined && <JobActions job={job} onChanged={parts.reload} />}
      />
      {error !== undefined && <ErrorNote error={error} title="The job cannot be shown as it is now" />}
      {job === undefined && error === undefined && <Loading what="the job" />}
      {job !== undefined && <JobDetails job={job} parts={parts} />}
    </>
  );
}

function JobDetails({ job, parts }: { readonly job: JobView; readonly parts: JobParts }) {
  const nowMs = useNow();
  return (
    <>
      {job.error !== null && (
        <ErrorNote
          error={job.error}
          title={job.status === "partial" ? "Part of the job did not succeed" : "The job did not succeed"}
          isNews={false}
        />
      )}
      {needsReference(job) && <ReferencePanel job={job} />}
      <JobProgress job={job} />
      <JobResult job={job} />
      <TaskTable tasks={parts.tasks} nowMs={nowMs} />
      <JobFacts job={job} nowMs={nowMs} />
      <EventList events={parts.events} />
      <LogLines jobId={job.id} isEnded={isEnded(job.status)} />
      <DeliveryList job={job} nowMs={nowMs} />
    </>
  );
}
