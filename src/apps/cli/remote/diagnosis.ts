import { ERROR_CODES } from "../../../base/errors.ts";
import { formatElapsedMs } from "../../../base/units.ts";
import { isEnded } from "../../../jobs/job.ts";
import { CONTAINERS_LATE, nobodyAfterMs } from "../../nobody-works.ts";
import type { DeadLetterView, JobView, MessageView, QueueView, StatsView, TaskView } from "../client/views.ts";
import { formatError, formatPercent } from "./text.ts";

/** What a diagnosis is made of: one job, and what it depends on. */
export interface Facts {
  readonly job: JobView;
  readonly tasks: readonly TaskView[];
  /** Those of its tasks that are open. */
  readonly messages: readonly MessageView[];
  /** The queue of the job's pipeline; undefined where nothing was ever sent to it. */
  readonly queue: QueueView | undefined;
  /** Those of the server that was asked; others may run elsewhere. */
  readonly workers: StatsView["workers"];
  /** Whether containers are started for jobs, which then need no worker. */
  readonly startsContainers: boolean;
  /** Those of the job. */
  readonly deadLetters: readonly DeadLetterView[];
  readonly nowMs: number;
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
  if (isEnded(facts.job.status)) return diagnoseEnded(facts);
  return diagnoseLapsed(facts) ?? diagnoseHeld(facts) ?? diagnoseWaiting(facts);
}

function diagnoseEnded({ job, deadLetters }: Facts): Diagnosis {
  const { id, status, error } = job;
  if (status === "succeeded") return fine("The job has succeeded.", `reelmill jobs show ${id}`);
  if (status === "cancelled") return fine("The job was cancelled.", `reelmill jobs retry ${id}`);
  const cause = error === null ? "." : `: ${formatError(error)}`;
  const finding = status === "partial" ? `Some of the job's tasks failed${cause}` : `The job has failed${cause}`;
  const [letter] = deadLetters;
  if (letter !== undefined) return stuck(finding, `reelmill dead-letters replay ${letter.id}`);
  if (error === null || !isLasting(error.code)) return stuck(finding, `reelmill jobs retry ${id}`);
  return stuck(`${finding}. It fails again until that is mended.`, `reelmill jobs show ${id}`);
}

/** Whether trying again does not help by itself. A worker that was lost may have been so for want of memory. */
function isLasting(code: string): boolean {
  if (code === "WORKER_LOST" || !Object.hasOwn(ERROR_CODES, code)) return false;
  return !ERROR_CODES[code as keyof typeof ERROR_CODES].retryable;
}

function startAgain({ id }: Facts["job"]): string {
  return `reelmill jobs cancel ${id} && reelmill jobs retry ${id}`;
}

/** A task whose worker gives no sign of life any more, and that nobody has taken over. */
function diagnoseLapsed({ job, messages, tasks, workers, startsContainers, nowMs }: Facts): Diagnosis | undefined {
  const lapsed = messages.find(({ state }) => state === "lapsed");
  if (lapsed === undefined || messages.some(({ state }) => state === "held")) return undefined;
  const task = tasks.find(({ stage, index }) => stage === lapsed.stage && index === lapsed.index);
  const forMs = sinceMs(lapsed.until, nowMs);
  const holder = `the worker that held "${task?.label ?? lapsed.stage}" (${lapsed.holder}) gives no sign of life`;
  const finding = `${holder}; its lease ran out ${formatElapsedMs(forMs)} ago, and nobody has taken the task over`;
  if (forMs <= nobodyAfterMs(startsContainers))
    return fine(`${capital(finding)} yet.`, `reelmill jobs watch ${job.id}`);
  if (workers.max > 0 && workers.busy >= workers.max)
    return fine(`${capital(finding)}: all ${workers.max} workers of this server are busy.`, "reelmill monitor");
  if (startsContainers) return stuck(`${capital(finding)}; ${CONTAINERS_LATE}.`, startAgain(job));
  return stuck(`${capital(finding)}.`, workers.max === 0 ? "reelmill worker" : "reelmill doctor");
}

