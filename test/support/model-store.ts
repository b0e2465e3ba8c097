import type { Clock } from "../../src/base/clock.ts";
import { isEnded, type Job, type JobEvent, type Task, type TaskRef } from "../../src/jobs/job.ts";
import { changedJob, createQueuedJob, endOfAttempt, PLAN_TASK, queuedEvent } from "../../src/jobs/job-change.ts";
import type {
  Completion,
  Decide,
  JobChange,
  JobStore,
  NewJob,
  ReceiveOptions,
  TakenTask,
  TaskMessage,
} from "../../src/jobs/ports.ts";

/** A message, and until when nobody else gets it. */
interface Slip {
  readonly id: number;
  readonly ref: TaskRef;
  untilMs: number;
  receiveCount: number;
  receipt: string;
}

/** All that the model knows; one job. */
interface State {
  job: Job;
  readonly tasks: Map<string, Task & { readonly losses: number }>;
  readonly slips: Map<number, Slip>;
  readonly events: JobEvent[];
  lastId: number;
}

/** As much of a store as a worker asks for. */
export type ModelStore = Pick<JobStore, "get" | "listTasks" | "listEvents" | "takeTask" | "completeTask" | "beat"> & {
  /** Messages that are left. */
  readonly countMessages: () => number;
};

/**
 * What the port promises, in the fewest words: one job in memory, every method one step. It lets tens of thousands of schedules pass in seconds;
 * that the adapters keep the same promises is shown by their contract suites.
 */
export function createModelStore(added: NewJob, clock: Clock): ModelStore {
  const job = createQueuedJob(added, clock.nowMs(), 1);
  const state: State = { job, tasks: new Map(), slips: new Map(), events: [], lastId: 0 };
  apply(state, { addTasks: [PLAN_TASK], events: [queuedEvent(added)] }, clock.nowMs());
  return {
    get: async () => state.job,
    listTasks: async (_jobId, stage) =>
      [...state.tasks.values()].filter((task) => (stage ?? task.stage) === task.stage),
    listEvents: async () => state.events,
    takeTask: async (from, decide) => take(state, from, decide, clock.nowMs()),
    completeTask: async (completion, decide) => complete(state, completion, decide, clock.nowMs()),
    beat: async ({ ref, attempt }) => current(state, ref, attempt) !== undefined,
    countMessages: () => state.slips.size,
  };
}

function nameOf({ stage, index }: TaskRef): string {
  return `${stage}-${index}`;
}

function current(state: State, ref: TaskRef, attempt: number) {
  const task = state.tasks.get(nameOf(ref));
  return task?.status === "running" && task.attempt === attempt ? task : undefined;
}

function apply(state: State, change: JobChange, nowMs: number): void {
  state.job = changedJob(state.job, change, nowMs);
  for (const { stage, index, label, input, weight } of change.addTasks ?? []) {
    const ref = { jobId: state.job.id, stage, index };
    const empty = { output: null, error: null, checkpoint: null, startedAtMs: null, finishedAtMs: null };
    const fresh = { status: "queued", attempt: 0, failures: 0, losses: 0, progress: 0, phase: "" } as const;
    state.tasks.set(nameOf(ref), { ...ref, ...empty, ...fresh, label, input, weight });
    state.lastId += 1;
    state.slips.set(state.lastId, { id: state.lastId, ref, untilMs: 0, receiveCount: 0, receipt: "" });
    if (stage === "work") count(state, { total: 1, succeeded: 0, failed: 0 });
  }
  for (const { type, data = {} } of change.events ?? []) {
    state.events.push({ seq: state.events.length + 1, jobId: state.job.id, atMs: nowMs, type, data });
  }
}

function count(state: State, more: Job["tasks"]): void {
  const { total, succeeded, failed } = state.job.tasks;
  const tasks = { total: total + more.total, succeeded: succeeded + more.succeeded, failed: failed + more.failed };
  state.job = { ...state.job, tasks };
}

function take(
  state: State,
  { queues, owner, leaseMs }: ReceiveOptions,
  decide: Parameters<JobStore["takeTask"]>[1],
  nowMs: number,
): TakenTask | undefined {
  if (queues.length === 0) return undefined;
  for (const slip of state.slips.values()) {
    if (slip.untilMs > nowMs) continue;
    const before = state.tasks.get(nameOf(slip.ref));
    if (before === undefined || isEnded(state.job.status) || !["queued", "running"].includes(before.status)) {
      state.slips.delete(slip.id);
      continue;
    }
    slip.untilMs = nowMs + leaseMs;
    slip.receiveCount += 1;
    slip.receipt = `${owner} ${slip.receiveCount}`;
    const losses = before.status === "running" ? before.losses + 1 : 0;
    const task = { ...before, status: "running", attempt: before.attempt + 1, losses, startedAtMs: nowMs } as const;
    state.tasks.set(nameOf(slip.ref), task);
    const change = decide(state.job, task, losses);
    if (change !== undefined) apply(state, change, nowMs);
    const message: TaskMessage = { ...slip, queue: state.job.pipeline };
    return { message, job: state.job, task, lostWorkers: losses };
  }
  return undefined;
}

function complete(
  state: State,
  { ref, attempt, outcome, message, takeNext }: Completion,
  decide: Decide,
  nowMs: number,
) {
  const task = current(state, ref, attempt);
  if (task === undefined) return undefined;
  const { status, output, error, progress, failures, finishedAtMs } = endOfAttempt(outcome, task.progress, nowMs);
  const ended = { ...task, status, output, error, progress, finishedAtMs, failures: task.failures + failures };
  state.tasks.set(nameOf(ref), ended);
  const slip = state.slips.get(message.id);
  if (outcome.status !== "retrying") state.slips.delete(message.id);
  else if (slip?.receipt === message.receipt) slip.untilMs = nowMs + outcome.delayMs;
  if (ref.stage === "work") {
    count(state, { total: 0, succeeded: status === "succeeded" ? 1 : 0, failed: status === "failed" ? 1 : 0 });
  }
  const change = decide(state.job);
  if (change !== undefined) apply(state, change, nowMs);
  return { job: state.job, next: takeNext && take(state, takeNext.from, takeNext.onStart, nowMs) };
}
