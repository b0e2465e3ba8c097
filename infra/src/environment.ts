import type { Settings } from "./settings.ts";
import type { StateStack } from "./state-stack.ts";

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
    S3_BUCKET: storage.objects.bucketName,
    DYNAMODB_TABLE: jobTable.table.tableName,
    SNS_TOPIC_ARN: topics.completions.topicArn,
  };
}

/**
 * As `queueUrls` of the bell: the queue of each pipeline that has one, as JSON. The three of `stereo` are not in it: the engine knows one queue
 * for a pipeline, and that pipeline has to say first which of its tasks belong into which.
 */
export function queueEnvironment({ queues }: StateStack, settings: Settings): Record<string, string> {
  return {
    // Put together by hand: the URL is a token.
    SQS_QUEUE_URLS: `{"hls":"${queues.hls.queue.queueUrl}"}`,
    SQS_LONG_POLL_WAIT_SECONDS: String(settings.SQS_LONG_POLL_WAIT_SECONDS),
  };
}
