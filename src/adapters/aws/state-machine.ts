import { ERROR_CODES } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import type { Stage } from "../../jobs/job.ts";
import type { Pipeline } from "../../jobs/pipeline.ts";
import { FACTOR, FIRST_DELAY_MS, MAX_ATTEMPTS } from "../../jobs/retry-policy.ts";

/** What a state machine is made of. */
export interface StateMachineOptions {
  /** ARN of the function behind all states (`reelmill-lambda state`). */
  readonly functionArn: string;
}

/** What Lambda and Step Functions themselves fail with for a while; a function that is killed or runs out of time comes back as one of them. */
const PASSING_FAULTS = [
  "Lambda.ServiceException",
  "Lambda.AWSLambdaException",
  "Lambda.SdkClientException",
  "Lambda.TooManyRequestsException",
  "Lambda.Unknown",
  "Runtime.ExitError",
  "Sandbox.Timedout",
  "States.Timeout",
] as const;

/** How long somebody waits at most for another one who has the same task, before looking again. */
const MAX_BUSY_SECONDS = 60;
const MS = 1000;
/** The engine ends an attempt by itself; the state's own bound is for functions that hang. */
const GRACE_SECONDS = 60;

/**
 * The state machine of a pipeline, in the Amazon States Language with JSONPath: plan → work of each task, so many at a time → finish. Its input is
 * `{jobId}`; running it twice for one job runs nothing twice. The engine counts a task's attempts and says when it has failed for good; the
 * machine comes back for those that are to be tried again, by the name of their error, and records as failed what it gives up itself.
 */
export function defineStateMachine(
  pipeline: Pick<Pipeline, "name" | "maxConcurrentTasks" | "taskTimeoutMs">,
  { functionArn }: StateMachineOptions,
): Json {
  const { name, maxConcurrentTasks, taskTimeoutMs } = pipeline;
  const state = (parameters: Json): { readonly [name: string]: Json } => ({
    Type: "Task",
    Resource: functionArn,
    Parameters: parameters,
    TimeoutSeconds: Math.ceil(taskTimeoutMs / MS) + GRACE_SECONDS,
    Retry: retriers(taskTimeoutMs),
  });
  const ofJob = (stage: Stage): Json => ({ "jobId.$": "$.jobId", stage, index: 0 });
  const Catch: Json = [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "RecordFailure" }];
  return {
    Comment: `A job of ${name}: plan, work, finish.`,
    StartAt: "Plan",
    States: {
      Plan: { ...state(ofJob("plan")), ResultPath: "$.plan", Catch, Next: "Work" },
      Work: {
        Type: "Map",
        ItemsPath: "$.plan.tasks",
        MaxConcurrency: maxConcurrentTasks,
        ItemSelector: { "jobId.$": "$.jobId", stage: "work", "index.$": "$$.Map.Item.Value" },
        ItemProcessor: {
          ProcessorConfig: { Mode: "INLINE" },
          StartAt: "WorkAtTask",
          States: {
            WorkAtTask: {
              ...state({ "jobId.$": "$.jobId", "stage.$": "$.stage", "index.$": "$.index" }),
              End: true,
            },
          },
        },
        // What tasks bring is in the table: an execution holds no more than 256 KB.
        ResultPath: null,
        Catch,
        Next: "Finish",
      },
      Finish: { ...state(ofJob("finish")), Catch, End: true },
      RecordFailure: {
        ...state({ "jobId.$": "$.jobId", "failure.$": "$.failure" }),
        ResultPath: null,
        Next: "Failed",
      },
      Failed: { Type: "Fail", ErrorPath: "$.failure.Error", CausePath: "$.failure.Cause" },
    },
  };
}

/** Whatever no retrier names fails at once. Without jitter: the engine's own delays have it, and are never longer than these. */
function retriers(taskTimeoutMs: number): Json {
  const passing = Object.entries(ERROR_CODES)
    .filter(([code, { retryable }]) => retryable && code !== "TASK_BUSY")
    .map(([code]) => code);
  const IntervalSeconds = FIRST_DELAY_MS / MS;
  return [
    {
      ErrorEquals: [...passing, ...PASSING_FAULTS],
      IntervalSeconds,
      MaxAttempts: MAX_ATTEMPTS,
      BackoffRate: FACTOR,
    },
    {
      ErrorEquals: ["TASK_BUSY"],
      IntervalSeconds,
      // As long as another one may take over the same task, all attempts of that one together.
      MaxAttempts: Math.ceil((MAX_ATTEMPTS * taskTimeoutMs) / MS / MAX_BUSY_SECONDS) + MAX_BUSY_SECONDS,
      BackoffRate: FACTOR,
      MaxDelaySeconds: MAX_BUSY_SECONDS,
    },
  ];
}
