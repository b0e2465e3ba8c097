import type { Json } from "../base/json.ts";
import type { Job, JobError, JobEvent, JobEventType, JobStatus, JobWebhook, Stage, Task, TaskRef } from "./job.ts";

/** A job to be created. */
export interface NewJob {
  readonly id: string;
  readonly pipeline: string;
  readonly params: Json;
  readonly priority: number;
  readonly parentJobId: string | null;
  readonly webhook: JobWebhook | null;
  /** Left out: it belongs to no trace of somebody else's. */
  readonly traceparent?: string | undefined;
  readonly idempotency: Idempotency | null;
}

/** Makes creating a job twice the same as creating it once. */
export interface Idempotency {
  readonly key: string;
  /** Digest of what was asked for: the same key with another one is a conflict. */
  readonly bodyHash: string;
  /** How long the key is remembered, ≥ 24 h. */
  readonly keepMs: number;
}

/** A task to be added; its message goes out with it. */
export interface NewTask {
  readonly stage: Stage;
  readonly index: number;
  readonly label: string;
  readonly input: Json;
  readonly weight: number;
}

/** An event to be appended. */
export interface NewEvent {
  readonly type: JobEventType;
  readonly data?: Json;
}

/** What is to change about a job; what is not named stays. All of it is committed together, or nothing. */
export interface JobChange {
  readonly status?: JobStatus;
  readonly stage?: Stage;
  readonly error?: JobError | null;
  readonly result?: Json;
  /** One more start of the job. */
  readonly isRestart?: boolean;
  /** Queued tasks, each with its message. */
  readonly addTasks?: readonly NewTask[];
  /** Tasks of the stage at which the job then is that go back to their queue: `failed` and `cancelled` ones, or of the failed ones only those named. */
  readonly reopenTasks?: "unfinished" | readonly TaskRef[];
  /** Tasks that are not done become `cancelled`, their messages go. */
  readonly cancelTasks?: boolean;
  readonly events?: readonly NewEvent[];
}

/** Gives the change for a job as it is at that instant, or undefined to leave it. Must be pure: it may be called again. */
export type Decide = (job: Job) => JobChange | undefined;

/** As `Decide`, where a task is being started; the task as it then is, and how many workers in a row ended in the middle of it. */
export type DecideOnTask = (job: Job, task: Task, lostWorkers: number) => JobChange | undefined;

/** A task whose attempt has begun, and the message that led to it. */
export interface TakenTask {
  readonly message: TaskMessage;
  readonly job: Job;
  readonly task: Task;
  /** Workers in a row that ended in the middle of the task. */
  readonly lostWorkers: number;
}

