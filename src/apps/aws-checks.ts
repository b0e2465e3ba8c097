import { createSqsClient } from "../adapters/aws/bell.ts";
import { createS3Client } from "../adapters/aws/bucket.ts";
import { countSlips, measureSkew } from "../adapters/aws/inspect.ts";
import { createJobStore } from "../adapters/aws/job-store.ts";
import { createTableClient } from "../adapters/aws/table.ts";
import { createTaskQueue } from "../adapters/aws/task-queue.ts";
import type { Clock } from "../base/clock.ts";
import { formatElapsedMs } from "../base/units.ts";
import type { QueueDepth } from "../jobs/ports.ts";
import type { AwsHome } from "./aws-settings.ts";
import { checkBy, type HealthCheck, type MendingCommand, sound } from "./health-check.ts";

/** Clocks that differ by more judge each other's leases wrongly; less is what the answer's whole seconds and its way take. */
const MAX_SKEW_MS = 5000;

/** Looks at bucket, clock, table and queues of a home. Throws nothing that a store's answer can be. */
export async function checkAws(home: AwsHome, clock: Clock): Promise<readonly HealthCheck[]> {
  const { region } = home;
  const s3 = createS3Client({ region, endpoint: home.s3Endpoint });
  const client = createTableClient({ region, endpoint: home.dynamoDbEndpoint });
  const sqs = createSqsClient({ region, endpoint: home.sqsEndpoint });
  const table = { client, name: home.table };
  // Only where the services are not AWS's own does a command make what is missing; what does not answer, none mends.
  const isOwn = home.s3Endpoint !== undefined && home.dynamoDbEndpoint !== undefined;
  const make: MendingCommand = (code) =>
    isOwn && code !== "STORE_UNAVAILABLE" ? "reelmill cluster init" : "reelmill config";
  try {
    const bucket = await checkBucket({ client: s3, name: home.bucket }, make, clock);
    let depths: readonly QueueDepth[] = [];
    const jobs = await checkBy("table", home.table, make, async () => {
      await createJobStore(table, clock).lastChange();
      depths = await createTaskQueue(table, clock).depths();
      return sound("table", `${home.table} answers`);
    });
    if (jobs.status !== "ok") return [...bucket, jobs];
    const queues = Object.entries(home.queueUrls).map(async ([queue, url]) => {
      const waiting = depths.find((depth) => depth.queue === queue)?.waiting ?? 0;
      return await checkBy(`SQS ${queue}`, url, make, async () =>
        checkSlips(queue, waiting, await countSlips(sqs, url)),
      );
    });
    return [...bucket, jobs, ...(await Promise.all(queues))];
  } finally {
    for (const open of [s3, client, sqs]) open.destroy();
  }
}

async function checkBucket(
  bucket: Parameters<typeof measureSkew>[0],
  make: MendingCommand,
  clock: Clock,
): Promise<readonly HealthCheck[]> {
  let skewMs: number | undefined;
  const found = await checkBy("bucket", bucket.name, make, async () => {
    skewMs = await measureSkew(bucket, clock);
    return sound("bucket", `${bucket.name} answers`);
  });
  return skewMs === undefined ? [found] : [found, checkSkew(skewMs)];
}

function checkSkew(skewMs: number): HealthCheck {
  const by = formatElapsedMs(Math.abs(skewMs));
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return sound("clock", "runs with the store's, to a few seconds");
  const direction = skewMs > 0 ? "ahead of" : "behind";
  const detail = `this machine's clock is ${by} ${direction} the store's: it takes tasks from others too soon, or too late; set it by NTP`;
  return { check: "clock", status: "warning", detail, command: "date -u" };
}

function checkSlips(queue: string, waiting: number, slips: number): HealthCheck {
  const check = `SQS ${queue}`;
  if (waiting > 0 && slips === 0) {
    const detail = `${waiting} waiting, but SQS holds no message that tells of them: nothing is scaled up for them, and workers find them only when they look`;
    return { check, status: "warning", detail, command: "reelmill queues list" };
  }
  return sound(check, `answers, ${slips} ${slips === 1 ? "message" : "messages"} for ${waiting} waiting`);
}
