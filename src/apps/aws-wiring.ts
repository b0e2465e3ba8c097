import { join } from "node:path";
import { createBatchRecords } from "../adapters/aws/batch-records.ts";
import { createSqsBell, createSqsClient, type SqsBell } from "../adapters/aws/bell.ts";
import { createS3Client } from "../adapters/aws/bucket.ts";
import { type Care, createCare } from "../adapters/aws/care.ts";
import type { AwsPlace } from "../adapters/aws/connection.ts";
import type { AwsContainerCounter } from "../adapters/aws/container-counter.ts";
import type { BatchStarter } from "../adapters/aws/container-starter.ts";
import { createDeliveryStore } from "../adapters/aws/delivery-store.ts";
import { createJobContainers, type JobContainers } from "../adapters/aws/job-containers.ts";
import { holdJob } from "../adapters/aws/job-hold.ts";
import { createJobStore } from "../adapters/aws/job-store.ts";
import type { CloudLogReader } from "../adapters/aws/log-reader.ts";
import { makeBucketIfMissing, makeQueueIfMissing, makeTableIfMissing } from "../adapters/aws/make-stores.ts";
import { createS3ObjectLender, type S3ObjectLender } from "../adapters/aws/object-lender.ts";
import { createS3ObjectStore } from "../adapters/aws/object-store.ts";
import { createSnsSender } from "../adapters/aws/sns-sender.ts";
import { clearSpace } from "../adapters/aws/sweep.ts";
import { createTableClient } from "../adapters/aws/table.ts";
import { createTaskQueue } from "../adapters/aws/task-queue.ts";
import { removeWorkFolders } from "../adapters/local/work-folders.ts";
import type { Clock } from "../base/clock.ts";
import type { BatchRecords } from "../jobs/batch-records.ts";
import { createRegistry } from "../pipelines/registry.ts";
import type { AwsHome, ContainerPlace } from "./aws-settings.ts";
import { makeMachineFolders } from "./local-wiring.ts";
import type { BatchParts, BatchPlace, Opening, Parts } from "./parts.ts";

/** With slips for all that it takes, a worker looks into the table only for what a lost one told of. */
const LOOK_FOR_LOST_MS = 20_000;
/** Without, it looks for all that others brought. */
const LOOK_MS = 2000;
/** A slip of a task that another worker is at comes again after that, so that it is gone soon after the task; whoever is idle has looked by then. */
const SLIP_REST_MS = 60_000;

/** Parts on AWS, with what functions see to while no worker runs. */
export interface AwsParts extends Parts {
  readonly records: BatchRecords;
  readonly care: Care;
  /** Undefined where the home has none. */
  readonly containers: JobContainers | undefined;
}

/**
 * Joins ports to the adapters of AWS for the process named `owner`. Nothing is asked of bucket, table and queues yet. To be loaded only where the
 * backend is AWS: the SDK takes its time.
 */
export function openAws(home: AwsHome, { owner, clock, log }: Opening): AwsParts {
  const { region } = home;
  const folders = makeMachineFolders(home.data);
  const s3 = createS3Client({ region, endpoint: home.s3Endpoint });
  const tables = createTableClient({ region, endpoint: home.dynamoDbEndpoint });
  const sqs = createSqsClient({ region, endpoint: home.sqsEndpoint });
  const sns = createSnsSender({ region, endpoint: home.snsEndpoint });
  const table = { client: tables, name: home.table };
  const createBell = (queueUrls: Readonly<Record<string, string>>): SqsBell =>
    createSqsBell({
      ...{ client: sqs, queueUrls, table, log, clock },
      restMs: SLIP_REST_MS,
      longPollSeconds: home.longPollSeconds,
    });
  const { ring } = createBell(home.queueUrls);
  const store = createJobStore(table, clock, { onSent: ring });
  const objects = createS3ObjectStore({
    bucket: { client: s3, name: home.bucket },
    workFolder: join(folders.workRoot, owner, "lent"),
  });
  const pipelines = createRegistry();
  const starter = home.containers && createLazyStarter(region, home.containers);
  const counter = createLazyCounter(home);
  const own = Object.keys(home.containers?.jobDefinitions ?? {}).filter((name) => home.queueUrls[name] === undefined);
  const containers = starter && createJobContainers({ table, clock, objects, pipelines, starter, own });
  return {
    ...{ store, objects, pipelines, containers, ...folders },
    startContainer: containers?.start,
    countContainers: counter?.count,
    queue: createTaskQueue(table, clock),
    deliveries: createDeliveryStore(table, clock),
    records: createBatchRecords(table, clock),
    care: createCare({ table, clock, sqs, queueUrls: home.queueUrls, onSent: ring }),
    news:
      home.topicArn === undefined ? undefined : { target: { url: home.topicArn, format: "standard" }, send: sns.send },
    listen: (queues) => {
      const own = Object.entries(home.queueUrls).filter(([name]) => queues.includes(name));
      const { wait, tidy, close } = createBell(Object.fromEntries(own));
      return { wait, tidy, close, lookMs: own.length === queues.length ? LOOK_FOR_LOST_MS : LOOK_MS };
    },
    requireStores: async () => {
      await store.lastChange();
      await objects.list("", { limit: 1 });
    },
    // Half an upload is nothing that anybody sees; the bucket's lifecycle removes its parts.
    sweepTemporary: async () => undefined,
    close: () => {
      for (const client of [s3, tables, sqs]) client.destroy();
      sns.close();
      starter?.close();
      counter?.close();
    },
  };
}

