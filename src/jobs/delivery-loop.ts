import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import { createFaultLog } from "../base/fault-log.ts";
import { createUuid } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import {
  type ClaimedDelivery,
  type DeliveryAttempt,
  type DeliveryNext,
  type DeliveryStore,
  describeTarget,
  type NewDelivery,
  type SendResult,
  type SendWebhook,
} from "./deliveries.ts";
import { planNextAttempt } from "./delivery-schedule.ts";
import { isEnded, type Job, type JobEventType, type JobWebhook } from "./job.ts";
import type { PipelineRegistry } from "./pipeline.ts";
import type { JobStore } from "./ports.ts";
import { describeJob, type JobNews, toSlackMessage } from "./webhook-payload.ts";

/** What the delivery loop works with. */
export interface DeliveryLoopOptions {
  readonly store: DeliveryStore;
  readonly jobs: Pick<JobStore, "listEvents" | "get">;
  readonly send: SendWebhook;
  readonly pipelines: PipelineRegistry;
  /** Hear of every job, besides the job's own webhook. */
  readonly globalTargets: readonly JobWebhook[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends `run`; what is being sent is given back, to be sent by the next loop. */
  readonly signal: AbortSignal;
  /** Deliveries under way at a time, ≥ 1; default 8. At most half of them go to one URL, so that a slow one stops no other. */
  readonly maxConcurrent?: number;
  /** Bound on one attempt, ≥ 1; default 15,000. */
  readonly attemptTimeoutMs?: number;
  /** How often it looks for news and for what has come due; default 1000. */
  readonly pollMs?: number;
  /** Gives numbers ≥ 0 and < 1; default `Math.random`. */
  readonly random?: () => number;
}

/** Tells receivers of jobs that ended. Two loops on one store share the work. */
export interface DeliveryLoop {
  /** Looks through the next events of jobs and stores deliveries for those that ended; whether there may be more of them. */
  notice(): Promise<boolean>;
  /** Sends everything that is due, and waits until it has gone out or failed. */
  sendDue(): Promise<void>;
  /** Does both until the signal is aborted, whatever fails meanwhile. */
  run(): Promise<void>;
}

const EVENTS_AT_A_TIME = 500;
const DEFAULT_MAX_CONCURRENT = 8;
const DEFAULT_ATTEMPT_TIMEOUT_MS = 15_000;
const DEFAULT_POLL_MS = 1000;
/** What a claim lasts beyond the bound on its attempt, so that it is not lost while the outcome is being written down. */
const LEASE_MARGIN_MS = 15_000;
const END_EVENTS: readonly JobEventType[] = ["job.succeeded", "job.partial", "job.failed", "job.cancelled"];

/** A loop that has not begun; see `DeliveryLoop`. */
export function createDeliveryLoop(options: DeliveryLoopOptions): DeliveryLoop {
  const { log, signal, maxConcurrent = DEFAULT_MAX_CONCURRENT, pollMs = DEFAULT_POLL_MS } = options;
  /** What is under way, each with its URL. Never rejects. */
  const active = new Map<Promise<void>, string>();
  let finished = 0;

  const start = (claim: ClaimedDelivery): void => {
    const work: Promise<void> = attemptAndRecord(options, claim).finally(() => {
      active.delete(work);
      finished++;
    });
    active.set(work, claim.delivery.url);
  };

  const fill = async (): Promise<void> => {
    while (active.size < maxConcurrent && !signal.aborted) {
      const finishedBefore = finished;
      const claim = await claimNext(options, [...active.values()], Math.ceil(maxConcurrent / 2));
      if (claim !== undefined) start(claim);
      // Where something ended meanwhile, its URL may be free again.
      else if (finished === finishedBefore) return;
    }
  };

  const sendDue = async (): Promise<void> => {
    for (;;) {
      await fill();
      if (active.size === 0) return;
      await Promise.race(active.keys());
    }
  };

  const survive = (what: string, step: () => Promise<void>): (() => Promise<void>) => {
    const message = `${what} failed; it will be tried again`;
    const faults = createFaultLog({ log, clock: options.clock, level: "error", message, over: `${what} works again` });
    return async () => {
      try {
        await step();
        faults.worked();
      } catch (error) {
        faults.failed(error);
      }
    };
  };
  const notice = survive("Looking for jobs that ended", async () => {
    while (!signal.aborted && (await noticeEnded(options)));
  });
  const refill = survive("Looking for webhooks that are due", fill);

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await notice();
      await refill();
      await firstOf([...active.keys()], pollMs, signal);
    }
    await Promise.all(active.keys());
  };

  return { notice: () => noticeEnded(options), sendDue, run };
}

/** Waits for the first of the works, or a while, or the signal. */
async function firstOf(works: readonly Promise<void>[], waitMs: number, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  // It rejects where the wait was cut short, which is as good an end as any.
  const pause = sleep(waitMs, undefined, { signal: AbortSignal.any([signal, done.signal]) }).catch(() => undefined);
  await Promise.race([...works, pause]);
  done.abort();
}

