import type { SimulatedJob } from "./jobs.ts";
import { Schedule } from "./schedule.ts";

/** Jobs that each have a container to themselves, as AWS Batch runs them. */
export interface BatchModel {
  /** Containers at a time. */
  readonly places: number;
  /** From when there is a place until the job is worked at. */
  readonly startSeconds: number;
  /** Of those, the last ones, for which the container is paid for. */
  readonly paidStartSeconds: number;
}

/** The outcome. Jobs stand in the order in which they came. */
export interface SimulatedBatch {
  /** From a job's arrival until it is worked at. */
  readonly waitSeconds: readonly number[];
  readonly totalSeconds: readonly number[];
  readonly peakContainers: number;
  /** Of all containers. */
  readonly paidSeconds: number;
  readonly busySeconds: number;
  readonly endSeconds: number;
}

/** Runs jobs in the order in which they came, each as soon as a place is free; nothing runs besides. */
export function simulateBatch(
  { places, startSeconds, paidStartSeconds }: BatchModel,
  jobs: readonly SimulatedJob[],
): SimulatedBatch {
  const ends = new Schedule<undefined>();
  const [waitSeconds, totalSeconds]: [number[], number[]] = [[], []];
  let [busySeconds, endSeconds, peakContainers] = [0, 0, 0];
  for (const { atSeconds, taskSeconds } of jobs) {
    // Those that ended before are gone; where all places are taken, the job gets the first that is free.
    let freeSeconds = atSeconds;
    while (ends.size >= places || (ends.firstSeconds ?? Number.POSITIVE_INFINITY) <= atSeconds) {
      freeSeconds = Math.max(freeSeconds, ends.take()?.atSeconds ?? 0);
    }
    const workSeconds = taskSeconds.reduce((sum, seconds) => sum + seconds, 0);
    const begunSeconds = freeSeconds + startSeconds;
    ends.add(begunSeconds + workSeconds, undefined);
    waitSeconds.push(begunSeconds - atSeconds);
    totalSeconds.push(begunSeconds + workSeconds - atSeconds);
    busySeconds += workSeconds;
    endSeconds = Math.max(endSeconds, begunSeconds + workSeconds);
    peakContainers = Math.max(peakContainers, ends.size);
  }
  const paidSeconds = busySeconds + paidStartSeconds * jobs.length;
  return { waitSeconds, totalSeconds, peakContainers, paidSeconds, busySeconds, endSeconds };
}
