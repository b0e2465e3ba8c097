import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { ReelmillError } from "../../base/errors.ts";
import { pause } from "../../base/pause.ts";
import { printableLine } from "../../base/printable.ts";
import type { SpanFields } from "../../base/tracer.ts";

/** Values by the names of headers. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** What is to be sent by POST. */
export interface UnsignedRequest {
  readonly url: string;
  readonly headers: RequestHeaders;
  readonly body: string;
}

/** Proves whose requests are, for a collector that asks for that. */
export interface RequestSigner {
  /** What the request is to be sent with: its headers, and the proof. Throws STORE_UNAVAILABLE where there is nothing to prove it by. */
  sign(request: UnsignedRequest): Promise<RequestHeaders>;
  /** What to look at where the collector refuses a request nevertheless; a sentence. */
  readonly advice: string;
}

/** Where spans go, and as whose. */
export interface Collector {
  /** The whole address, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  /** Sent along; may hold a secret. */
  readonly headers: RequestHeaders;
  /** For one request, in milliseconds; its signing may take as long besides. */
  readonly timeoutMs: number;
  /** What is told of whoever sends, `service.name` among it. */
  readonly resource: SpanFields;
  /** Undefined where nobody asks for it. */
  readonly signer?: RequestSigner | undefined;
}

/** Statuses after which the same request may be taken (OTLP/HTTP, "Retryable Response Codes"). */
const PASSING = new Set([429, 502, 503, 504]);
/** Statuses that a signer's advice is for. */
const REFUSED = new Set([400, 401, 403]);
/** Of an answer that is no success; its reason is in the beginning. */
const MAX_ANSWER_BYTES = 16_384;
const MAX_REASON_LENGTH = 300;

/** Sends JSON to the collector. Throws STORE_UNAVAILABLE where it may be taken later, STORE_REFUSED where not. */
export async function postToCollector(collector: Collector, body: string): Promise<void> {
  const { signer } = collector;
  const headers = await headersFor(collector, body);
  const { status, text } = await ask(collector, headers, body);
  if (status >= 200 && status < 300) return;
  const reason = reasonIn(text);
  const because = reason === "" ? "" : `: ${reason}`;
  const advice = signer !== undefined && REFUSED.has(status) ? ` ${signer.advice}` : "";
  const code = PASSING.has(status) ? "STORE_UNAVAILABLE" : "STORE_REFUSED";
  throw new ReelmillError(code, `${nameOf(collector)} answered with the status ${status}${because}.${advice}`);
}

/** The collector as messages begin with it: its host alone, because the rest may hold a secret. */
export function nameOf({ url }: Collector): string {
  return `The collector of traces at ${new URL(url).host}`;
}

async function headersFor(collector: Collector, body: string): Promise<RequestHeaders> {
  const { url, timeoutMs, signer } = collector;
  const headers = { ...collector.headers, "content-type": "application/json" };
  if (signer === undefined) return headers;
  const timer = new AbortController();
  try {
    // Credentials may have to be asked for, of a service that does not answer.
    const signed = await Promise.race([signer.sign({ url, headers, body }), pause(timeoutMs, timer.signal)]);
    if (signed !== undefined) return signed;
  } finally {
    timer.abort();
  }
  const message = `${nameOf(collector)} wants signed requests, and none could be signed within ${timeoutMs} ms.`;
  throw new ReelmillError("STORE_UNAVAILABLE", message);
}

interface Answer {
  readonly status: number;
  /** Its beginning. */
  readonly text: string;
}

async function ask(collector: Collector, headers: RequestHeaders, body: string): Promise<Answer> {
  const { url, timeoutMs } = collector;
  const request = url.startsWith("https:") ? requestHttps : requestHttp;
  return await new Promise<Answer>((resolve, reject) => {
    const asked = request(
      url,
      {
        method: "POST",
        headers: { ...headers, "content-length": Buffer.byteLength(body) },
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        readBeginning(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
      },
    );
    asked.on("error", reject);
    asked.end(body);
  }).catch((cause: Error) => {
    const message = `${nameOf(collector)} cannot be reached: ${cause.message}.`;
    throw new ReelmillError("STORE_UNAVAILABLE", message, { cause });
  });
}

/** Reads all of it, so that the connection ends in order. */
async function readBeginning(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    if (size < MAX_ANSWER_BYTES) pieces.push(piece);
    size += piece.length;
  }
  return Buffer.concat(pieces).toString("utf8");
}

/**
 * The reason that an answer gives (OTLP/HTTP, "Failures": a `Status`, whose text is `message`); empty where it gives none. Its first line alone: AWS puts
 * behind that, where a signature is wrong, what was signed, with the session's token.
 */
function reasonIn(text: string): string {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return "";
  }
  if (typeof answer !== "object" || answer === null) return "";
  const { message, Message } = answer as { readonly message?: unknown; readonly Message?: unknown };
  const [reason = ""] = String(message ?? Message ?? "").split("\n");
  return printableLine(reason.trim().slice(0, MAX_REASON_LENGTH)).replace(/\.$/, "");
}
