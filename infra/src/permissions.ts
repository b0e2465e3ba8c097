import { ArnFormat, Stack } from "aws-cdk-lib";
import type { ICluster } from "aws-cdk-lib/aws-ecs";
import { type IGrantable, type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { StateStack } from "./state-stack.ts";
import type { TaskQueue } from "./task-queues.ts";

/*
 * What each role may do, action by action: the library's own grants have wildcards in their actions, and more than is used.
 */

/** To look for objects and read them. */
export function allowReading(grantee: IGrantable, bucket: IBucket): void {
  allow(grantee, ["s3:ListBucket"], [bucket.bucketArn]);
  allow(grantee, ["s3:GetObject"], [bucket.arnForObjects("*")]);
}

/** To make objects, by parts and copies as well, and to remove them; no versions of them. */
export function allowChanging(grantee: IGrantable, bucket: IBucket): void {
  allow(grantee, ["s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"], [bucket.arnForObjects("*")]);
}

/** What every role does that moves jobs on: the table's items, and slips to whatever queue. */
export function allowJobs(grantee: IGrantable, { jobTable, queues, topics }: StateStack): void {
  const { tableArn } = jobTable.table;
  allow(grantee, ["GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem"].map(dynamoDb), [tableArn]);
  allow(grantee, [dynamoDb("Query")], [tableArn, `${tableArn}/index/*`]);
  const waiting = Object.values(queues).map(({ queue }) => queue.queueArn);
  allow(grantee, ["sqs:SendMessage"], waiting);
  allow(grantee, ["sns:Publish"], [topics.completions.topicArn]);
  allow(grantee, ["kms:Decrypt", "kms:GenerateDataKey"], [topics.key.keyArn]);
}

function dynamoDb(action: string): string {
  return `dynamodb:${action}`;
}

/** To take tasks of the queue, and to keep or return them. */
export function allowTaking(grantee: IGrantable, { queue }: TaskQueue): void {
  allow(grantee, ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"], [queue.queueArn]);
}

/** To list queues' depths, look at dead letters, send them again and discard them. */
export function allowQueueCare(grantee: IGrantable, { queues }: StateStack): void {
  const all = Object.values(queues);
  const both = all.flatMap(({ queue, deadLetters }) => [queue.queueArn, deadLetters.queueArn]);
  allow(grantee, ["sqs:GetQueueAttributes"], both);
  const dead = all.map(({ deadLetters }) => deadLetters.queueArn);
  allow(grantee, ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"], dead);
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
