import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import type { SendResult, SendWebhook, WebhookMessage } from "../../jobs/deliveries.ts";
import { createAddressPolicy, type IsAllowedAddress } from "./address-policy.ts";
import { type Answer, postOnce } from "./post.ts";
import { parseRetryAfter } from "./retry-after.ts";
import { createSigner, type SignWebhook } from "./signature.ts";
import { type ResolveHost, readTarget, resolveHost, resolveTarget } from "./webhook-url.ts";

/** What a sender of webhooks works with. */
export interface WebhookSenderOptions {
  /** As `createSigner` takes them; the new one first while they are being changed. */
  readonly secrets: readonly string[];
  /** Whether webhooks may go to this machine and to private networks, over any port. */
  readonly allowPrivateNetworks: boolean;
  readonly clock: Clock;
  /** Default: the system's resolver. */
  readonly resolve?: ResolveHost;
  /** For tests, which have no public addresses; default `createAddressPolicy`. */
  readonly isAllowedAddress?: IsAllowedAddress;
}

const MAX_REDIRECTS = 3;
/** Those after which the request is sent on as it was; 303 asks for a GET, which would deliver nothing (RFC 9110 §15.4). */
const REDIRECTS: readonly number[] = [301, 302, 307, 308];

interface Sender {
  readonly sign: SignWebhook;
  readonly resolve: ResolveHost;
  readonly isAllowedAddress: IsAllowedAddress;
  readonly allowPrivateNetworks: boolean;
  readonly clock: Clock;
}

/**
 * Sends webhooks over HTTP, signed as Standard Webhooks has it. Every address that a message would go to is looked at first,
 * those of up to 3 redirects too, and the connection goes to just the address that was looked at. Throws CONFIG_INVALID.
 */
export function createWebhookSender(options: WebhookSenderOptions): SendWebhook {
  const sender: Sender = {
    sign: createSigner(options.secrets),
    resolve: options.resolve ?? resolveHost,
    isAllowedAddress: options.isAllowedAddress ?? createAddressPolicy(options),
    allowPrivateNetworks: options.allowPrivateNetworks,
    clock: options.clock,
  };
  return async (message, { timeoutMs, signal }) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    const seen: { status: number | null } = { status: null };
    try {
      const answer = await follow(sender, message, AbortSignal.any([signal, timeout]), seen);
      return resultOf(answer, sender.clock.nowMs());
    } catch (error) {
      if (signal.aborted) throw new ReelmillError("ABORTED", "The webhook was not sent.", { cause: error });
      const late = `No whole answer came within ${timeoutMs} ms.`;
      return failureOf(error, timeout.aborted ? late : undefined, seen.status);
    }
  };
}

/** Posts, and goes where redirects lead; `seen` keeps the last status, should a later step fail. */
async function follow(
  sender: Sender,
  message: WebhookMessage,
  signal: AbortSignal,
  seen: { status: number | null },
): Promise<Answer> {
  const { sign, resolve, isAllowedAddress, allowPrivateNetworks, clock } = sender;
  const signature = sign(message.id, clock.nowMs(), message.body);
  const headers = { "content-type": "application/json", "user-agent": "Reelmill", ...signature };
  let url = readTarget(message.url, undefined, allowPrivateNetworks, isAllowedAddress);
  for (let redirects = 0; ; redirects++) {
    const addresses = await unlessAborted(resolveTarget(url, resolve, isAllowedAddress), signal);
    const answer = await postOnce({ url, addresses, headers, body: message.body, signal });
    seen.status = answer.status;
    if (!REDIRECTS.includes(answer.status) || answer.location === undefined) return answer;
    if (redirects === MAX_REDIRECTS) {
      throw new ReelmillError("WEBHOOK_FAILED", `The receiver redirected more than ${MAX_REDIRECTS} times.`);
    }
    url = readTarget(answer.location, url, allowPrivateNetworks, isAllowedAddress);
  }
}

/** The system's resolver cannot be stopped, only be left behind. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function resultOf({ status, retryAfter }: Answer, nowMs: number): SendResult {
  if (status >= 200 && status < 300) return { status, error: null, retryAfterMs: null };
  const error = { code: "WEBHOOK_FAILED", message: `The receiver answered with status ${status}.` } as const;
  return { status, error, retryAfterMs: parseRetryAfter(retryAfter, nowMs) };
}

function failureOf(error: unknown, late: string | undefined, status: number | null): SendResult {
  if (error instanceof ReelmillError) {
    return { status, error: { code: error.code, message: error.message }, retryAfterMs: null };
  }
  // Messages of node:http hold addresses; the code says enough, such as ECONNREFUSED or CERT_HAS_EXPIRED.
  const code = (error as { readonly code?: unknown } | null)?.code;
  const message = late ?? `The receiver could not be reached (${typeof code === "string" ? code : "unknown reason"}).`;
  return { status, error: { code: "WEBHOOK_FAILED", message }, retryAfterMs: null };
}
