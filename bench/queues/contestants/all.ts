import type { Contestant } from "../contestant.ts";
import { bullMq } from "./bullmq.ts";
import { graphileWorker } from "./graphile-worker.ts";
import { pgBoss } from "./pg-boss.ts";
import { plainJob } from "./plainjob.ts";
import { reelmillJobs, reelmillMessages } from "./reelmill.ts";

/** All of them, Reelmill first. */
export const CONTESTANTS: readonly Contestant[] = [
  reelmillJobs,
  reelmillMessages,
  bullMq,
  plainJob,
  graphileWorker,
  pgBoss,
];

/** Throws where there is none. */
export function contestantNamed(name: string | undefined): Contestant {
  const found = CONTESTANTS.find((contestant) => contestant.name === name);
  if (found === undefined) throw new Error(`There is no contestant "${name}".`);
  return found;
}
