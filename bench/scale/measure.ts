import type { BacklogRule } from "../../infra/src/backlog-rule.ts";
import { costOfJob } from "../../src/cost/job-cost.ts";
import { type PriceTable, shippedPrices } from "../../src/cost/price-table.ts";
import { countRequests } from "../../src/cost/requests.ts";
import { drawJobs, meanWorkSeconds, type SimulatedJob } from "./jobs.ts";
import { simulateBatch } from "./simulate-batch.ts";
import { type SimulatedRun, simulateService } from "./simulate-service.ts";
import { ASSUMED, ruleWith, type Work } from "./works.ts";

/** Jobs an hour that are simulated. */
export const LOADS = [10, 30, 100, 300, 1000, 3000, 10_000] as const;
/** For so long jobs come. */
export const HOURS = 2;

/** What came of one load. */
export interface Outcome {
  readonly work: string;
  readonly perHour: number;
  /** Workers, or containers, at most. */
  readonly limit: number;
  readonly jobs: number;
  /** Whether more work comes than the limit can do, so that waiting grows for as long as jobs come. */
  readonly isOverloaded: boolean;
  readonly waitMedianSeconds: number;
  readonly waitP95Seconds: number;
  readonly totalP95Seconds: number;
  readonly peak: number;
  /** Share of the time that is paid for in which tasks are worked at. */
  readonly utilisation: number;
  readonly usdPerJob: number;
  /** Within the hour after everything has stopped. */
  readonly idleHourUsd: number;
}

/** What is otherwise than in the contract. */
export interface Bounds {
  /** Workers, or containers, at most. */
  readonly limit?: number;
  /** Workers that one scaling may add or remove at most. */
  readonly step?: number;
}

/** Simulates a work under a load, by the contract's bounds or by others. */
export function simulateLoad(work: Work, perHour: number, seed: number, bounds: Bounds = {}): Outcome {
  const { limit = limitOf(work), step } = bounds;
  const jobs = drawJobs(work.kind, perHour, HOURS, seed);
  const run = runOf(work, jobs, limit, step);
  const prices = shippedPrices();
  const requests = usdOfRequests(work, prices);
  const paid = run.firstSeconds + run.otherSeconds;
  return {
    work: work.name,
    perHour,
    limit,
    jobs: jobs.length,
    isOverloaded: perHour * heldSeconds(work) > limit * 3600,
    waitMedianSeconds: quantile(run.waitSeconds, 0.5),
    waitP95Seconds: quantile(run.waitSeconds, 0.95),
    totalP95Seconds: quantile(run.totalSeconds, 0.95),
    peak: run.peak,
    utilisation: run.busySeconds / paid,
    usdPerJob: usdOfCapacity(work, run.firstSeconds, run.otherSeconds, prices) / jobs.length + requests,
    idleHourUsd: usdOfCapacity(work, run.idleHourSeconds, 0, prices),
  };
}

/** The contract's limit. */
export function limitOf({ capacity }: Work): number {
  return capacity.by === "backlog" ? capacity.maxWorkers : capacity.places;
}

/** For how long a job takes workers, or a container, its start included where each has one of its own. */
function heldSeconds({ kind, capacity }: Work): number {
  return meanWorkSeconds(kind) + (capacity.by === "batch" ? ASSUMED.batchStart : 0);
}

/** Share of the time in which workers are to be busy, so that chance leaves room. */
const WANTED_BUSY = 0.7;

/** The limit that a load needs, not below the contract's. */
export function limitFor(work: Work, perHour: number): number {
  return Math.max(limitOf(work), Math.ceil((perHour * heldSeconds(work)) / 3600 / WANTED_BUSY));
}

/** A service under a load minute by minute, by the contract's limit. */
export function simulateTimeline(work: Work, jobs: readonly SimulatedJob[]): SimulatedRun["timeline"] {
  const { capacity } = work;
  if (capacity.by === "batch") throw new RangeError(`${work.name} is no service.`);
  return serviceRun(work, ruleWith(capacity.messagesPerWorker, capacity.maxWorkers), jobs).timeline;
}

function runOf(work: Work, jobs: readonly SimulatedJob[], limit: number, step: number | undefined) {
  const { capacity } = work;
  if (capacity.by === "backlog") {
    const run = serviceRun(work, ruleWith(capacity.messagesPerWorker, limit), jobs, step);
    return { ...run, peak: run.peakWorkers };
  }
  const { paidSeconds, peakContainers, ...run } = simulateBatch(
    { places: limit, startSeconds: ASSUMED.batchStart, paidStartSeconds: ASSUMED.batchPaidStart },
    jobs,
  );
  // A container is paid for while there is one, and there is none without a job.
  return { ...run, peak: peakContainers, firstSeconds: 0, otherSeconds: paidSeconds, idleHourSeconds: 0 };
}

function serviceRun(
  { resources }: Work,
  rule: BacklogRule,
  jobs: readonly SimulatedJob[],
  step?: number,
): SimulatedRun {
  const isMachine = resources.kind === "machine";
  return simulateService(
    {
      rule,
      step,
      startSeconds: isMachine ? ASSUMED.machineStart : ASSUMED.fargateStart,
      machine: isMachine ? { bootSeconds: ASSUMED.machineBoot, lingerSeconds: ASSUMED.machineLinger } : null,
      metricDelaySeconds: ASSUMED.metricDelay,
    },
    jobs,
  );
}

/** The first machine is on demand, all else is spot. */
function usdOfCapacity({ resources }: Work, firstSeconds: number, otherSeconds: number, prices: PriceTable): number {
  const none = countRequests({ tasks: 0, workSeconds: 0, outputBytes: 0, usesQueue: false });
  const lines = (seconds: number) =>
    costOfJob({ resources, seconds, requests: none, storedBytes: 0 }, prices).lines.filter(
      ({ group }) => group === "compute",
    );
  const first = lines(firstSeconds).reduce((sum, { onDemandUsd }) => sum + known(onDemandUsd), 0);
  return lines(otherSeconds).reduce((sum, { spotUsd }) => sum + known(spotUsd), first);
}

function usdOfRequests({ kind, resources, outputBytes, capacity }: Work, prices: PriceTable): number {
  const workSeconds = meanWorkSeconds(kind);
  const requests = countRequests({ tasks: kind.tasks, workSeconds, outputBytes, usesQueue: capacity.by === "backlog" });
  const { lines } = costOfJob({ resources, seconds: 0, requests, storedBytes: 0 }, prices);
  return lines.reduce((sum, { spotUsd }) => sum + known(spotUsd), 0);
}

function known(usd: number | null): number {
  if (usd === null) throw new RangeError("The price table lacks a price that the simulation needs.");
  return usd;
}

/** The value that the given share of them does not exceed; 0 where there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
