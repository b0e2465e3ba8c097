import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { ReelmillError } from "../../../base/errors.ts";
import type { Loan } from "../../../jobs/object-lender.ts";
import { BATCH_REQUEST, createBatchSubmissions, INPUT_ROOT, OUTPUT_ROOT, requireBucket } from "../batch-submissions.ts";
import { type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies } from "../dependencies.ts";
import type { EventHub } from "../event-hub.ts";
import type { ServerLimits } from "../limits.ts";
import { requireObject } from "../send-object.ts";
import { VIEWS } from "../view-schemas.ts";
import { readIdempotencyKey } from "./jobs.ts";

const TAG = "batch";
/** Of an object, below its bucket. */
export const KEY = z.string().min(1).max(1000);
/** Long enough to begin a transfer, which may then take longer. */
export const LOAN_MS = 3600_000;

/** The batch API: damaged recordings by the folder, as the edge service gives them to a cloud. */
export const BATCH_ROUTES = {
  upload: {
    method: "POST",
    path: "/upload-url",
    tag: TAG,
    summary: "Get a link to write one object of the input bucket by, with PUT and without a key",
    body: z.strictObject({
      key: KEY,
      size_bytes: z.int().min(0),
      multipart: z
        .boolean()
        .default(false)
        .describe("Whether the answer may be an upload in parts; short objects have none."),
    }),
    answers: {
      200: { description: "The link, or an upload in parts.", schema: z.union([VIEWS.lent, VIEWS.multipartUpload]) },
    },
    errors: ["OBJECT_KEY_INVALID", "BODY_TOO_LARGE"],
  },
  download: {
    method: "POST",
    path: "/download-url",
    tag: TAG,
    summary: "Get a link to read one object by, with GET and without a key; of the output bucket where none is named",
    body: z.strictObject({ key: KEY, bucket: z.string().max(255).optional() }),
    answers: { 200: { description: "The link.", schema: VIEWS.lent } },
    errors: ["OBJECT_KEY_INVALID", "OBJECT_NOT_FOUND"],
  },
  submit: {
    method: "POST",
    path: "/submit-batch",
    tag: TAG,
    summary: "Repair all recordings in a folder of the input bucket",
    headers: { "idempotency-key": "1 to 255 visible ASCII characters. The same key with the same body makes one job." },
    body: BATCH_REQUEST,
    answers: { 202: { description: "What is going to be done.", schema: VIEWS.batchSubmitted } },
    errors: ["BATCH_EMPTY", "OBJECT_KEY_INVALID", "PARAMS_INVALID", "IDEMPOTENCY_CONFLICT"],
  },
  look: {
    method: "GET",
    // The dashboard's page of a job has a path like it, with an id of another form.
    path: "/jobs/untrunc-{id}",
    tag: TAG,
    summary: "How a batch is, and what became of its files",
    params: z.strictObject({ id: z.string().regex(/^[0-9a-f]{12}$/, "must be 12 hexadecimal digits") }),
    answers: { 200: { description: "The fields of the completion payload.", schema: VIEWS.batchState } },
    errors: ["JOB_NOT_FOUND"],
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Serves `BATCH_ROUTES`. */
export function addBatchRoutes(app: FastifyInstance, deps: ServerDependencies, hub: EventHub): void {
  const { batch, objects, limits } = deps;
  const submissions = createBatchSubmissions(deps);
  const lend = async (loan: Loan, request: FastifyRequest) => {
    const { url, headers } = await batch.lender.lend(loan);
    return { url: toAbsolute(url, request, batch.publicUrl), headers, expires_in_seconds: LOAN_MS / 1000 };
  };
  serve(app, BATCH_ROUTES.upload, async ({ body, request }) => {
    const { size_bytes: bytes, multipart } = body;
    const key = INPUT_ROOT + body.key;
    requireUploadable(bytes, limits);
    const begun = multipart ? await batch.lender.multipart?.begin(key, bytes) : undefined;
    if (begun !== undefined) return { upload_id: begun.uploadId, part_bytes: begun.partBytes };
    return await lend({ method: "PUT", key, bytes, forMs: LOAN_MS }, request);
  });
  serve(app, BATCH_ROUTES.download, async ({ body, request }) => {
    const { inputBucket, outputBucket } = batch;
    requireBucket("bucket", body.bucket, [inputBucket, outputBucket]);
    const key = (body.bucket === inputBucket ? INPUT_ROOT : OUTPUT_ROOT) + body.key;
    await requireObject(objects, key);
    return await lend({ method: "GET", key, forMs: LOAN_MS }, request);
  });
  serve(app, BATCH_ROUTES.submit, async ({ body, request, reply }) => {
    const answer = await submissions.submit(body, readIdempotencyKey(request.headers["idempotency-key"]));
    hub.nudge();
    return reply.code(202).header("location", `/jobs/${answer.job_id}`).send(answer);
  });
  serve(app, BATCH_ROUTES.look, ({ params }) => submissions.look(`untrunc-${params.id}`));
}

/** Throws BODY_TOO_LARGE. */
export function requireUploadable(bytes: number, { uploadBytes }: Pick<ServerLimits, "uploadBytes">): void {
  if (bytes <= uploadBytes) return;
  throw new ReelmillError("BODY_TOO_LARGE", `The file has ${bytes} bytes; ${uploadBytes} are allowed.`);
}

/** A path of this server as the address that whoever asks for it can reach it by. */
function toAbsolute(url: string, { protocol, headers }: FastifyRequest, publicUrl: string | undefined): string {
  if (!url.startsWith("/")) return url;
  if (publicUrl !== undefined) return publicUrl + url;
  const base = `${protocol}://${headers.host}`;
  if (!URL.canParse(url, base)) throw new ReelmillError("REQUEST_INVALID", "The request's Host is no host.");
  return new URL(url, base).href;
}
