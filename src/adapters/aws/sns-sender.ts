import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { ReelmillError } from "../../base/errors.ts";
import type { SendResult, SendWebhook } from "../../jobs/deliveries.ts";
import { type AwsPlace, asking, clientSettings, statusOf } from "./connection.ts";

/** Sends news to topics of SNS, and lets go of the connection. */
export interface SnsSender {
  /** The URL of each message is the ARN of a topic. The message's id goes along as the attribute `webhook-id`. */
  readonly send: SendWebhook;
  readonly close: () => void;
}

/** What a message may have with its attributes (Amazon SNS, "Publish"). */
const MAX_BYTES = 256 * 1024;
const ATTRIBUTE_BYTES = 256;

/** A sender in the region given. News reach whoever has subscribed to the topic; at least once, as webhooks do. */
export function createSnsSender(place: AwsPlace): SnsSender {
  const client = new SNSClient(clientSettings(place));
  const send: SendWebhook = async ({ id, url, body }, { timeoutMs, signal }) => {
    const bytes = Buffer.byteLength(body);
    if (bytes > MAX_BYTES - ATTRIBUTE_BYTES) {
      return failure("WEBHOOK_REFUSED", `The news have ${bytes} bytes; SNS takes no more than ${MAX_BYTES}.`, null);
    }
    const request = new PublishCommand({
      TopicArn: url,
      Message: body,
      MessageAttributes: { "webhook-id": { DataType: "String", StringValue: id } },
    });
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      await asking(url, () => client.send(request, { abortSignal: AbortSignal.any([signal, timeout]) }));
      return { status: 200, error: null, retryAfterMs: null };
    } catch (error) {
      if (signal.aborted) throw new ReelmillError("ABORTED", "The news were not sent.", { cause: error });
      if (timeout.aborted) return failure("WEBHOOK_FAILED", `No whole answer came within ${timeoutMs} ms.`, null);
      if (!(error instanceof ReelmillError)) throw error;
      const code = error.code === "STORE_REFUSED" ? "WEBHOOK_REFUSED" : "WEBHOOK_FAILED";
      return failure(code, error.message, statusOf(error.cause) ?? null);
    }
  };
  return { send, close: () => client.destroy() };
}

function failure(code: "WEBHOOK_REFUSED" | "WEBHOOK_FAILED", message: string, status: number | null): SendResult {
  return { status, error: { code, message }, retryAfterMs: null };
}
