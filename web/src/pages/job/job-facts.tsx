import type { JobView } from "../../api/types.ts";
import { Link } from "../../routing/link.tsx";
import { jobPath } from "../../routing/routes.ts";
import { Facts } from "../../ui/facts.tsx";
import { Moment } from "../../ui/moment.tsx";
import { Name } from "../../ui/name.tsx";
import { Section } from "../../ui/section.tsx";
import { jobDuration } from "../jobs/job-title.ts";
import { titlePipeline } from "../jobs/plain-words.ts";

/** What is known of a job besides its course, and what it was asked for. */
export function JobFacts({ job, nowMs }: { readonly job: JobView; readonly nowMs: number }) {
  const moment = (at: string | null) => at !== null && <Moment at={at} nowMs={nowMs} />;
  return (
    <Section title="Details">
      <div className="card stack">
        <Facts
          items={{
            Kind: titlePipeline(job.pipeline),
            Attempt: String(job.attempt),
            Priority: String(job.priority),
            Created: moment(job.createdAt),
            Started: moment(job.startedAt) || "not yet",
            Ended: moment(job.finishedAt) || "not yet",
            Took: jobDuration(job),
            "Replay of": job.parentJobId === null ? null : <Link to={jobPath(job.parentJobId)}>{job.parentJobId}</Link>,
          }}
        />
        <details>
          <summary>Technical details</summary>
          <Facts
            items={{ "Idempotency key": job.idempotencyKey === null ? null : <Name text={job.idempotencyKey} /> }}
          />
          <pre className="code-block">{JSON.stringify(job.params, null, 2)}</pre>
        </details>
      </div>
    </Section>
  );
}
