import type { DatabaseSync } from "node:sqlite";
import { isEnded, type Task, type TaskRef } from "../../jobs/job.ts";
import { endOfAttempt, shareOf } from "../../jobs/job-change.ts";
import type {
  AttemptOutcome,
  Beat,
  Completed,
  Completion,
  Decide,
  DecideOnTask,
  Lease,
  ReceiveOptions,
  TakenTask,
  TaskMessage,
} from "../../jobs/ports.ts";
import { countTasks, type JobDraft, type JobDrafts, moveDoneWeight } from "./job-drafts.ts";
import type { Messages } from "./messages.ts";
import { parseTaskRow, type Row } from "./rows.ts";

/** What attempts at tasks write; everything but `isWanted` runs inside its caller's transaction. */
export interface TaskAttempts {
  take(options: ReceiveOptions, decide: DecideOnTask, nowMs: number): TakenTask | undefined;
  takeNamed(ref: TaskRef, lease: Lease, decide: DecideOnTask, nowMs: number): TakenTask | undefined;
  /** Undefined where the attempt is not current any more. */
  complete(completion: Completion, decide: Decide, nowMs: number): (Completed & Elapsed) | undefined;
  /** Whether the attempt is current, and the beat changes nothing; reads alone. */
  isWanted(beat: Beat): { readonly isCurrent: boolean; readonly isNews: boolean };
  beat(beat: Beat, nowMs: number): boolean;
}

interface Elapsed {
  /** How long the attempt took by the wall clock; wrong, even negative, where that was set. */
  readonly elapsedMs: number;
}

/** Statements prepared once. */
function prepare(database: DatabaseSync) {
  const taskIs = "job_id = ?1 AND stage = ?2 AND idx = ?3";
  return {
    task: database.prepare(`SELECT * FROM tasks WHERE ${taskIs}`),
    current: database.prepare(`
      SELECT progress, phase, weight, started_at_ms FROM tasks
      WHERE ${taskIs} AND attempt = ?4 AND status = 'running'`),
    start: database.prepare(`
      UPDATE tasks SET status = 'running', attempt = ?4, losses = ?5, progress = 0, phase = '', started_at_ms = ?6,
        finished_at_ms = NULL WHERE ${taskIs}`),
    end: database.prepare(`
      UPDATE tasks SET status = ?4, output = ?5, error = ?6, progress = ?7, failures = failures + ?8, finished_at_ms = ?9
      WHERE ${taskIs}`),
    beat: database.prepare(`
      UPDATE tasks SET progress = ?4, phase = ?5, checkpoint = COALESCE(?6, checkpoint) WHERE ${taskIs}`),
  };
}

/** What attempts are written with. */
interface Writer {
  readonly sql: ReturnType<typeof prepare>;
  readonly drafts: JobDrafts;
  readonly messages: Messages;
}

/** Attempts on a database whose schema is in place. */
export function createTaskAttempts(database: DatabaseSync, drafts: JobDrafts, messages: Messages): TaskAttempts {
  const writer: Writer = { sql: prepare(database), drafts, messages };
  return {
    take: (options, decide, nowMs) => {
      const taken = takeTask(writer, options, decide, undefined, nowMs);
      return taken && { message: taken.message, ...finishTaking(writer, taken, nowMs) };
    },
    takeNamed: (ref, lease, decide, nowMs) => takeNamed(writer, ref, lease, decide, nowMs),
    complete: (completion, decide, nowMs) => completeTask(writer, completion, decide, nowMs),
    isWanted: (beat) => {
      const current = readCurrent(writer, beat);
      return { isCurrent: current !== undefined, isNews: current !== undefined && isNews(beat, current) };
    },
    beat: (beat, nowMs) => recordBeat(writer, beat, nowMs),
  };
}

/** A task begun in this transaction, its job not yet written. */
interface Taking {
  readonly message: TaskMessage;
  readonly task: Task;
  readonly draft: JobDraft;
  readonly lostWorkers: number;
}

function finishTaking({ drafts }: Writer, { draft, task, lostWorkers }: Taking, nowMs: number) {
  return { job: drafts.save(draft, nowMs), task, lostWorkers };
}

/** Receives messages until one leads to a task that can be begun; those that lead nowhere any more are taken off. */
function takeTask(
  writer: Writer,
  options: ReceiveOptions,
  decide: DecideOnTask,
  open: JobDraft | undefined,
  nowMs: number,
): Taking | undefined {
  const { messages, drafts } = writer;
  for (;;) {
    const message = messages.receive(options, nowMs);
    if (message === undefined) return undefined;
    const { jobId } = message.ref;
    const draft = open?.job.id === jobId ? open : drafts.load(jobId);
    const started = draft && startTask(writer, draft, message, decide, nowMs);
    if (draft !== undefined && started !== undefined) return { message, draft, ...started };
    messages.remove(message);
  }
}

function takeNamed(
  writer: Writer,
  ref: TaskRef,
  lease: Lease,
  decide: DecideOnTask,
  nowMs: number,
): TakenTask | undefined {
  const { messages, drafts } = writer;
  const draft = drafts.load(ref.jobId);
  if (draft === undefined) return undefined;
  const { pipeline: queue, priority } = draft.job;
  const message = messages.receiveNamed({ queue, priority, rank: draft.rank }, ref, lease, nowMs);
  if (message === undefined) return undefined;
  const started = startTask(writer, draft, message, decide, nowMs);
  if (started !== undefined) return { message, ...finishTaking(writer, { message, draft, ...started }, nowMs) };
  messages.remove(message);
  return undefined;
}

