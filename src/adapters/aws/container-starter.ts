import { BatchClient, DescribeJobsCommand, SubmitJobCommand } from "@aws-sdk/client-batch";
import { ReelmillError } from "../../base/errors.ts";
import type { ContainerStarter, ContainerState, ContainerWish } from "../../jobs/container-starter.ts";
import { type AwsPlace, asking, clientSettings } from "./connection.ts";

/** What AWS Batch starts, and where. */
export interface BatchTarget {
  /** Name or ARN of the job queue. */
  readonly jobQueue: string;
  /** By pipeline: name, with or without revision, or ARN of the job definition: image, roles, network, disk, time-out, attempts, and a size. */
  readonly jobDefinitions: Readonly<Record<string, string>>;
  /** By pipeline, where it has any: the same with other disks, in any order. */
  readonly diskDefinitions: Readonly<Record<string, readonly DiskDefinition[]>>;
}

/** A job definition, and the disk that it gives, in GiB. */
export interface DiskDefinition {
  readonly storageGb: number;
  readonly jobDefinition: string;
}

/** A starter on AWS Batch; `close` lets go of its connections. */
export interface BatchStarter extends ContainerStarter {
  close(): void;
}

/** The most that AWS Batch tells of at once. */
const MAX_DESCRIBED = 100;

/**
 * Starts containers by AWS Batch. Command, size and tasks at a time, one for each vCPU, are those of each job; all else is its definition's. The disk is, too: the service
 * lets nobody change it when a job is submitted, so that the definition is chosen by it, the one with the least that is enough, or else the most.
 */
export function createBatchStarter(place: AwsPlace, target: BatchTarget): BatchStarter {
  const client = new BatchClient(clientSettings(place));
  return {
    start: async (wish) => {
      const { name } = wish;
      const request = new SubmitJobCommand(toRequest(wish, target));
      const { jobId: containerId } = await asking(name, () => client.send(request));
      if (containerId !== undefined) return containerId;
      throw new ReelmillError("STORE_UNAVAILABLE", `AWS Batch took the job ${name} without saying its id.`);
    },
    look: async (ids) => {
      const states = new Map<string, ContainerState>();
      for (let at = 0; at < ids.length; at += MAX_DESCRIBED) {
        const request = new DescribeJobsCommand({ jobs: ids.slice(at, at + MAX_DESCRIBED) });
        const { jobs = [] } = await asking("containers", () => client.send(request));
        for (const { jobId = "", status, statusReason: reason = "" } of jobs) {
          states.set(jobId, { hasEnded: status === "SUCCEEDED" || status === "FAILED", reason });
        }
      }
      return states;
    },
    close: () => client.destroy(),
  };
}

function chooseDefinition({ pipeline, size }: ContainerWish, target: BatchTarget): string | undefined {
  const wishedGb = size?.storageGb;
  const usual = target.jobDefinitions[pipeline];
  if (wishedGb === undefined) return usual;
  const sized = target.diskDefinitions[pipeline]?.toSorted((a, b) => a.storageGb - b.storageGb) ?? [];
  const enough = sized.find(({ storageGb }) => storageGb >= wishedGb) ?? sized.at(-1);
  return enough?.jobDefinition ?? usual;
}

function toRequest(wish: ContainerWish, target: BatchTarget) {
  const { jobId, pipeline, name, size } = wish;
  const { jobQueue } = target;
  const jobDefinition = chooseDefinition(wish, target);
  if (jobDefinition === undefined) {
    throw new ReelmillError("CONFIG_INVALID", `No job definition is set for containers of the pipeline ${pipeline}.`);
  }
  const command = ["worker", "--job", jobId];
  if (size === undefined) return { jobName: name, jobQueue, jobDefinition, containerOverrides: { command } };
  const resourceRequirements = [
    { type: "VCPU" as const, value: String(size.vcpu) },
    { type: "MEMORY" as const, value: String(size.memoryMb) },
  ];
  // The definition's own number is for its own size.
  const environment = [{ name: "REELMILL_MAX_WORKERS", value: String(size.vcpu) }];
  return { jobName: name, jobQueue, jobDefinition, containerOverrides: { command, resourceRequirements, environment } };
}
