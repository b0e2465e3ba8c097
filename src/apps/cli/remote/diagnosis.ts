import { isEnded } from "../../../jobs/job.ts";
import type { DeadLetterView, JobView, QueueView, StatsView, TaskView } from "../client/views.ts";
import { formatError, formatPercent } from "./text.ts";

/** What a diagnosis is made of: one job, and what it depends on. */
export interface Facts {
  readonly job: JobView;
  readonly tasks: readonly TaskView[];
  /** The queue of the job's pipeline; undefined where nothing was ever sent to it. */
  readonly queue: QueueView | undefined;
  readonly workers: StatsView["workers"];
  /** Those of the job. */
  readonly deadLetters: readonly DeadLetterView[];
}

/** Why a job stands where it stands, in one sentence. */
export interface Diagnosis {
  /** Whether it takes somebody to mend it. */
  readonly isStuck: boolean;
  readonly finding: string;
  /** What mends it, or shows more. */
  readonly command: string;
}

/** Finds the cause; the first that holds stands before all others. */
export function diagnose(facts: Facts): Diagnosis {
  return isEnded(facts.job.status) ? diagnoseEnded(facts) : (diagnoseHeld(facts) ?? diagnoseWaiting(facts));
}

function diagnoseEnded({ job, deadLetters }: Facts): Diagnosis {
  const { id, status, error } = job;
  if (status === "succeeded") return fine("The job has succeeded.", `reelmill jobs show ${id}`);
  if (status === "cancelled") return fine("The job was cancelled.", `reelmill jobs retry ${id}`);
  const cause = error === null ? "." : `: ${formatError(error)}`;
  const finding = status === "partial" ? `Some of the job's tasks failed${cause}` : `The job has failed${cause}`;
  const [letter] = deadLetters;
  const command = letter === undefined ? `reelmill jobs retry ${id}` : `reelmill dead-letters replay ${letter.id}`;
  return { isStuck: true, finding, command };
}

/** What keeps every task from being begun. */
function diagnoseHeld({ job, tasks, queue, workers }: Facts): Diagnosis | undefined {
  if (tasks.some(({ status }) => status === "running")) return undefined;
  if (queue?.isPaused === true) {
    const finding = `The queue "${queue.queue}" is paused and hands out nothing.`;
    return { isStuck: true, finding, command: `reelmill queues resume ${queue.queue}` };
  }
  if (!tasks.some(({ status }) => status === "queued")) {
    const finding = `None of the job's tasks is waiting or running, though it stands at "${job.stage}".`;
    return { isStuck: true, finding, command: `reelmill jobs cancel ${job.id} && reelmill jobs retry ${job.id}` };
  }
  if (workers.running === 0) {
    const finding = "No worker is running; one is started within a second, or the server's log says why not.";
    return { isStuck: true, finding, command: `reelmill logs ${job.id}` };
  }
  return undefined;
}

function diagnoseWaiting({ job, tasks, queue, workers }: Facts): Diagnosis {
  const running = tasks.find(({ status }) => status === "running");
  if (running !== undefined) {
    const phase = running.phase === "" ? "" : `, ${running.phase}`;
    const done = `${formatPercent(running.progress)}${phase}`;
    return fine(`"${running.label}" is being worked at (${done}).`, `reelmill jobs watch ${job.id}`);
  }
  const failed = tasks.find(({ status, error }) => status === "queued" && error !== null);
  if (failed !== undefined) {
    const finding = `"${failed.label}" is tried again soon, attempt ${failed.attempt} ended with: ${formatError(failed.error)}`;
    return fine(finding, `reelmill logs ${job.id}`);
  }
  if (workers.busy >= workers.max) {
    const others = queue === undefined ? "" : `; ${queue.waiting} tasks wait in its queue`;
    return fine(`The job waits for its turn: all ${workers.max} workers are busy${others}.`, "reelmill monitor");
  }
  return fine("The job's next task is due and about to be taken.", `reelmill jobs watch ${job.id}`);
}

function fine(finding: string, command: string): Diagnosis {
  return { isStuck: false, finding, command };
}
