import type { Json } from "../base/json.ts";
import { isEnded, type Job, type JobError, type Stage, type TaskRef } from "./job.ts";
import type { PlannedTask } from "./pipeline.ts";
import type { AttemptOutcome, Decide, DecideOnTask, JobChange, NewEvent, NewTask } from "./ports.ts";

/*
 * Everything that moves a job from one state to another, as pure functions; a store applies them under its own lock.
 *
 *   queued → running (plan → work → finish) → succeeded | partial | failed
 *   queued, running → cancelled;   partial, failed, cancelled → running by a retry
 */

const FINISH: NewTask = { stage: "finish", index: 0, label: "finish", input: null, weight: 1 };

/** When an attempt begins: a queued job becomes running. */
export const onStarted: DecideOnTask = (job, { stage, index, attempt, label }, lostWorkers) => {
  const events: NewEvent[] = [];
  if (job.status === "queued") events.push({ type: "job.started" });
  if (lostWorkers > 0) events.push({ type: "task.lost", data: { stage, index, lostWorkers } });
  if (stage === "work" || attempt > 1) events.push({ type: "task.started", data: { stage, index, attempt, label } });
  return job.status === "running" && events.length === 0 ? undefined : { status: "running", events };
};

/** What a stage brought. */
export type StageYield =
  | { readonly stage: "plan"; readonly tasks: readonly PlannedTask<Json>[] }
  | { readonly stage: "work"; readonly output: Json }
  | { readonly stage: "finish"; readonly result: Json; readonly firstError: JobError | undefined };

/** When an attempt succeeded. */
export function onSucceeded(ref: TaskRef, attempt: number, brought: StageYield): Decide {
  return (job) => {
    if (isEnded(job.status)) return undefined;
    switch (brought.stage) {
      case "plan":
        return brought.tasks.length === 0 ? enter("finish", [FINISH]) : enter("work", brought.tasks.map(toNewTask));
      case "work":
        return joined(job, taskEvent("task.succeeded", ref, attempt, {}));
      case "finish":
        return ending(job, brought.result, brought.firstError);
    }
  };
}

function toNewTask({ label, input, weight = 1 }: PlannedTask<Json>, index: number): NewTask {
  return { stage: "work", index, label, input, weight };
}

function enter(stage: Stage, addTasks: readonly NewTask[]): JobChange {
  return { stage, addTasks, events: [{ type: "job.stage", data: { stage, tasks: addTasks.length } }] };
}

/** The last of the tasks to be done moves the job on; only while it still stands at work, so that this happens once. */
function joined({ stage, tasks }: Job, event: NewEvent): JobChange {
  const isDone = stage === "work" && tasks.succeeded + tasks.failed >= tasks.total;
  const change = isDone ? enter("finish", [FINISH]) : {};
  return { ...change, events: [event, ...(change.events ?? [])] };
}

function ending(job: Job, result: Json, firstError: JobError | undefined): JobChange {
  const { failed, succeeded } = job.tasks;
  const status = failed === 0 ? "succeeded" : succeeded > 0 ? "partial" : "failed";
  return { status, result, error: firstError ?? null, events: [{ type: `job.${status}` }] };
}

/** When an attempt failed for good. */
export function onFailed(ref: TaskRef, attempt: number, error: JobError, policy: "fail-job" | "continue"): Decide {
  return (job) => {
    if (isEnded(job.status)) return undefined;
    const event = taskEvent("task.failed", ref, attempt, { code: error.code, message: error.message });
    if (ref.stage === "work" && policy === "continue") return joined(job, event);
    return failing(error, [event]);
  };
}

function failing(error: JobError, events: readonly NewEvent[]): JobChange {
  const failed: NewEvent = { type: "job.failed", data: { code: error.code, message: error.message } };
  return { status: "failed", error, cancelTasks: true, events: [...events, failed] };
}

/** When an attempt is to be tried again. */
export function onRetrying(ref: TaskRef, attempt: number, outcome: AttemptOutcome & { status: "retrying" }): Decide {
  const { error, delayMs } = outcome;
  const data = { code: error.code, message: error.message, delayMs };
  return () => ({ events: [taskEvent("task.retrying", ref, attempt, data)] });
}

function taskEvent(
  type: NewEvent["type"],
  { stage, index }: TaskRef,
  attempt: number,
  more: Readonly<Record<string, Json>>,
): NewEvent {
  return { type, data: { stage, index, attempt, ...more } };
}

/** When whoever leads a job through its stages gives it up; undefined where it has ended. */
export function onGivenUp(error: JobError): Decide {
  return (job) => (isEnded(job.status) ? undefined : failing(error, []));
}

/** A user's wish to stop a job; undefined where it has ended. */
export function onCancel(job: Job): JobChange | undefined {
  if (isEnded(job.status)) return undefined;
  return { status: "cancelled", cancelTasks: true, events: [{ type: "job.cancelled" }] };
}

/** A user's wish to try again what failed or was cancelled; undefined where the job has not ended, or succeeded. */
export function onRetry(job: Job): JobChange | undefined {
  const { status, tasks, stage } = job;
  if (!isEnded(status) || status === "succeeded") return undefined;
  // Whatever is missing of the work has to be done before the end can be.
  const isWorkMissing = tasks.total > 0 && tasks.succeeded < tasks.total;
  return reopened(job, isWorkMissing ? "work" : stage, "unfinished");
}

/**
 * A user's wish to try one failed task again; undefined where the job succeeded, or has come to another stage. A job that ended
 * gets back what was cancelled with it, too: it could not end otherwise.
 */
export function onRetryTask(ref: TaskRef): Decide {
  return (job) => {
    const { status, stage } = job;
    if (status === "succeeded") return undefined;
    const isReached = stage === ref.stage || (isEnded(status) && stage === "finish" && ref.stage === "work");
    return isReached ? reopened(job, ref.stage, [ref]) : undefined;
  };
}

function reopened(job: Job, stage: Stage, reopenTasks: "unfinished" | readonly TaskRef[]): JobChange {
  const hasEnded = isEnded(job.status);
  return {
    status: hasEnded ? "queued" : job.status,
    stage,
    error: null,
    result: null,
    isRestart: hasEnded,
    reopenTasks,
    events: [{ type: "job.retried" }],
  };
}
