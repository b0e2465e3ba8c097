/** Workers look for what nobody told them of every 20 s at most: what is due for longer has nobody. */
const NOBODY_AFTER_MS = 60_000;
/** A container that is started for a job, or started again, takes minutes to come. */
const NO_CONTAINER_AFTER_MS = 15 * 60_000;

/** How long a task may be due, in milliseconds, before nobody can be said to work at it. */
export function nobodyAfterMs(startsContainers: boolean): number {
  return startsContainers ? NO_CONTAINER_AFTER_MS : NOBODY_AFTER_MS;
}

/** Why a task that is due for longer has nobody, where containers are started for jobs. */
export const CONTAINERS_LATE = "what is started for jobs should be there by now: AWS Batch and ECS say why it is not";
