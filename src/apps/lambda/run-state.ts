import { z } from "zod";
import { describeIssue } from "../../base/describe-issue.ts";
import { ERROR_CODES, type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { createUuid } from "../../base/ids.ts";
import { type JobError, type JobStatus, STAGES } from "../../jobs/job.ts";
import { describeError } from "../../jobs/retry-policy.ts";
import { runNamedTask } from "../../jobs/run-named-task.ts";
import type { Engine } from "../../jobs/run-task.ts";
import { tellJobEnd } from "../../jobs/tell-end.ts";
import { onGivenUp } from "../../jobs/transitions.ts";

/** What a state asks for: one task, or that a failure be recorded which the state machine could do nothing about. */
const REQUEST = z.union([
  z.strictObject({ jobId: z.uuid(), stage: z.enum(STAGES), index: z.int().min(0) }),
  z.strictObject({ jobId: z.uuid(), failure: z.object({ Error: z.string(), Cause: z.string().default("") }) }),
]);

/** What a state is answered; the table has the rest. */
export interface StateAnswer {
  readonly jobId: string;
  /** Left out where a failure was recorded. */
  readonly status?: JobStatus;
  /** The tasks of the work stage, by index; behind the plan alone. */
  readonly tasks?: readonly number[];
}

/** How states are served. */
export interface StateOptions {
  readonly engine: Engine;
  readonly leaseMs: number;
  /** Aborted where the function is about to run out of time: the task goes back. */
  readonly signal: AbortSignal;
}

/**
 * Does what a state of `defineStateMachine` asks for; asked again, nothing where it is done. Whatever it throws has the name by which the state
 * machine tells what is to be tried again: the error's code, or `JobFailed`.
 */
export async function runState(event: unknown, options: StateOptions): Promise<StateAnswer> {
  try {
    return await answer(event, options);
  } catch (error) {
    if (error instanceof Error && error.name === JOB_FAILED) throw error;
    const { code, message } = describeError(error);
    throw named(code, message, error);
  }
}

/** The name of the error for a job that has failed for good: nothing of it is to be tried again, whatever it failed with. */
const JOB_FAILED = "JobFailed";

async function answer(event: unknown, { engine, leaseMs, signal }: StateOptions): Promise<StateAnswer> {
  const parsed = REQUEST.safeParse(event);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => describeIssue(issue, event)).join("; ");
    throw new ReelmillError("REQUEST_INVALID", `The state's input is not one of a job: ${faults}.`);
  }
  const request = parsed.data;
  const { jobId } = request;
  if ("failure" in request) {
    const ended = await engine.store.update(jobId, onGivenUp(readFailure(request.failure)));
    if (ended !== undefined) tellJobEnd(engine, ended);
    return { jobId };
  }
  const lease = { owner: createUuid(engine.clock.nowMs()), leaseMs };
  const { job } = await runNamedTask(engine, request, { lease, signal });
  if (job.status === "failed") throw named(JOB_FAILED, `${job.error?.code}: ${job.error?.message}`);
  if (request.stage !== "plan") return { jobId, status: job.status };
  const tasks = (await engine.store.listTasks(jobId, "work")).map(({ index }) => index);
  return { jobId, status: job.status, tasks };
}

/** Of a function that failed, Step Functions tells the error's name, and as JSON what it said. */
const CAUSE = z.object({ errorMessage: z.string() });

function readFailure({ Error: name, Cause: cause }: { readonly Error: string; readonly Cause: string }): JobError {
  const isKnown = (code: string): code is ErrorCode => Object.hasOwn(ERROR_CODES, code);
  const message = readMessage(cause);
  if (isKnown(name)) return { code: name, message };
  if (name === "States.Timeout") return { code: "TASK_TIMEOUT", message: "A state took longer than it may." };
  return { code: "INTERNAL", message: `The state machine gave the job up (${name}): ${message}` };
}

function readMessage(cause: string): string {
  try {
    return CAUSE.safeParse(JSON.parse(cause)).data?.errorMessage ?? cause;
  } catch {
    return cause;
  }
}

function named(name: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { name });
}
