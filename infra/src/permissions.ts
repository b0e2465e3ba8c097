import { ArnFormat, Stack } from "aws-cdk-lib";
import type { IJobDefinition, IJobQueue } from "aws-cdk-lib/aws-batch";
import type { IBaseService, ICluster } from "aws-cdk-lib/aws-ecs";
import { Effect, type IGrantable, type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { XRAY_ACTIONS, xrayRegionOf } from "../../src/base/xray-endpoint.ts";
import { type KeyPattern, type WorkedPipeline, WRITTEN_KEYS } from "./pipelines.ts";
import type { Settings } from "./settings.ts";
import type { StateStack } from "./state-stack.ts";
import { namedQueues, type TaskQueue } from "./task-queues.ts";

/*
 * What each role may do, action by action: the library's own grants have wildcards in their actions, and more than is used.
 */

/** To look for objects and read them. */
export function allowReading(grantee: IGrantable, bucket: IBucket): void {
  allow(grantee, ["s3:ListBucket"], [bucket.bucketArn]);
  allow(grantee, ["s3:GetObject"], [bucket.arnForObjects("*")]);
}

/** To make objects of the keys, by parts and copies as well. */
export function allowWriting(grantee: IGrantable, bucket: IBucket, keys: readonly KeyPattern[]): void {
  allow(grantee, ["s3:PutObject", "s3:AbortMultipartUpload"], arnsOf(bucket, keys));
}

/** To remove objects of the keys; no versions of them, which therefore stay as long as the bucket keeps them. */
export function allowRemoving(grantee: IGrantable, bucket: IBucket, keys: readonly KeyPattern[]): void {
  allow(grantee, ["s3:DeleteObject"], arnsOf(bucket, keys));
}

/** What is given in and stays as it is: recordings, references that are kept, what the batch API answered. */
const GIVEN: readonly KeyPattern[] = ["uploads/*", "references/*", "batches/*"];

/**
 * To read what a pipeline's jobs are of, and to write and remove what they make. What is given in, no worker may change, whatever else its role may: it
 * reads files of strangers.
 */
export function allowWork(grantee: IGrantable, bucket: IBucket, pipeline: WorkedPipeline): void {
  const keys = WRITTEN_KEYS[pipeline];
  allowReading(grantee, bucket);
  allowWriting(grantee, bucket, keys);
  allowRemoving(grantee, bucket, keys);
  const resources = [...arnsOf(bucket, GIVEN)];
  const never = { effect: Effect.DENY, actions: ["s3:PutObject", "s3:DeleteObject"], resources };
  grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement(never));
}

function arnsOf(bucket: IBucket, keys: readonly KeyPattern[]): readonly string[] {
  return keys.map((pattern) => bucket.arnForObjects(pattern));
}

/** What every role does that moves jobs on: the table's items, and news of ends. */
export function allowJobs(grantee: IGrantable, { jobTable, topics }: StateStack): void {
  const { tableArn } = jobTable.table;
  allow(grantee, ["GetItem", "BatchGetItem", "BatchWriteItem", "PutItem", "UpdateItem", "DeleteItem"].map(dynamoDb), [
    tableArn,
  ]);
  allow(grantee, [dynamoDb("Query")], [tableArn, `${tableArn}/index/*`]);
  allow(grantee, ["sns:Publish"], [topics.completions.topicArn]);
  allow(grantee, ["kms:Decrypt", "kms:GenerateDataKey"], [topics.key.keyArn]);
}

function dynamoDb(action: string): string {
  return `dynamodb:${action}`;
}

/** To wake those who work at the queues. */
export function allowSending(grantee: IGrantable, queues: readonly TaskQueue[]): void {
  allow(
    grantee,
    ["sqs:SendMessage"],
    queues.map(({ queue }) => queue.queueArn),
  );
}

/** To take tasks of the queue, to know for how long it hides them, and to keep or return them. */
export function allowTaking(grantee: IGrantable, { queue }: TaskQueue): void {
  const actions = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"];
  allow(
    grantee,
    actions.map((action) => `sqs:${action}`),
    [queue.queueArn],
  );
}

/** To count what waits in the queues. Dead letters of tasks lie in the table; nothing looks at those of the queues but alarms. */
export function allowCounting(grantee: IGrantable, { queues }: StateStack): void {
  const arns = Object.values(namedQueues(queues)).map(({ queue }) => queue.queueArn);
  allow(grantee, ["sqs:GetQueueAttributes"], arns);
}

/** To have containers started for whole jobs. */
export function allowStarting(grantee: IGrantable, queue: IJobQueue, definitions: readonly IJobDefinition[]): void {
  const arns = definitions.map(({ jobDefinitionArn }) => jobDefinitionArn);
  allow(grantee, ["batch:SubmitJob"], [queue.jobQueueArn, ...arns]);
}

/** To ask what has become of containers; AWS knows no narrower resource. */
export function allowLooking(grantee: IGrantable): void {
  allow(grantee, ["batch:DescribeJobs"], ["*"]);
}

/** To count containers: jobs of AWS Batch, for which AWS knows no narrower resource, and the services' own figures. */
export function allowCountingContainers(grantee: IGrantable, services: readonly IBaseService[]): void {
  allow(grantee, ["batch:ListJobs"], ["*"]);
  allow(
    grantee,
    ["ecs:DescribeServices"],
    services.map(({ serviceArn }) => serviceArn),
  );
}

/** To send spans of its work, where they go to X-Ray; any other collector wants no right of AWS. AWS knows no narrower resource. */
export function allowTracing(grantee: IGrantable, { otlp_endpoint: collector }: Settings): void {
  if (xrayRegionOf(collector ?? "") !== undefined) allow(grantee, XRAY_ACTIONS, ["*"]);
}

/** To keep itself from being scaled in while it works. */
export function allowProtection(role: IRole, cluster: ICluster): void {
  const tasks = Stack.of(role).formatArn({
    service: "ecs",
    resource: "task",
    resourceName: `${cluster.clusterName}/*`,
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
  allow(role, ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"], [tasks]);
}

/** To do the actions to the resources. */
export function allow(grantee: IGrantable, actions: readonly string[], resources: readonly string[]): void {
  const statement = new PolicyStatement({ actions: [...actions], resources: [...resources] });
  grantee.grantPrincipal.addToPrincipalPolicy(statement);
}
