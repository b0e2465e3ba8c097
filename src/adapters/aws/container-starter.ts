import { BatchClient, SubmitJobCommand } from "@aws-sdk/client-batch";
import { ReelmillError } from "../../base/errors.ts";
import type { ContainerStarter } from "../../jobs/container-starter.ts";
import { type AwsPlace, asking, clientSettings } from "./connection.ts";

/** What AWS Batch starts, and where. */
export interface BatchTarget {
  /** Name or ARN of the job queue. */
  readonly jobQueue: string;
  /** Name, with or without revision, or ARN of the job definition: image, roles, network, disk, time-out and attempts. */
  readonly jobDefinition: string;
}

/** A starter on AWS Batch; `close` lets go of its connections. */
export interface BatchStarter extends ContainerStarter {
  close(): void;
}

/**
 * Starts containers by AWS Batch. Command, size and tasks at a time, one for each vCPU, are those of each job; all else is its definition's, the disk too, which the service
 * lets nobody change when a job is submitted.
 */
export function createBatchStarter(place: AwsPlace, { jobQueue, jobDefinition }: BatchTarget): BatchStarter {
  const client = new BatchClient(clientSettings(place));
  return {
    start: async ({ jobId, name, vcpu, memoryMb }) => {
      const request = new SubmitJobCommand({
        jobName: name,
        jobQueue,
        jobDefinition,
        containerOverrides: {
          command: ["worker", "--job", jobId],
          resourceRequirements: [
            { type: "VCPU", value: String(vcpu) },
            { type: "MEMORY", value: String(memoryMb) },
          ],
          // The definition's own number is for its own size.
          environment: [{ name: "REELMILL_MAX_WORKERS", value: String(vcpu) }],
        },
      });
      const { jobId: containerId } = await asking(name, () => client.send(request));
      if (containerId !== undefined) return containerId;
      throw new ReelmillError("STORE_UNAVAILABLE", `AWS Batch took the job ${name} without saying its id.`);
    },
    close: () => client.destroy(),
  };
}
