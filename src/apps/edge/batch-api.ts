import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { ReelmillError } from "../../base/errors.ts";
import { type Answer, type Exchange, exchange } from "../http-exchange.ts";

/** How the batch API is reached. */
export interface BatchApiOptions {
  /** Such as `https://example.org/prod`; a slash at its end makes no difference. */
  readonly baseUrl: string;
  /** Sent as `X-Api-Key`, to the API alone, and written nowhere. */
  readonly apiKey: string;
  /** How often a request that failed for a while is sent again. */
  readonly retries: number;
  /** Before the first repetition; twice as long before each further one, at most a minute. Default 2000. */
  readonly firstRetryMs?: number;
}

/** What a batch job is asked to do. */
export interface BatchRequest {
  readonly inputPrefix: string;
  /** Undefined: the API chooses. */
  readonly referenceKey: string | undefined;
  readonly referenceStrategy: "smallest" | "newest";
  /** The same for the same request, so that one that is sent twice is not worked twice. */
  readonly idempotencyKey: string;
}

const JOB_STATE = z.object({
  status: z.enum(["SUBMITTED", "QUEUED", "RUNNING", "COMPLETED", "PARTIAL", "FAILED"]),
  message: z.string().optional(),
  output_bucket: z.string().optional(),
  output_prefix: z.string().optional(),
  success_files: z.array(z.string()).optional(),
  failed_files: z.array(z.string()).optional(),
});

/** Where a batch job stands; the fields are those of the completion payload. */
export type BatchJobState = z.infer<typeof JOB_STATE>;

const LENT_URL = z.object({
  url: z.url({ protocol: /^https?$/ }),
  headers: z.record(z.string(), z.string()).optional(),
});
const SUBMITTED = z.object({ job_id: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/) });

/** A file's way to the store, and what hears of it. */
export interface Transfer {
  readonly key: string;
  readonly path: string;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/** The batch API as a client sees it. All methods throw CLOUD_UNREACHABLE after the retries, CLOUD_REFUSED, ABORTED. */
export interface BatchApi {
  /** `POST /upload-url {key, size_bytes}` → `{url, headers?}`, then `PUT` of the file there. */
  upload(transfer: Transfer & { readonly bytes: number }): Promise<void>;
  /** `POST /submit-batch`; gives the job's id. */
  submit(request: BatchRequest, signal: AbortSignal): Promise<string>;
  /** `GET /jobs/{job_id}`. */
  look(jobId: string, signal: AbortSignal): Promise<BatchJobState>;
  /** `POST /download-url {key, bucket?}` → `{url, headers?}`, then `GET` into the file. Gives the bytes. */
  download(transfer: Transfer & { readonly bucket: string | undefined }): Promise<number>;
}

const MAX_RETRY_MS = 60_000;

/** A client of the batch API. */
export function createBatchApi(options: BatchApiOptions): BatchApi {
  const base = options.baseUrl.replace(/\/+$/, "");
  const call = async <T>(
    method: "GET" | "POST",
    path: string,
    schema: z.ZodType<T>,
    signal: AbortSignal,
    body?: Readonly<Record<string, unknown>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> => {
    const answer = await withRetries(options, {
      method,
      url: base + path,
      what: `${method} ${path}`,
      headers: { "x-api-key": options.apiKey, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
    });
    return parse(schema, answer.text, `${method} ${path}`);
  };
  return {
    upload: async ({ key, path, bytes, signal, onBytes }) => {
      const { url, headers = {} } = await call("POST", "/upload-url", LENT_URL, signal, { key, size_bytes: bytes });
      const body = { path, bytes };
      await withRetries(options, { method: "PUT", url, what: `The upload of ${key}`, headers, body, onBytes, signal });
    },
    submit: async ({ inputPrefix, referenceKey, referenceStrategy, idempotencyKey }, signal) => {
      const body = {
        input_prefix: inputPrefix,
        reference_strategy: referenceStrategy,
        ...(referenceKey === undefined ? {} : { reference_key: referenceKey }),
      };
      const sent = { "idempotency-key": idempotencyKey };
      return (await call("POST", "/submit-batch", SUBMITTED, signal, body, sent)).job_id;
    },
    look: (jobId, signal) => call("GET", `/jobs/${encodeURIComponent(jobId)}`, JOB_STATE, signal),
    download: async ({ key, bucket, path, signal, onBytes }) => {
      const body = { key, ...(bucket === undefined ? {} : { bucket }) };
      const { url, headers = {} } = await call("POST", "/download-url", LENT_URL, signal, body);
      const what = `The download of ${key}`;
      return (await withRetries(options, { method: "GET", url, what, headers, saveTo: path, onBytes, signal }))
        .savedBytes;
    },
  };
}

function parse<T>(schema: z.ZodType<T>, text: string, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const message = `${what} was answered with what is no answer: ${text.slice(0, 200)}`;
    throw new ReelmillError("CLOUD_REFUSED", message, { cause: error });
  }
}

async function withRetries({ retries, firstRetryMs = 2000 }: BatchApiOptions, wanted: Exchange): Promise<Answer> {
  for (let retry = 0; ; retry++) {
    try {
      return await exchange(wanted);
    } catch (error) {
      if (!(error instanceof ReelmillError) || error.code !== "CLOUD_UNREACHABLE" || retry === retries) throw error;
    }
    const delayMs = Math.min(firstRetryMs * 2 ** retry, MAX_RETRY_MS);
    await pause(delayMs * (0.5 + Math.random() / 2), wanted.signal);
  }
}

/** Throws ABORTED. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(delayMs, undefined, { signal });
  } catch (error) {
    throw new ReelmillError("ABORTED", "The repair by the batch API was cancelled.", { cause: error });
  }
}
