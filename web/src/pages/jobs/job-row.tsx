import type { JobView } from "../../api/types.ts";
import { Link } from "../../routing/link.tsx";
import { jobPath } from "../../routing/routes.ts";
import { formatCount, formatSeconds, formatShare, showMessage } from "../../ui/formats.ts";
import { Moment } from "../../ui/moment.tsx";
import { Name } from "../../ui/name.tsx";
import { ProgressBar } from "../../ui/progress-bar.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";
import { isEnded, jobDuration, jobTitle } from "./job-title.ts";

/** One job in the list. */
export function JobRow({ job, nowMs }: { readonly job: JobView; readonly nowMs: number }) {
  const title = jobTitle(job);
  return (
    <li className="job-row">
      <div className="job-row-name">
        <Link to={jobPath(job.id)} className="job-link">
          <Name text={title} />
        </Link>
        <span className="muted">
          {job.pipeline}
          {job.tasks.total > 1 && ` · ${formatCount(job.tasks.total, "task")}`}
          {job.attempt > 1 && ` · attempt ${job.attempt}`}
        </span>
      </div>
      <StatusBadge status={job.status} />
      <div className="job-row-progress">
        {isEnded(job.status) ? <Outcome job={job} /> : <Progress job={job} title={title} />}
      </div>
      <span className="muted job-row-age">
        <Moment at={job.createdAt} nowMs={nowMs} />
      </span>
    </li>
  );
}

function Progress({ job, title }: { readonly job: JobView; readonly title: string }) {
  if (job.status === "queued") return <span className="muted">Waiting for its turn</span>;
  return (
    <>
      <ProgressBar share={job.progress} label={`Progress of ${title}`} />
      <span className="muted number">
        {formatShare(job.progress)}
        {job.etaSeconds !== null && ` · ${formatSeconds(job.etaSeconds)} left`}
      </span>
    </>
  );
}

function Outcome({ job }: { readonly job: JobView }) {
  if (job.error !== null) return <span className="outcome look-failed-text">{showMessage(job.error.message)}</span>;
  const duration = jobDuration(job);
  return duration === null ? null : <span className="muted">took {duration}</span>;
}
