import { createHash } from "node:crypto";
import { z } from "zod";
import { ReelmillError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { PipelineRegistry } from "../../jobs/pipeline.ts";
import type { JobService } from "../../jobs/service.ts";
import type { UploadJob } from "./lambda-settings.ts";
import { parseEvent } from "./parse-event.ts";
import { paramsForUpload, UPLOADS } from "./upload-params.ts";

/** An object that was written. */
interface MadeObject {
  readonly bucket: string;
  readonly key: string;
  /** Tells this write of the key from all others. */
  readonly write: string;
}

const BUCKET = z.object({ name: z.string().min(1) });
const WRITE = { sequencer: z.string().optional(), "version-id": z.string().optional(), etag: z.string().optional() };

/** EventBridge gives keys as they are. */
const BRIDGE_EVENT = z
  .object({
    source: z.literal("aws.s3"),
    "detail-type": z.literal("Object Created"),
    detail: z.object({ bucket: BUCKET, object: z.object({ key: z.string().min(1), ...WRITE }) }),
  })
  .transform(({ detail: { bucket, object } }): readonly MadeObject[] => [
    { bucket: bucket.name, key: object.key, write: writeOf(object.sequencer, object["version-id"], object.etag) },
  ]);

/** S3's own messages, which stores that speak its protocol send too, have keys as in a form: `+` for a blank, the rest percent-encoded. */
const S3_EVENT = z
  .object({
    Records: z.array(
      z.object({
        eventName: z.string().regex(/^(s3:)?ObjectCreated:/),
        s3: z.object({
          bucket: BUCKET,
          object: z.object({
            key: z.string().min(1).transform(decodeKey),
            sequencer: z.string().optional(),
            versionId: z.string().optional(),
            eTag: z.string().optional(),
          }),
        }),
      }),
    ),
  })
  .transform(({ Records }): readonly MadeObject[] =>
    Records.map(({ s3: { bucket, object } }) => ({
      bucket: bucket.name,
      key: object.key,
      write: writeOf(object.sequencer, object.versionId, object.eTag),
    })),
  );

const EVENT = z.union([BRIDGE_EVENT, S3_EVENT]);

function writeOf(...marks: readonly (string | undefined)[]): string {
  return marks.map((mark) => mark ?? "").join("/");
}

/** The only place where such keys are decoded. */
function decodeKey(key: string, context: z.RefinementCtx): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    context.addIssue("must be percent-encoded UTF-8");
    return z.NEVER;
  }
}

/** What the function works with. */
export interface ObjectMadePorts {
  /** The bucket whose objects jobs can read. */
  readonly bucket: string;
  readonly service: JobService;
  readonly pipelines: PipelineRegistry;
  /** What is to be done about an upload; undefined: nothing. */
  readonly job: UploadJob | undefined;
  readonly log: Logger;
}

/**
 * Submits the job that is set for each upload that the event tells of, once for each write, however often that is told. Gives the jobs' ids. Throws
 * REQUEST_INVALID, PARAMS_INVALID, STORE_UNAVAILABLE.
 */
export async function onObjectMade(event: unknown, ports: ObjectMadePorts): Promise<readonly string[]> {
  const { bucket, service, pipelines, job, log } = ports;
  const ids: string[] = [];
  for (const made of parseEvent(EVENT, event)) {
    if (made.bucket !== bucket || !made.key.startsWith(UPLOADS) || job === undefined) {
      log.info("Nothing is set to be done about the object.", { file: made.key });
      continue;
    }
    const digest = createHash("sha256")
      .update(JSON.stringify([made.bucket, made.key, made.write]))
      .digest("hex");
    const params = paramsForUpload(pipelines, job, made.key);
    try {
      const submitted = await service.submit({ pipeline: job.pipeline, params, idempotencyKey: `object/${digest}` });
      ids.push(submitted.job.id);
    } catch (error) {
      // No job can name such a key, however often it is tried; the object may still be what somebody wanted kept.
      if (!(error instanceof ReelmillError) || error.code !== "OBJECT_KEY_INVALID") throw error;
      log.warn("No job can name the object.", { file: made.key, error });
    }
  }
  return ids;
}
