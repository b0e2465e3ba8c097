import { formatBytes, formatElapsedMs } from "../../base/units.ts";
import type { QueueDepth } from "../../jobs/ports.ts";
import { checkBy, type HealthCheck, sound } from "../health-check.ts";
import { CONTAINERS_LATE, nobodyAfterMs } from "../nobody-works.ts";
import type { ServerDependencies, SystemView } from "./dependencies.ts";

const LOW_SPACE_BYTES = 5e9;
const NO_SPACE_BYTES = 200e6;

/** Looks at all that jobs depend on: stores, clock, queues and who works at them, disk, ffmpeg, watch folder. */
export async function lookAtAll(deps: ServerDependencies): Promise<readonly HealthCheck[]> {
  const [place, system, fault, queues] = await Promise.all([
    deps.checkPlace(),
    deps.system(),
    deps.ffmpegFault(),
    checkQueues(deps),
  ]);
  const ffmpeg: HealthCheck =
    fault === undefined
      ? sound("ffmpeg", "is there")
      : { check: "ffmpeg", status: "failed", detail: fault, command: "reelmill doctor" };
  return [...place, ...checkDisk(system, deps), ffmpeg, ...checkWatch(deps), ...queues];
}

/** Nothing of a process that does not live on: its disk is small and its own, and neither jobs nor uploads come to lie there. */
function checkDisk({ disk }: SystemView, { limits }: ServerDependencies): readonly HealthCheck[] {
  if (!limits.livesOn) return [];
  const { path, freeBytes, totalBytes } = disk;
  const check = "disk";
  const detail = `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} free in ${path}`;
  if (freeBytes >= LOW_SPACE_BYTES) return [sound(check, detail)];
  const isFull = freeBytes < NO_SPACE_BYTES;
  return [{ check, status: isFull ? "failed" : "warning", detail, command: "reelmill jobs list --status succeeded" }];
}

function checkWatch({ watch }: ServerDependencies): readonly HealthCheck[] {
  if (watch === undefined) return [];
  const { reason, fault, readyFolder } = watch.status();
  const detail = reason || fault;
  const check = "watch folder";
  if (detail === "") return [sound(check, readyFolder)];
  return [{ check, status: "warning", detail, command: "reelmill config" }];
}

async function checkQueues(deps: ServerDependencies): Promise<readonly HealthCheck[]> {
  const { queue, clock } = deps;
  let depths: readonly QueueDepth[] = [];
  const asked = await checkBy("queues", "cannot be read", null, async () => {
    depths = await queue.depths();
    return sound("queues", "nothing waits, and nothing was given up");
  });
  if (asked.status !== "ok") return [asked];
  const used = depths.filter(({ waiting, inFlight, dead, isPaused }) => waiting + inFlight + dead > 0 || isPaused);
  if (used.length === 0) return [asked];
  const hands: Hands = {
    maxWorkers: deps.workers.stats().max,
    startsContainers: deps.batch.startContainer !== undefined,
  };
  return (await Promise.all(used.map((depth) => checkQueue(depth, deps, hands, clock.nowMs())))).flat();
}

/** Who works at tasks. */
interface Hands {
  /** Of this server. */
  readonly maxWorkers: number;
  /** Whether containers are started for jobs. */
  readonly startsContainers: boolean;
}

async function checkQueue(
  depth: QueueDepth,
  { queue }: ServerDependencies,
  hands: Hands,
  nowMs: number,
): Promise<readonly HealthCheck[]> {
  const { queue: name, dead } = depth;
  const check = `queue ${name}`;
  const flow = checkFlow(check, depth, hands, nowMs);
  if (dead === 0) return [flow];
  const given = `${dead} ${dead === 1 ? "task was" : "tasks were"} given up`;
  const command = `reelmill dead-letters list --queue ${name}`;
  const letters = await checkBy(check, `${given}; why cannot be read`, command, async () => {
    const [letter] = await queue.listDead({ queue: name, limit: 1 });
    const why = letter === undefined ? "" : `; the oldest: ${letter.reason.message} (${letter.reason.code})`;
    return { check, status: "warning", detail: `${given}${why}`, command };
  });
  return [flow, letters];
}

function checkFlow(check: string, depth: QueueDepth, hands: Hands, nowMs: number): HealthCheck {
  const { queue, waiting, inFlight, isPaused, oldestDueAtMs } = depth;
  // Of one that is put off after a failure, nobody has to come yet.
  const waitedMs = oldestDueAtMs === null ? 0 : Math.max(0, nowMs - oldestDueAtMs);
  if (isPaused) {
    const detail = `it is paused and hands out nothing; ${waiting} waiting, ${inFlight} in flight`;
    return { check, status: "warning", detail, command: `reelmill queues resume ${queue}` };
  }
  const isLate = waitedMs > nobodyAfterMs(hands.startsContainers);
  if (waiting > 0 && inFlight === 0 && isLate) {
    const { who, command } = whoShould(hands);
    const detail = `${waiting} waiting, the oldest for ${formatElapsedMs(waitedMs)}, and nobody works at any; ${who}`;
    return { check, status: "failed", detail, command };
  }
  const oldest = waiting === 0 ? "" : `, the oldest for ${formatElapsedMs(waitedMs)}`;
  return sound(check, `${inFlight} in flight, ${waiting} waiting${oldest}`);
}

function whoShould({ maxWorkers, startsContainers }: Hands): { readonly who: string; readonly command: string } {
  if (startsContainers) {
    return { who: CONTAINERS_LATE, command: "reelmill jobs list --status queued" };
  }
  if (maxWorkers === 0) return { who: "this server has no workers of its own", command: "reelmill worker" };
  return { who: "the server's log says why its workers do not", command: "reelmill doctor" };
}