async function claimNext(
  { store, attemptTimeoutMs = DEFAULT_ATTEMPT_TIMEOUT_MS }: DeliveryLoopOptions,
  activeUrls: readonly string[],
  maxPerUrl: number,
): Promise<ClaimedDelivery | undefined> {
  const isBusy = (url: string): boolean => activeUrls.filter((other) => other === url).length >= maxPerUrl;
  const exceptUrls = [...new Set(activeUrls)].filter(isBusy);
  return await store.claim({ leaseMs: attemptTimeoutMs + LEASE_MARGIN_MS, exceptUrls });
}

async function noticeEnded({ store, jobs, ...options }: DeliveryLoopOptions): Promise<boolean> {
  const afterSeq = await store.position();
  const events = await jobs.listEvents({ afterSeq, limit: EVENTS_AT_A_TIME });
  const last = events.at(-1);
  if (last === undefined) return false;
  const deliveries: NewDelivery[] = [];
  for (const jobId of new Set(events.filter(({ type }) => END_EVENTS.includes(type)).map((event) => event.jobId))) {
    const job = await jobs.get(jobId);
    // A job that was started again, or forgotten, meanwhile has no end to tell of; its next end brings an event of its own.
    if (job !== undefined && isEnded(job.status)) deliveries.push(...deliveriesOf(job, options));
  }
  const added = await store.enqueue(deliveries, last.seq);
  if (added > 0) options.log.debug("Webhooks queued", { count: added });
  return events.length === EVENTS_AT_A_TIME;
}

function deliveriesOf(
  job: Job,
  options: Pick<DeliveryLoopOptions, "pipelines" | "globalTargets" | "clock" | "log">,
): readonly NewDelivery[] {
  const targets = [...(job.webhook === null ? [] : [job.webhook]), ...options.globalTargets];
  if (targets.length === 0) return [];
  const news = newsOf(job, options);
  return targets.map(({ url, format }) => ({
    id: createUuid(options.clock.nowMs()),
    jobId: job.id,
    jobAttempt: job.attempt,
    url,
    format,
    payload: format === "slack" ? toSlackMessage(news) : news.payload,
  }));
}

/** The pipeline's own news, or the general ones: a pipeline that is gone or fails at it must not keep back those of other jobs. */
function newsOf(job: Job, { pipelines, log }: Pick<DeliveryLoopOptions, "pipelines" | "log">): JobNews {
  try {
    return pipelines.get(job.pipeline).describeCompletion?.(job) ?? describeJob(job);
  } catch (error) {
    log.error("The pipeline could not describe the end of a job; its webhooks tell the general news", {
      job_id: job.id,
      error,
    });
    return describeJob(job);
  }
}

/** One attempt from claim to record. Never rejects: what could not be recorded comes back when the lease has run out. */
async function attemptAndRecord(options: DeliveryLoopOptions, claim: ClaimedDelivery): Promise<void> {
  const { store, clock, signal, random = Math.random } = options;
  const { delivery } = claim;
  const log = options.log.child({
    job_id: delivery.jobId,
    delivery_id: delivery.id,
    target: describeTarget(delivery.url),
    attempt: delivery.attempts.length + 1,
  });
  try {
    const atMs = clock.nowMs();
    const startedMs = clock.monotonicMs();
    const result = await trySend(options, claim, log);
    if (result === undefined || (signal.aborted && result.error !== null)) {
      await store.release(claim);
      return;
    }
    const attempt: DeliveryAttempt = {
      atMs,
      durationMs: Math.round(clock.monotonicMs() - startedMs),
      status: result.status,
      error: result.error,
    };
    const next = planNextAttempt(delivery, result, clock.nowMs(), random);
    if (await store.record(claim, attempt, next)) logAttempt(log, attempt, next);
    else log.warn("A webhook's attempt took longer than its lease and was not recorded", { status: result.status });
  } catch (error) {
    log.error("What came of a webhook could not be recorded; it will be sent again", { error });
  }
}

/** Undefined where the loop was told to end. */
async function trySend(
  { send, signal, attemptTimeoutMs = DEFAULT_ATTEMPT_TIMEOUT_MS }: DeliveryLoopOptions,
  { delivery }: ClaimedDelivery,
  log: Logger,
): Promise<SendResult | undefined> {
  const message = { id: delivery.id, url: delivery.url, body: JSON.stringify(delivery.payload) };
  try {
    return await send(message, { timeoutMs: attemptTimeoutMs, signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    // A fault of ours, not the receiver's: it counts as an attempt, so that it cannot go round for ever.
    log.error("A webhook could not be sent", { error });
    const fault = { code: "WEBHOOK_FAILED", message: "The webhook could not be sent; the log tells why." } as const;
    return { status: null, error: fault, retryAfterMs: null };
  }
}

function logAttempt(log: Logger, attempt: DeliveryAttempt, next: DeliveryNext): void {
  const fields = { status: attempt.status, duration_ms: attempt.durationMs };
  if (attempt.error === null) {
    log.info("Webhook delivered", fields);
    return;
  }
  const failure = { ...fields, code: attempt.error.code, reason: attempt.error.message };
  if (next.state === "pending") {
    const nextAttemptAt = new Date(next.nextAttemptAtMs).toISOString();
    log.warn("Webhook failed; it will be tried again", { ...failure, next_attempt_at: nextAttemptAt });
  } else log.error("Webhook given up", failure);
}
