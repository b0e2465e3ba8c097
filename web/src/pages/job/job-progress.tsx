import type { JobView, Stage } from "../../api/types.ts";
import { formatCount, formatSeconds, formatShare } from "../../ui/formats.ts";
import { Icon } from "../../ui/icon.tsx";
import { ProgressBar } from "../../ui/progress-bar.tsx";
import { isEnded, jobDuration } from "../jobs/job-title.ts";

const STAGES: readonly { readonly stage: Stage; readonly label: string }[] = [
  { stage: "plan", label: "Plan" },
  { stage: "work", label: "Work" },
  { stage: "finish", label: "Finish" },
];

/** How far a job is: its three steps, and the share that is done. */
export function JobProgress({ job }: { readonly job: JobView }) {
  const current = STAGES.findIndex(({ stage }) => stage === job.stage);
  const hasSucceeded = job.status === "succeeded" || job.status === "partial";
  return (
    <div className="card job-progress">
      <ol className="stages" aria-label="Steps">
        {STAGES.map(({ stage, label }, index) => {
          const state = stageState(job, index, current, hasSucceeded);
          return (
            <li key={stage} className={`stage stage-${state}`} aria-current={state === "current" ? "step" : undefined}>
              <span className="stage-mark">
                {state === "done" && <Icon name="succeeded" />}
                {state === "stopped" && <Icon name="failed" />}
                {(state === "current" || state === "ahead") && index + 1}
              </span>
              {label}
              <span className="visually-hidden">: {state}</span>
            </li>
          );
        })}
      </ol>
      {!hasSucceeded && (
        <div className="job-progress-bar">
          <ProgressBar share={job.progress} label="Progress of the job" look={lookOf(job)} />
          <span className="number">{formatShare(job.progress)}</span>
        </div>
      )}
      <p className="muted">{describe(job)}</p>
    </div>
  );
}

function stageState(job: JobView, index: number, current: number, hasSucceeded: boolean): string {
  if (hasSucceeded || index < current) return "done";
  if (index > current || job.status === "queued") return "ahead";
  return isEnded(job.status) ? "stopped" : "current";
}

function lookOf({ status }: JobView): string {
  return isEnded(status) ? status : "running";
}

function describe(job: JobView): string {
  const { total, succeeded, failed } = job.tasks;
  const tasks = total === 0 ? null : `${succeeded} of ${formatCount(total, "task")} done`;
  const failures = failed === 0 ? null : `${failed} failed`;
  const eta = job.etaSeconds === null || isEnded(job.status) ? null : `about ${formatSeconds(job.etaSeconds)} left`;
  const waiting = job.status === "queued" ? "Waiting for its turn" : null;
  const duration = jobDuration(job);
  const took = duration === null ? null : `took ${duration}`;
  return [waiting, tasks, failures, eta, took].filter((part) => part !== null).join(" · ");
}
