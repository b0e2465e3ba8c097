import type { Settings } from "./settings.ts";
import type { StateStack } from "./state-stack.ts";
import type { QueueName } from "./task-queues.ts";

/** Where the image lets its user write; everything else in a container is read-only. */
export const WORK_FOLDER = "/work";

/** Who a container runs as: no root, as the contract's worker. */
export const CONTAINER_USER = "1001";

/** Where a function may write. */
export const LAMBDA_WORK_FOLDER = "/tmp";

/** What the image starts functions with; the command after it says which. */
export const LAMBDA_ENTRY_POINT = ["reelmill-lambda"] as const;

/** What every container and function is told. AWS_REGION is left out: Lambda sets it itself. */
export function commonEnvironment(
  { storage, jobTable, topics }: StateStack,
  { otlp_endpoint: collector }: Settings,
): Record<string, string> {
  return {
    LOG_FORMAT: "json",
    REELMILL_METRICS: "emf",
    ...(collector === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: collector }),
    REELMILL_BACKEND: "aws",
    REELMILL_DATA: WORK_FOLDER,
    S3_BUCKET: storage.output.bucketName,
    DYNAMODB_TABLE: jobTable.table.tableName,
    SNS_TOPIC_ARN: topics.completions.topicArn,
  };
}

/** As `queueUrls` of the bell: the queue of each kind of task, as JSON. */
export function queueEnvironment({ queues }: StateStack, settings: Settings): Record<string, string> {
  const names: readonly QueueName[] = ["hls", "chunking", "inference", "reassembly"];
  // Put together by hand: the URLs are tokens.
  const fields = names.map((name) => `"${name}":"${queues[name].queue.queueUrl}"`);
  return {
    SQS_QUEUE_URLS: `{${fields.join(",")}}`,
    SQS_LONG_POLL_WAIT_SECONDS: String(settings.SQS_LONG_POLL_WAIT_SECONDS),
  };
}