function startTask(
  { sql, drafts }: Writer,
  draft: JobDraft,
  { ref }: TaskMessage,
  decide: DecideOnTask,
  nowMs: number,
): { readonly task: Task; readonly lostWorkers: number } | undefined {
  const row = sql.task.get(ref.jobId, ref.stage, ref.index) as Row | undefined;
  if (row === undefined || isEnded(draft.job.status)) return undefined;
  const before = parseTaskRow(row);
  if (before.status !== "queued" && before.status !== "running") return undefined;
  // One that is found running had a worker that is gone: whatever ends an attempt in order leaves another status.
  const lostWorkers = before.status === "running" ? (row["losses"] as number) + 1 : 0;
  const attempt = before.attempt + 1;
  sql.start.run(ref.jobId, ref.stage, ref.index, attempt, lostWorkers, nowMs);
  moveDoneWeight(draft, before, 0);
  const begun = { status: "running", attempt, progress: 0, phase: "", startedAtMs: nowMs, finishedAtMs: null } as const;
  const task: Task = { ...before, ...begun };
  const change = decide(draft.job, task, lostWorkers);
  if (change !== undefined) drafts.apply(draft, change, nowMs);
  return { task, lostWorkers };
}

/** What a beat or an outcome has to know of the attempt. */
interface Current {
  readonly progress: number;
  readonly phase: string;
  readonly weight: number;
  readonly started_at_ms: number;
}

function readCurrent({ sql }: Writer, { ref, attempt }: Pick<Beat, "ref" | "attempt">): Current | undefined {
  return sql.current.get(ref.jobId, ref.stage, ref.index, attempt) as Current | undefined;
}

function completeTask(
  writer: Writer,
  completion: Completion,
  decide: Decide,
  nowMs: number,
): (Completed & Elapsed) | undefined {
  const { drafts } = writer;
  const { ref, outcome, message, takeNext } = completion;
  const current = readCurrent(writer, completion);
  const draft = current && drafts.load(ref.jobId);
  if (current === undefined || draft === undefined) return undefined;
  endAttempt(writer, draft, completion, current, nowMs);
  settleMessage(writer, message, outcome, nowMs);
  const change = decide(draft.job);
  if (change !== undefined) drafts.apply(draft, change, nowMs);
  // The next attempt begins in the same commit; where it is one of the same job, that is written once.
  const taking = takeNext && takeTask(writer, takeNext.from, takeNext.onStart, draft, nowMs);
  const job = drafts.save(draft, nowMs);
  const next = taking && { message: taking.message, ...finishTaking(writer, taking, nowMs) };
  return { job, next, elapsedMs: nowMs - current.started_at_ms };
}

function endAttempt(
  { sql }: Writer,
  draft: JobDraft,
  { ref, outcome }: Completion,
  { progress, weight }: Current,
  nowMs: number,
): void {
  const { jobId, stage, index } = ref;
  const end = endOfAttempt(outcome, progress, nowMs);
  const { status, finishedAtMs } = end;
  moveDoneWeight(draft, { stage, progress, weight }, end.doneShare);
  if (stage === "work" && finishedAtMs !== null) {
    countTasks(draft, { total: 0, succeeded: status === "succeeded" ? 1 : 0, failed: status === "failed" ? 1 : 0 });
  }
  const output = status === "succeeded" ? JSON.stringify(end.output) : null;
  const error = end.error === null ? null : JSON.stringify(end.error);
  const ended = [status, output, error, end.progress, end.failures, finishedAtMs] as const;
  sql.end.run(jobId, stage, index, ...ended);
}

function settleMessage({ messages }: Writer, message: TaskMessage, outcome: AttemptOutcome, nowMs: number): void {
  if (outcome.status === "retrying") messages.putBack(message, nowMs + outcome.delayMs);
  else if (outcome.status === "failed" && outcome.isBuried) messages.bury(message, outcome.error, nowMs);
  else messages.remove(message);
}

function isNews(beat: Beat, current: Current): boolean {
  const { phase, checkpoint, leaseMs } = beat;
  const isMoved = shareOf(beat.progress) !== current.progress || phase !== current.phase;
  return isMoved || checkpoint !== undefined || leaseMs !== undefined;
}

function recordBeat(writer: Writer, beat: Beat, nowMs: number): boolean {
  const { sql, drafts, messages } = writer;
  const { ref, phase, checkpoint, leaseMs, message } = beat;
  const current = readCurrent(writer, beat);
  if (current === undefined) return false;
  if (leaseMs !== undefined && !messages.extend(message, nowMs + leaseMs)) return false;
  const share = shareOf(beat.progress);
  const isMoved = share !== current.progress || phase !== current.phase;
  if (isMoved || checkpoint !== undefined) {
    const kept = checkpoint === undefined ? null : JSON.stringify(checkpoint);
    sql.beat.run(ref.jobId, ref.stage, ref.index, share, phase, kept);
  }
  const draft = isMoved ? drafts.load(ref.jobId) : undefined;
  if (draft !== undefined) {
    moveDoneWeight(draft, { stage: ref.stage, progress: current.progress, weight: current.weight }, share);
    draft.isChanged = true;
    drafts.save(draft, nowMs);
  }
  return true;
}