/** What keeps every task from being begun. */
function diagnoseHeld({ job, tasks, messages, queue, workers, startsContainers, nowMs }: Facts): Diagnosis | undefined {
  if (tasks.some(({ status }) => status === "running")) return undefined;
  if (queue?.isPaused === true) {
    return stuck(
      `The queue "${queue.queue}" is paused and hands out nothing.`,
      `reelmill queues resume ${queue.queue}`,
    );
  }
  const again = startAgain(job);
  if (!tasks.some(({ status }) => status === "queued"))
    return stuck(`None of the job's tasks is waiting or running, though it stands at "${job.stage}".`, again);
  if (messages.length === 0) return stuck("The job's tasks wait, but no message in its queue leads to them.", again);
  const due = messages.find(({ state }) => state === "due");
  const isFree = queue === undefined || queue.inFlight === 0;
  if (due === undefined || !isFree) return undefined;
  const dueForMs = sinceMs(due.until ?? due.sentAt, nowMs);
  if (dueForMs <= nobodyAfterMs(startsContainers)) return undefined;
  const since = formatElapsedMs(dueForMs);
  if (startsContainers) {
    return stuck(`Nobody takes the job's task, which is due since ${since}; ${CONTAINERS_LATE}.`, again);
  }
  if (workers.max === 0) {
    const finding = `No worker listens to the queue "${job.pipeline}": the job's task is due since ${since}, and this server has no workers of its own.`;
    return stuck(finding, "reelmill worker");
  }
  if (workers.busy >= workers.max) return undefined;
  const finding = `No worker takes the job's task, which is due since ${since}; the server's log says what keeps them from it.`;
  return stuck(finding, "reelmill doctor");
}

function diagnoseWaiting({ job, tasks, messages, queue, workers, nowMs }: Facts): Diagnosis {
  const running = tasks.find(({ status }) => status === "running");
  if (running !== undefined) {
    const phase = running.phase === "" ? "" : `, ${running.phase}`;
    const done = `${formatPercent(running.progress)}${phase}`;
    return fine(`"${running.label}" is being worked at (${done}).`, `reelmill jobs watch ${job.id}`);
  }
  const failed = tasks.find(({ status, error }) => status === "queued" && error !== null);
  if (failed !== undefined) {
    const message = messages.find(({ stage, index }) => stage === failed.stage && index === failed.index);
    const left = message?.state === "put-off" ? -sinceMs(message.until, nowMs) : 0;
    const when = left > 0 ? `in ${formatElapsedMs(left)}` : "soon";
    const finding = `"${failed.label}" is tried again ${when}, attempt ${failed.attempt} ended with: ${formatError(failed.error)}`;
    return fine(finding, `reelmill logs ${job.id}`);
  }
  const waiting = queue === undefined ? "" : `; ${queue.waiting} tasks wait in its queue`;
  if (workers.max > 0 && workers.busy >= workers.max)
    return fine(`The job waits for its turn: all ${workers.max} workers are busy${waiting}.`, "reelmill monitor");
  if (queue !== undefined && queue.inFlight > 0) {
    const finding = `The job waits for its turn: ${queue.inFlight} tasks of its queue are worked at${waiting}.`;
    return fine(finding, "reelmill monitor");
  }
  return fine("The job's next task is due and about to be taken.", `reelmill jobs watch ${job.id}`);
}

/** Negative for what is still to come; 0 where there is no time. */
function sinceMs(time: string | null, nowMs: number): number {
  return time === null ? 0 : nowMs - Date.parse(time);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function fine(finding: string, command: string): Diagnosis {
  return { isStuck: false, finding, command };
}

function stuck(finding: string, command: string): Diagnosis {
  return { isStuck: true, finding, command };
}
