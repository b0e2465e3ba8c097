/*
 * The rule that services are scaled by, once as arithmetic and once as the expressions that CloudWatch is given: the stacks are made with the
 * latter, the simulation (bench/scale) with the former, and a test holds them together.
 */

/** What a service is scaled with. */
export interface BacklogRule {
  /** Messages, visible and in flight, for which one worker is wanted. */
  readonly messagesPerWorker: number;
  readonly maxCapacity: number;
  readonly scaleOutCooldownSeconds: number;
  readonly scaleInCooldownSeconds: number;
  readonly idleMinutesToZero: number;
}

/** What is seen of a service in one minute. */
export interface Look {
  /** Messages, visible and in flight. */
  readonly backlog: number;
  /** Workers that there should be. */
  readonly workers: number;
}

/** The most steps that a policy of Application Auto Scaling may have. */
const MAX_STEPS = 20;

/** Workers that are missing: as many are wanted as fill up, less those that there are. */
export function shortfallOf({ backlog, workers }: Look, { messagesPerWorker }: BacklogRule): number {
  return Math.ceil(backlog / messagesPerWorker) - workers;
}

/** Workers too many, were one kept: only a queue that was empty for long makes it none. */
export function surplusOf({ backlog, workers }: Look, { messagesPerWorker }: BacklogRule): number {
  return workers - Math.max(1, Math.ceil(backlog / messagesPerWorker));
}

/** Whether there are workers with nothing left to do. */
export function isEmpty({ backlog, workers }: Look): boolean {
  return backlog < 1 && workers > 0;
}

/** The same as expressions of CloudWatch: above 0 where there is something to be done, of messages left and workers as expressions. */
export function scalingExpressions(backlog: string, workers: string, messagesPerWorker: number) {
  const wanted = `CEIL(${backlog} / ${messagesPerWorker})`;
  return {
    shortfall: `${wanted} - ${workers}`,
    surplus: `${workers} - IF(${wanted} < 1, 1, ${wanted})`,
    empty: `IF(${backlog} < 1 AND ${workers} > 0, 1, 0)`,
  };
}

/** For how many minutes in a row each of them has to hold. */
export function scalingMinutes({ scaleInCooldownSeconds, idleMinutesToZero }: BacklogRule) {
  return { shortfall: 1, surplus: Math.ceil(scaleInCooldownSeconds / 60), empty: idleMinutesToZero };
}

/** How many workers one step may add or remove at most. */
export function largestStep({ maxCapacity }: BacklogRule): number {
  return Math.min(maxCapacity, MAX_STEPS);
}
