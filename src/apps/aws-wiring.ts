import { join } from "node:path";
import { createBatchRecords } from "../adapters/aws/batch-records.ts";
import { createS3Client } from "../adapters/aws/bucket.ts";
import type { AwsPlace } from "../adapters/aws/connection.ts";
import { createJobStore } from "../adapters/aws/job-store.ts";
import { createS3ObjectStore } from "../adapters/aws/object-store.ts";
import { clearSpace } from "../adapters/aws/sweep.ts";
import { createTableClient } from "../adapters/aws/table.ts";
import { createTaskQueue } from "../adapters/aws/task-queue.ts";
import type { Clock } from "../base/clock.ts";
import { createRegistry } from "../pipelines/registry.ts";
import type { BatchParts, BatchPlace } from "./wiring.ts";

/** Where a job of the batch worker is worked at on AWS. */
export interface AwsBatchPlace extends BatchPlace {
  readonly buckets: AwsPlace;
  readonly tables: AwsPlace;
  /** Takes the files that are lent and the folders of attempts; nothing in it outlives a worker. */
  readonly workRoot: string;
  /** Name of the worker's folder in it. */
  readonly owner: string;
}

/**
 * Reaches for bucket and table of a job. The job's own store lies in a space of that very table, so that another container goes on where this
 * one was stopped. Nothing is asked of either yet. To be loaded only where the backend is AWS: the SDK takes its time.
 */
export function openAwsBatch(place: AwsBatchPlace, clock: Clock): BatchParts {
  const { bucket, table, jobId, workRoot, owner } = place;
  const s3 = createS3Client(place.buckets);
  const client = createTableClient(place.tables);
  const own = { client, name: table, space: `batch#${jobId}/` };
  return {
    store: createJobStore(own, clock),
    queue: createTaskQueue(own, clock),
    pipelines: createRegistry(),
    workRoot,
    objects: createS3ObjectStore({ bucket: { client: s3, name: bucket }, workFolder: join(workRoot, owner) }),
    records: createBatchRecords({ client, name: table }, clock),
    // Half an upload is nothing that anybody sees; the bucket's lifecycle removes its parts.
    sweep: async () => undefined,
    close: async (isDone) => {
      try {
        if (isDone) await clearSpace(own);
      } finally {
        s3.destroy();
        client.destroy();
      }
    },
  };
}