/** Which jobs to list; newest first. */
export interface JobFilter {
  readonly pipeline?: string | undefined;
  readonly statuses?: readonly JobStatus[] | undefined;
  readonly parentJobId?: string | undefined;
  /** The job that a creation with this key would give; none once the key has run out. */
  readonly idempotencyKey?: string | undefined;
  /** From 1 to 500. */
  readonly limit: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** A page of jobs. */
export interface JobPage {
  readonly jobs: readonly Job[];
  /** Undefined on the last page. */
  readonly nextCursor: string | undefined;
}

/** How an attempt at a task ended. */
export type AttemptOutcome =
  | { readonly status: "succeeded"; readonly output: Json }
  /** `isBuried` leaves the message as a dead letter. */
  | { readonly status: "failed"; readonly error: JobError; readonly isBuried: boolean }
  /** Goes back to the queue for a while; `isFailure` where it is the task's own fault, not that of a worker that was stopped. */
  | {
      readonly status: "retrying";
      readonly error: JobError;
      readonly delayMs: number;
      readonly isFailure: boolean;
    };

/** Tells how an attempt ended. */
export interface Completion {
  readonly ref: TaskRef;
  readonly attempt: number;
  readonly outcome: AttemptOutcome;
  /** The message that led to the attempt; taken off the queue, or put back, with the same commit. */
  readonly message: TaskMessage;
  /** Where set, the next task is taken with the same commit, as `takeTask` would. */
  readonly takeNext: { readonly from: ReceiveOptions; readonly onStart: DecideOnTask } | undefined;
}

/** What a completion led to. */
export interface Completed {
  readonly job: Job;
  /** The next task, its attempt begun; undefined where none was due or wanted. */
  readonly next: TakenTask | undefined;
}

/** A sign of life from a running attempt. */
export interface Beat {
  readonly ref: TaskRef;
  readonly attempt: number;
  /** From 0 to 1. */
  readonly progress: number;
  readonly phase: string;
  /** Replaces what was kept, where given. */
  readonly checkpoint?: Json;
  readonly message: TaskMessage;
  /** Where given, prolongs the message's lease from now on. */
  readonly leaseMs?: number;
}

/** How many jobs there are in each state. */
export interface JobCounts {
  readonly byStatus: Readonly<Record<JobStatus, number>>;
  /** Ended within the last 24 hours. */
  readonly endedLastDay: number;
}

/** Keeps jobs, tasks and events. */
export interface JobStore {
  /** Stores a job with its plan task; gives the first job where the idempotency key is known. Throws IDEMPOTENCY_CONFLICT. */
  create(job: NewJob): Promise<{ readonly job: Job; readonly isNew: boolean }>;
  get(jobId: string): Promise<Job | undefined>;
  /** Throws CURSOR_INVALID. */
  list(filter: JobFilter): Promise<JobPage>;
  /** `changeSeq` of the last change of all; 0 before the first. */
  lastChange(): Promise<number>;
  /** Jobs changed after `changeSeq`, in the order of their changes. */
  listChanged(changeSeq: number, limit: number): Promise<readonly Job[]>;
  /** Applies the change decided; gives the job as it then is, undefined where there is none or nothing was to change. */
  update(jobId: string, decide: Decide): Promise<Job | undefined>;
  getTask(ref: TaskRef): Promise<Task | undefined>;
  /** Tasks of a job by stage and index. */
  listTasks(jobId: string, stage?: Stage): Promise<readonly Task[]>;
  /**
   * Receives a message and begins one more attempt at the task that it names, in one commit where the store can. Messages of tasks
   * that are done, or whose job has ended, are taken off on the way. Undefined where no task is due. Never waits.
   */
  takeTask(options: ReceiveOptions, decide: DecideOnTask): Promise<TakenTask | undefined>;
  /**
   * Begins one more attempt at the task named, as `takeTask` would, however many of its queue's messages are out. Undefined where it is not
   * due: not there, done, put off, held by another, its queue paused, or its job ended.
   */
  takeNamed(ref: TaskRef, lease: Lease, decide: DecideOnTask): Promise<TakenTask | undefined>;
  /** Records how the current attempt ended and what follows for the job. Undefined where the attempt is not current any more. */
  completeTask(completion: Completion, decide: Decide): Promise<Completed | undefined>;
  /** Whether the attempt is still wanted: not overtaken by another one, its lease not lost, its job not ended. */
  beat(beat: Beat): Promise<boolean>;
  /** Events of one job, or of all, after `seq`. */
  listEvents(options: {
    readonly jobId?: string | undefined;
    readonly afterSeq: number;
    readonly limit: number;
  }): Promise<readonly JobEvent[]>;
  count(): Promise<JobCounts>;
  /** Forgets jobs that ended before, and idempotency keys that ran out. Gives the ids of the jobs: some at a time, none when no more are left. */
  sweep(endedBeforeMs: number): Promise<readonly string[]>;
}

/**
 * The longest lease and the longest delay. A message that seems to be put off for longer was so by a clock that has been set back
 * since, and is due.
 */
export const MAX_MESSAGE_WAIT_MS = 15 * 60_000;

/** The right to a message for a while. */
export interface Lease {
  /** Who holds it, such as a worker's id. */
  readonly owner: string;
  /** Up to `MAX_MESSAGE_WAIT_MS`. */
  readonly leaseMs: number;
}

/** A message as it was received. */
export interface TaskMessage {
  /** Unique over all queues. */
  readonly id: number;
  readonly queue: string;
  readonly ref: TaskRef;
  /** How often it was received, this time included. */
  readonly receiveCount: number;
  /** Proves the lease; another one after each receive. */
  readonly receipt: string;
}

/** A queue that messages are taken from; each pipeline has one, of its name. */
export interface QueueBound {
  readonly name: string;
  /** How many of its messages may be out at a time, over all workers. */
  readonly maxInFlight: number;
  /** Its messages alone are received; undefined: those of any job. */
  readonly jobId?: string | undefined;
}

/** What to receive. */
export interface ReceiveOptions extends Lease {
  /** In no order. */
  readonly queues: readonly QueueBound[];
}

/** How full a queue is. */
export interface QueueDepth {
  readonly queue: string;
  /** Waiting, those put off for a while included. */
  readonly waiting: number;
  /** Received and not yet done with. */
  readonly inFlight: number;
  readonly dead: number;
  readonly isPaused: boolean;
  /** When the longest waiting message was sent. */
  readonly oldestSentAtMs: number | null;
  /** Since when the longest waiting message could be received: when it was sent, or its delay or last lease ran out. May lie ahead. */
  readonly oldestDueAtMs: number | null;
}

/** What is known of a message without receiving it. */
export interface MessageState {
  readonly ref: TaskRef;
  readonly sentAtMs: number;
  readonly receiveCount: number;
  /** Who received it last and has not put it back; null: nobody. */
  readonly owner: string | null;
  /** Until then it is the owner's, or put off; it is anybody's afterwards. */
  readonly heldUntilMs: number;
}

/** A message that was given up. */
export interface DeadLetter {
  readonly id: number;
  readonly queue: string;
  readonly ref: TaskRef;
  readonly receiveCount: number;
  readonly sentAtMs: number;
  readonly deadAtMs: number;
  readonly reason: JobError;
}

/** Hands out the messages that lead to tasks: at least once, by priority, then those of older jobs, then in the order sent. */
export interface TaskQueue {
  /** One message, or undefined where none is due. Never waits. */
  receive(options: ReceiveOptions): Promise<TaskMessage | undefined>;
  /** Prolongs a lease from now on; false where it was lost. */
  extend(message: TaskMessage, leaseMs: number): Promise<boolean>;
  /** Takes the message off the queue; false where the lease was lost. */
  ack(message: TaskMessage): Promise<boolean>;
  /** Puts the message back, to be received after `delayMs`, up to `MAX_MESSAGE_WAIT_MS`; false where the lease was lost. */
  release(message: TaskMessage, delayMs: number): Promise<boolean>;
  /** Prolongs from now on all that an owner holds, because it is known to be there still, though it cannot speak for itself. */
  extendOwner(owner: string, leaseMs: number): Promise<void>;
  /** Puts back at once whatever an owner holds, because it is known to be gone. Gives the messages. */
  releaseOwner(owner: string): Promise<readonly TaskRef[]>;
  /** Gives the message up; false where the lease was lost. */
  bury(message: TaskMessage, reason: JobError): Promise<boolean>;
  getDead(id: number): Promise<DeadLetter | undefined>;
  /** Without taking them; oldest first. */
  listDead(options: { readonly queue?: string | undefined; readonly limit: number }): Promise<readonly DeadLetter[]>;
  /** Forgets a dead letter; false where there is none. */
  discard(id: number): Promise<boolean>;
  /** Messages that wait in those of the queues that are not paused, of each queue `limit` at most: cheap, however many there are. */
  countWaiting(queues: readonly string[], limit: number): Promise<number>;
  /** Every queue that ever held a message, by name; counts every message. */
  depths(): Promise<readonly QueueDepth[]>;
  /** A job's messages but dead ones, in the order in which they are received. Looks through the queue: for people who look into one job. */
  listOfJob(queue: string, jobId: string): Promise<readonly MessageState[]>;
  /** A paused queue gives out nothing. */
  setPaused(queue: string, isPaused: boolean): Promise<void>;
}
