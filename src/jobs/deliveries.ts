import type { Json } from "../base/json.ts";
import type { JobError, JobWebhook } from "./job.ts";

/** Where a delivery stands; `failed` ones were given up, and go out again only when that is asked for. */
export const DELIVERY_STATES = ["pending", "delivered", "failed"] as const;

/** One of `DELIVERY_STATES`. */
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** One try to hand a delivery to its receiver. */
export interface DeliveryAttempt {
  readonly atMs: number;
  readonly durationMs: number;
  /** HTTP status of the last answer; null where none came. */
  readonly status: number | null;
  /** Null where the receiver took it. */
  readonly error: Pick<JobError, "code" | "message"> | null;
}

/** News of the end of a job on its way to one receiver. Times are milliseconds since 1970-01-01T00:00:00Z. */
export interface Delivery {
  /** UUID version 7; the receiver sees it as `webhook-id`, the same for every attempt. */
  readonly id: string;
  readonly jobId: string;
  /** The start of the job that the news is of. */
  readonly jobAttempt: number;
  /** May hold secrets: for logs there is `describeTarget`. */
  readonly url: string;
  readonly format: JobWebhook["format"];
  /** Exactly what is sent, as JSON. */
  readonly payload: Json;
  readonly createdAtMs: number;
  /** Null where it is not to be sent any more. */
  readonly nextAttemptAtMs: number | null;
  /** An attempt that fails later than this is the last. */
  readonly retryUntilMs: number;
  /** Attempts that failed since it was created, or was last redelivered. */
  readonly failures: number;
  /** All there were, in their order. */
  readonly attempts: readonly DeliveryAttempt[];
  readonly state: DeliveryState;
}

/** A delivery to be stored. */
export type NewDelivery = Pick<Delivery, "id" | "jobId" | "jobAttempt" | "url" | "format" | "payload">;

/** A delivery that one sender alone may send for a while. */
export interface ClaimedDelivery {
  readonly delivery: Delivery;
  /** Proves the claim; another one after each. */
  readonly receipt: string;
}

/** What follows from an attempt. */
export type DeliveryNext =
  | { readonly state: "delivered" | "failed" }
  | { readonly state: "pending"; readonly nextAttemptAtMs: number };

/** Keeps deliveries, and how far the events of jobs were looked through for them. Every method throws STORE_UNAVAILABLE, NO_SPACE. */
export interface DeliveryStore {
  /** `seq` of the last event that was looked at; 0 at first. */
  position(): Promise<number>;
  /**
   * Stores deliveries, due at once, and then the position of the event that led to them, in one commit where the store can. One that
   * has the job, attempt and URL of another that is there is left out, so that what was cut short may be asked for again; the position
   * never goes back. Gives how many were new.
   */
  enqueue(deliveries: readonly NewDelivery[], position: number): Promise<number>;
  /**
   * Claims the delivery that has been due longest, to none of the URLs given; undefined where there is none. What is claimed comes to
   * no one else until `leaseMs` have passed.
   */
  claim(options: {
    readonly leaseMs: number;
    readonly exceptUrls: readonly string[];
  }): Promise<ClaimedDelivery | undefined>;
  /** Records an attempt and what follows, and ends the claim; false, and nothing recorded, where the claim was lost. */
  record(claim: ClaimedDelivery, attempt: DeliveryAttempt, next: DeliveryNext): Promise<boolean>;
  /** Gives a claim up without an attempt; false where it was lost. */
  release(claim: ClaimedDelivery): Promise<boolean>;
  get(id: string): Promise<Delivery | undefined>;
  /** Newest first, up to `limit`, from 1 to 500; those older than the delivery `beforeId` alone. */
  list(options: {
    readonly jobId?: string | undefined;
    readonly state?: DeliveryState | undefined;
    readonly beforeId?: string | undefined;
    readonly limit: number;
  }): Promise<readonly Delivery[]>;
  /** Sends it again at once, with a whole day of retries before it; whatever state it is in. Undefined where there is none. */
  redeliver(id: string): Promise<Delivery | undefined>;
  /** Forgets deliveries that were delivered or given up before; gives how many. */
  sweep(settledBeforeMs: number): Promise<number>;
}

/** What is to be sent. */
export interface WebhookMessage {
  readonly id: string;
  readonly url: string;
  /** UTF-8 JSON. */
  readonly body: string;
}

/** What came of an attempt. */
export interface SendResult {
  readonly status: number | null;
  /** WEBHOOK_FAILED where it is worth another try, WEBHOOK_REFUSED where it is not; null where the receiver took it. */
  readonly error: Pick<JobError, "code" | "message"> | null;
  /** How long the receiver asks to be left alone, ≥ 0; null where it says nothing. */
  readonly retryAfterMs: number | null;
}

/** Sends one message, within `timeoutMs` over all redirects. Throws ABORTED alone, where the signal is. */
export type SendWebhook = (
  message: WebhookMessage,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
) => Promise<SendResult>;

/** A webhook's URL for logs and pages: path, query and credentials often are secrets, so only the origin is shown; all of a topic's name. */
export function describeTarget(url: string): string {
  if (url.startsWith("arn:")) return url;
  return URL.canParse(url) ? `${new URL(url).origin}/…` : "an invalid URL";
}
