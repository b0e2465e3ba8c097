import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { ReelmillError } from "../../base/errors.ts";
import { exchange } from "../http-exchange.ts";
import { LINK, sendByLink } from "../send-by-link.ts";

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

const SUBMITTED = z.object({ job_id: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/) });

/** A file's way to the store or from it. */
export interface Transfer {
  readonly key: string;
  readonly path: string;
  readonly signal: AbortSignal;
}

/** The batch API as a client sees it. All methods throw CLOUD_UNREACHABLE after the retries, CLOUD_REFUSED, ABORTED. */
export interface BatchApi {
  /** `POST /upload-url {key, size_bytes}` → `{url, headers?}`, then `PUT` of the file there; or in parts, as `sendByLink`, whose `onProgress` it is. */
  upload(
    transfer: Transfer & { readonly bytes: number; readonly onProgress: (sentBytes: number) => void },
  ): Promise<void>;
  /** `POST /submit-batch`; gives the job's id. */
  submit(request: BatchRequest, signal: AbortSignal): Promise<string>;
  /** `GET /jobs/{job_id}`. */
  look(jobId: string, signal: AbortSignal): Promise<BatchJobState>;
  /** `POST /download-url {key, bucket?}` → `{url, headers?}`, then `GET` into the file. Gives the bytes. */
  download(transfer: Transfer & { readonly bucket: string | undefined }): Promise<number>;
}

/** One request to the API. */
interface Asked {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly signal: AbortSignal;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

const MAX_RETRY_MS = 60_000;
/** For what an upload that is given up left, after which the service may be about to end. */
const TIDYING_MS = 10_000;

/** A client of the batch API. */
export function createBatchApi(options: BatchApiOptions): BatchApi {
  const base = options.baseUrl.replace(/\/+$/, "");
  const send = async ({ method, path, signal, body, headers }: Asked): Promise<string> => {
    const answer = await exchange({
      method,
      url: base + path,
      what: `${method} ${path}`,
      headers: { "x-api-key": options.apiKey, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
    });
    return answer.text;
  };
  const call = async <T>(schema: z.ZodType<T>, asked: Asked): Promise<T> =>
    parse(schema, await send(asked), `${asked.method} ${asked.path}`);
  return {
    upload: (transfer) =>
      sendByLink({
        ...transfer,
        what: `The upload of ${transfer.key}`,
        ask: (path, schema, body, signal) => call(schema, { method: "POST", path, signal, body }),
        abandon: async (body) => {
          const signal = AbortSignal.timeout(TIDYING_MS);
          await send({ method: "POST", path: "/abort-upload", signal, body });
        },
        retrying: (attempt) => withRetries(options, transfer.signal, attempt),
      }),
    submit: async ({ inputPrefix, referenceKey, referenceStrategy, idempotencyKey }, signal) => {
      const body = {
        input_prefix: inputPrefix,
        reference_strategy: referenceStrategy,
        ...(referenceKey === undefined ? {} : { reference_key: referenceKey }),
      };
      const headers = { "idempotency-key": idempotencyKey };
      const asked: Asked = { method: "POST", path: "/submit-batch", signal, body, headers };
      return (await withRetries(options, signal, () => call(SUBMITTED, asked))).job_id;
    },
    look: async (jobId, signal) => {
      const asked: Asked = { method: "GET", path: `/jobs/${encodeURIComponent(jobId)}`, signal };
      return await withRetries(options, signal, () => call(JOB_STATE, asked));
    },
    download: async ({ key, bucket, path, signal }) => {
      const body = { key, ...(bucket === undefined ? {} : { bucket }) };
      return await withRetries(options, signal, async () => {
        const link = await call(LINK, { method: "POST", path: "/download-url", signal, body });
        const what = `The download of ${key}`;
        return (await exchange({ ...link, method: "GET", what, saveTo: path, signal })).savedBytes;
      });
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

async function withRetries<T>(
  { retries, firstRetryMs = 2000 }: BatchApiOptions,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let retry = 0; ; retry++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ReelmillError) || error.code !== "CLOUD_UNREACHABLE" || retry === retries) throw error;
    }
    const delayMs = Math.min(firstRetryMs * 2 ** retry, MAX_RETRY_MS);
    await pause(delayMs * (0.5 + Math.random() / 2), signal);
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