function createLazyStarter(region: string, { endpoint, ...target }: ContainerPlace): BatchStarter {
  const { use, close } = lazily(async () => {
    const { createBatchStarter } = await import("../adapters/aws/container-starter.ts");
    return createBatchStarter({ region, endpoint }, target);
  });
  return {
    start: async (wish) => (await use()).start(wish),
    look: async (ids) => (ids.length === 0 ? new Map() : (await use()).look(ids)),
    close,
  };
}

/** Undefined where there is nothing to count. */
function createLazyCounter({ region, services, containers, ecsEndpoint }: AwsHome): AwsContainerCounter | undefined {
  if (containers === undefined && services.length === 0) return undefined;
  const { use, close } = lazily(async () => {
    const { createContainerCounter } = await import("../adapters/aws/container-counter.ts");
    const place = { region, batchEndpoint: containers?.endpoint, ecsEndpoint };
    return createContainerCounter(place, { jobQueue: containers?.jobQueue, services });
  });
  return { count: async (signal) => (await use()).count(signal), close };
}

/** What loads when it is used first, which in most processes is never. */
function lazily<T extends { close(): void }>(open: () => Promise<T>) {
  let opened: Promise<T> | undefined;
  const use = (): Promise<T> => {
    opened ??= open();
    return opened;
  };
  return {
    use,
    close: () =>
      void opened?.then(
        (one) => one.close(),
        () => undefined,
      ),
  };
}

/** Lends the home's objects by presigned URLs. */
export function openAwsLender({ region, bucket, s3Endpoint }: AwsHome): S3ObjectLender {
  return createS3ObjectLender({ region, endpoint: s3Endpoint }, bucket);
}

/** Reads jobs' lines out of the home's log groups. */
export async function openAwsLogReader({ region, logsEndpoint, logGroups }: AwsHome): Promise<CloudLogReader> {
  const { createCloudLogReader } = await import("../adapters/aws/log-reader.ts");
  return createCloudLogReader({ region, endpoint: logsEndpoint }, logGroups);
}

/** What there is of a home's stores, and whether this made it. */
export interface MadeStore {
  readonly kind: "bucket" | "table" | "queue";
  readonly name: string;
  readonly isNew: boolean;
}

/** Makes bucket, table and queues where they are missing. Throws STORE_REFUSED, STORE_UNAVAILABLE. */
export async function makeStores(home: AwsHome): Promise<readonly MadeStore[]> {
  const { region, bucket, table } = home;
  const s3 = createS3Client({ region, endpoint: home.s3Endpoint });
  const sqs = createSqsClient({ region, endpoint: home.sqsEndpoint });
  try {
    const made: MadeStore[] = [
      { kind: "bucket", name: bucket, isNew: await makeBucketIfMissing({ client: s3, name: bucket }) },
      {
        kind: "table",
        name: table,
        isNew: await makeTableIfMissing({ region, endpoint: home.dynamoDbEndpoint }, table),
      },
    ];
    for (const url of Object.values(home.queueUrls)) {
      made.push({ kind: "queue", name: url, isNew: await makeQueueIfMissing(sqs, url) });
    }
    return made;
  } finally {
    for (const client of [s3, sqs]) client.destroy();
  }
}

/** Where a job of the batch worker is worked at on AWS. */
export interface AwsBatchPlace extends BatchPlace {
  readonly buckets: AwsPlace;
  readonly tables: AwsPlace;
  /** Takes the files that are lent and the folders of attempts; nothing in it outlives a worker. */
  readonly workRoot: string;
  /** Name of the process's folder in it. */
  readonly owner: string;
  readonly leaseMs: number;
  /** Ends the wait for a worker that may have the job. */
  readonly signal: AbortSignal;
}

/**
 * Takes a job for this process, and reaches for bucket and table. The job's own store lies in a space of that very table, so that another container
 * goes on where this one was stopped. To be loaded only where the backend is AWS: the SDK takes its time. Throws as `holdJob`.
 */
export async function openAwsBatch(place: AwsBatchPlace, clock: Clock): Promise<BatchParts> {
  const { bucket, table, jobId, workRoot, owner } = place;
  const s3 = createS3Client(place.buckets);
  const client = createTableClient(place.tables);
  const own = { client, name: table, space: `batch#${jobId}/` };
  const destroy = (): void => {
    s3.destroy();
    client.destroy();
  };
  try {
    const hold = await holdJob({ client, name: table }, jobId, { ...place, clock });
    return {
      store: createJobStore(own, clock),
      queue: createTaskQueue(own, clock),
      pipelines: createRegistry(),
      workRoot,
      workOwner: owner,
      objects: createS3ObjectStore({ bucket: { client: s3, name: bucket }, workFolder: join(workRoot, owner) }),
      records: createBatchRecords({ client, name: table }, clock),
      lost: hold.lost,
      // Half an upload is nothing that anybody sees; the bucket's lifecycle removes its parts.
      sweep: async () => undefined,
      close: async (isDone) => {
        try {
          if (isDone) await clearSpace(own);
        } finally {
          await removeWorkFolders(workRoot, owner);
          await hold.release();
          destroy();
        }
      },
    };
  } catch (error) {
    destroy();
    throw error;
  }
}
