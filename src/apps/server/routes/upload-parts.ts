import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ReelmillError } from "../../../base/errors.ts";
import { MAX_PARTS, type MultipartLender, type MultipartUpload } from "../../../jobs/object-lender.ts";
import { INPUT_ROOT } from "../batch-submissions.ts";
import { type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies } from "../dependencies.ts";
import { VIEWS } from "../view-schemas.ts";
import { KEY, LOAN_MS, requireUploadable } from "./batch.ts";

const TAG = "batch";
/** What `POST /upload-url` was asked with, and what it answered. */
const UPLOAD = {
  key: KEY,
  upload_id: z.string().min(1).max(2000).describe("As POST /upload-url answered."),
};
const SIZE = { size_bytes: z.int().min(0).describe("Of the whole object, as POST /upload-url was told it.") };

/** How objects of the input bucket are written in parts, where `POST /upload-url` answers with an `upload_id`. */
export const UPLOAD_PART_ROUTES = {
  lend: {
    method: "POST",
    path: "/upload-part-url",
    tag: TAG,
    summary:
      "Get a link to write one part of an object by, with PUT and without a key; its answer's ETag is to be kept",
    body: z.strictObject({ ...UPLOAD, ...SIZE, part_number: z.int().min(1).max(MAX_PARTS) }),
    answers: { 200: { description: "The link.", schema: VIEWS.lent } },
    errors: ["OBJECT_KEY_INVALID", "BODY_TOO_LARGE", "UPLOAD_NOT_FOUND"],
  },
  complete: {
    method: "POST",
    path: "/complete-upload",
    tag: TAG,
    summary: "Make the object of its parts",
    body: z.strictObject({
      ...UPLOAD,
      ...SIZE,
      etags: z.array(z.string().min(1).max(200)).min(1).max(MAX_PARTS).describe("Of the parts, in their order."),
    }),
    answers: { 200: { description: "It is there.", schema: VIEWS.completedUpload } },
    errors: ["OBJECT_KEY_INVALID", "BODY_TOO_LARGE", "UPLOAD_NOT_FOUND", "UPLOAD_REFUSED"],
  },
  abort: {
    method: "POST",
    path: "/abort-upload",
    tag: TAG,
    summary: "Remove the parts of an object that nobody will complete",
    body: z.strictObject(UPLOAD),
    answers: { 204: { description: "Nothing is left of them." } },
    errors: ["OBJECT_KEY_INVALID", "UPLOAD_NOT_FOUND"],
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Serves `UPLOAD_PART_ROUTES`. */
export function addUploadPartRoutes(app: FastifyInstance, { batch: { lender }, limits }: ServerDependencies): void {
  const { multipart } = lender;
  serve(app, UPLOAD_PART_ROUTES.lend, async ({ body }) => {
    requireUploadable(body.size_bytes, limits);
    const lent = await taking(multipart).lendPart(
      { ...toUpload(body), bytes: body.size_bytes },
      body.part_number,
      LOAN_MS,
    );
    return { ...lent, expires_in_seconds: LOAN_MS / 1000 };
  });
  serve(app, UPLOAD_PART_ROUTES.complete, async ({ body }) => {
    requireUploadable(body.size_bytes, limits);
    await taking(multipart).complete({ ...toUpload(body), bytes: body.size_bytes }, body.etags);
    return { key: body.key };
  });
  serve(app, UPLOAD_PART_ROUTES.abort, async ({ body, reply }) => {
    await taking(multipart).abort(toUpload(body));
    return reply.code(204).send();
  });
}

/** Throws UPLOAD_NOT_FOUND where none can have been begun. */
function taking(multipart: MultipartLender | undefined): MultipartLender {
  if (multipart !== undefined) return multipart;
  throw new ReelmillError(
    "UPLOAD_NOT_FOUND",
    "No uploads in parts are begun here: POST /upload-url gives one link for all.",
  );
}

function toUpload({
  key,
  upload_id,
}: {
  readonly key: string;
  readonly upload_id: string;
}): Omit<MultipartUpload, "bytes"> {
  return { key: INPUT_ROOT + key, uploadId: upload_id };
}
