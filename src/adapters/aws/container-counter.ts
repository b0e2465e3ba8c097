import { BatchClient, type JobStatus, ListJobsCommand } from "@aws-sdk/client-batch";
import { DescribeServicesCommand, ECSClient } from "@aws-sdk/client-ecs";
import { ReelmillError } from "../../base/errors.ts";
import type { ContainerCount, ContainerCounter } from "../../jobs/container-starter.ts";
import { asking, clientSettings } from "./connection.ts";

/** Whose containers are counted. */
export interface CountedContainers {
  /** Name or ARN of a job queue of AWS Batch; undefined: none. */
  readonly jobQueue: string | undefined;
  /** Services of ECS by their names or ARNs, with those of their clusters; none: no service. */
  readonly services: readonly CountedService[];
}

/** A service of ECS. */
export interface CountedService {
  readonly cluster: string;
  readonly service: string;
}

/** Where the two services are. */
export interface CounterPlace {
  readonly region: string;
  /** Undefined: AWS itself. */
  readonly batchEndpoint: string | undefined;
  readonly ecsEndpoint: string | undefined;
}

/** A counter of AWS; `close` lets go of its connections. */
export interface AwsContainerCounter extends ContainerCounter {
  close(): void;
}

/** States of a job of AWS Batch that has not begun and is not over. */
const WAITING: readonly JobStatus[] = ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING"];
/** The most that AWS Batch lists at once. */
const PAGE_JOBS = 100;
/** A queue with more than so many pages in one state is counted as having those. */
const MAX_PAGES = 50;

/** Counts the containers of a job queue of AWS Batch, where each job wishes for one, 5000 at most in each state, and of services of ECS. */
export function createContainerCounter(place: CounterPlace, counted: CountedContainers): AwsContainerCounter {
  const { region, batchEndpoint, ecsEndpoint } = place;
  const batch = new BatchClient(clientSettings({ region, endpoint: batchEndpoint }));
  const ecs = new ECSClient(clientSettings({ region, endpoint: ecsEndpoint }));
  return {
    count: async (abortSignal) => {
      const { jobQueue, services } = counted;
      const ofServices = services.map((service) => countService(ecs, service, abortSignal));
      const ofQueue = jobQueue === undefined ? [] : [countJobs(batch, jobQueue, abortSignal)];
      const counts = await Promise.all([...ofServices, ...ofQueue]);
      const sum = (figure: keyof ContainerCount): number => counts.reduce((total, one) => total + one[figure], 0);
      return { desired: sum("desired"), running: sum("running"), pending: sum("pending") };
    },
    close: () => {
      for (const client of [batch, ecs]) client.destroy();
    },
  };
}

async function countService(
  ecs: ECSClient,
  { cluster, service }: CountedService,
  abortSignal: AbortSignal,
): Promise<ContainerCount> {
  const request = new DescribeServicesCommand({ cluster, services: [service] });
  const { services = [] } = await asking(service, () => ecs.send(request, { abortSignal }));
  const [found] = services;
  if (found === undefined) throw new ReelmillError("STORE_REFUSED", `ECS knows no service ${cluster}/${service}.`);
  return { desired: found.desiredCount ?? 0, running: found.runningCount ?? 0, pending: found.pendingCount ?? 0 };
}

async function countJobs(batch: BatchClient, jobQueue: string, abortSignal: AbortSignal): Promise<ContainerCount> {
  const [running = 0, ...waiting] = await Promise.all(
    (["RUNNING", ...WAITING] as const).map((status) => countInState(batch, jobQueue, status, abortSignal)),
  );
  const pending = waiting.reduce((total, count) => total + count, 0);
  return { desired: running + pending, running, pending };
}

async function countInState(
  batch: BatchClient,
  jobQueue: string,
  jobStatus: JobStatus,
  abortSignal: AbortSignal,
): Promise<number> {
  let count = 0;
  let nextToken: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const request = new ListJobsCommand({ jobQueue, jobStatus, maxResults: PAGE_JOBS, nextToken });
    const answer = await asking(jobQueue, () => batch.send(request, { abortSignal }));
    count += answer.jobSummaryList?.length ?? 0;
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  return count;
}
