import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { listWorkOwners, removeWorkFolders } from "../../adapters/local/work-folders.ts";
import type { Clock } from "../../base/clock.ts";
import type { Environment } from "../../base/config-defaults.ts";
import { createFaultLog, type FaultLog } from "../../base/fault-log.ts";
import { createUuid } from "../../base/ids.ts";
import type { Logger } from "../../base/log.ts";
import { moduleBeside } from "../../base/module-url.ts";
import { identifyThisProcess, isRunning, type ProcessIdentity } from "../../base/process-identity.ts";
import type { TaskQueue } from "../../jobs/ports.ts";
import type { PoolMessage, WorkerMessage, WorkerSettings } from "./worker-settings.ts";

/** How many workers there are. */
export interface PoolStats {
  /** As many as there is work for, up to `max`. */
  readonly desired: number;
  readonly running: number;
  readonly busy: number;
  readonly max: number;
}

/** Starts workers when there is work and tells them of more; they end by themselves when idle. */
export interface WorkerPool {
  /** There may be something new to work at. */
  notify(): void;
  stats(): PoolStats;
  /** Ends all workers; what they hold goes back to its queue. Resolves when they are gone. */
  stop(): Promise<void>;
}

/** What the pool stands on. */
export interface PoolOptions {
  readonly queue: TaskQueue;
  readonly workRoot: string;
  readonly maxWorkers: number;
  readonly worker: Omit<WorkerSettings, "owner">;
  /** Hears how many workers are busy, whenever that changes. */
  readonly onBusy?: (busy: number) => void;
  readonly environment: Environment;
  readonly log: Logger;
  readonly clock: Clock;
  /** Removes what a worker that is gone left half-written in the stores. */
  readonly onGone: () => Promise<void>;
  /** What a worker runs, for tests; default `main` beside this module. */
  readonly workerModule?: string;
}

const WATCH_MS = 500;
/** How long workers have to put back what they hold. */
const STOP_GRACE_MS = 10_000;
/** Workers that end without ever having come to work are replaced more and more slowly: something keeps them from it. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 10_000;
/** A worker is asked about, and its leases are prolonged, this often while one lasts. */
const PROLONGATIONS_PER_LEASE = 3;
/** Who computes, or waits for a slow disk, cannot speak for itself; one that is silent for so long is not waited for. */
const MAX_SILENCE_MS = 10 * 60_000;
const WORKER_MAIN = fileURLToPath(moduleBeside(import.meta.url, "main"));

interface Member {
  readonly owner: string;
  readonly child: ChildProcess;
  /** Whether it has said anything yet. */
  isReady: boolean;
  isBusy: boolean;
  /** By the monotonic clock. */
  heardAtMs: number;
  /** When its leases were last prolonged in its stead, by the monotonic clock. */
  prolongedAtMs: number;
  isGivenUp: boolean;
}

/** A pool at work. */
interface Pool {
  readonly options: PoolOptions;
  readonly members: Set<Member>;
  desired: number;
  isStopping: boolean;
  /** In a row. */
  falseStarts: number;
  /** No worker is started until then, by the monotonic clock. */
  pauseUntilMs: number;
  /** Settles when everything has been cleared that workers left. Never rejects. */
  farewells: Promise<void>;
  /** Settles with the last look at the queue. Never rejects. */
  looking: Promise<void>;
  /** Whether a look was asked for that has not begun. */
  isLookDue: boolean;
  /** Whether somebody told of something new since the queues were counted. */
  isNews: boolean;
  /** When the queues were last counted, by the monotonic clock. */
  countedAtMs: number;
  readonly queueFaults: FaultLog;
}

/** Takes over the work folder, clearing what workers left that are gone, and begins to watch the queue. */
export async function startWorkerPool(options: PoolOptions): Promise<WorkerPool> {
  const { queue, workRoot, maxWorkers } = options;
  await clearAbandoned(queue, workRoot);
  const pool: Pool = {
    options,
    members: new Set(),
    desired: 0,
    isStopping: false,
    falseStarts: 0,
    pauseUntilMs: 0,
    farewells: Promise.resolve(),
    looking: Promise.resolve(),
    isLookDue: false,
    isNews: true,
    countedAtMs: Number.NEGATIVE_INFINITY,
    queueFaults: createFaultLog({
      ...options,
      level: "error",
      message: "The queue could not be read.",
      over: "The queue can be read again.",
    }),
  };
  const watch = setInterval(() => look(pool), WATCH_MS);
  look(pool);
  return {
    notify: () => lookForNews(pool),
    stats: () => ({ desired: pool.desired, running: pool.members.size, busy: countBusy(pool), max: maxWorkers }),
    stop: async () => {
      pool.isStopping = true;
      clearInterval(watch);
      await pool.looking;
      await Promise.all([...pool.members].map(({ child }) => endChild(child)));
      await pool.farewells;
    },
  };
}

function countBusy({ members }: Pool): number {
  return [...members].filter((member) => member.isBusy).length;
}

function lookForNews(pool: Pool): void {
  pool.isNews = true;
  look(pool);
}

/** Looks after the workers, and at the queues where that is due, after the look that is under way. */
function look(pool: Pool): void {
  // One that has not begun sees what all who ask for one meanwhile have to tell: a thousand new jobs are one look.
  if (pool.isLookDue) return;
  pool.isLookDue = true;
  pool.looking = pool.looking
    .then(() => {
      pool.isLookDue = false;
      return measure(pool);
    })
    .catch(pool.queueFaults.failed);
}

/** Starts as many workers as there is work for, and wakes those that have none. */
async function measure(pool: Pool): Promise<void> {
  const { members, options } = pool;
  const { queue, clock, maxWorkers, worker } = options;
  if (pool.isStopping) return;
  for (const member of members) await tendSilent(options, member);
  const nowMs = clock.monotonicMs();
  if (!pool.isNews && nowMs - pool.countedAtMs < (worker.lookMs ?? 0)) return;
  pool.isNews = false;
  pool.countedAtMs = nowMs;
  const waiting = await queue.countWaiting(
    worker.queues.map(({ name }) => name),
    maxWorkers,
  );
  pool.desired = Math.min(maxWorkers, countBusy(pool) + waiting);
  const missing = clock.monotonicMs() < pool.pauseUntilMs ? 0 : pool.desired - members.size;
  for (let count = 0; count < missing; count++) start(pool);
  if (waiting > 0) for (const { child, isBusy } of members) if (!isBusy) tell(child, "wake");
  // Not after every look: most ask the queue nothing.
  pool.queueFaults.worked();
}

function start(pool: Pool): void {
  const { options, members } = pool;
  const { log, clock } = options;
  const member = spawnMember(options);
  const { child, owner } = member;
  members.add(member);
  child.on("message", (message: WorkerMessage) => {
    member.heardAtMs = clock.monotonicMs();
    if (message === "alive") return;
    member.isReady = true;
    pool.falseStarts = 0;
    member.isBusy = message === "busy";
    options.onBusy?.(countBusy(pool));
    if (!member.isBusy) lookForNews(pool);
  });
  child.once("exit", (code, signal) => bury(pool, member, code, signal));
  child.on("error", (error) => {
    log.error("A worker could not be started.", { worker: owner, error });
    bury(pool, member, null, null);
  });
}

/** Takes a worker that has ended out of the pool, and clears what it left. */
function bury(pool: Pool, member: Member, code: number | null, signal: string | null): void {
  const { options, members } = pool;
  const { log, clock } = options;
  if (!members.delete(member)) return;
  const isBad = code !== 0 && !pool.isStopping;
  if (isBad) log.error("A worker was lost.", { worker: member.owner, exit_code: code, signal });
  if (isBad && !member.isReady) {
    pool.pauseUntilMs = clock.monotonicMs() + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** pool.falseStarts);
    pool.falseStarts += 1;
  }
  options.onBusy?.(countBusy(pool));
  pool.farewells = pool.farewells.then(() => clearUp(options, member.owner)).then(() => lookForNews(pool));
}

/** Speaks to a worker that may be ending: that it then does not hear is no failure, and no reason to take it for gone. */
function tell(child: ChildProcess, message: PoolMessage): void {
  if (child.connected) child.send(message, () => undefined);
}

/** Keeps the leases of a worker that is there but says nothing; ends it where that goes on for too long. */
async function tendSilent({ queue, worker, clock, log }: PoolOptions, member: Member): Promise<void> {
  const nowMs = clock.monotonicMs();
  const silentMs = nowMs - member.heardAtMs;
  const isOften = nowMs - member.prolongedAtMs < worker.leaseMs / PROLONGATIONS_PER_LEASE;
  if (member.isGivenUp || silentMs < worker.leaseMs / PROLONGATIONS_PER_LEASE) return;
  if (silentMs >= MAX_SILENCE_MS) {
    log.error("A worker has said nothing for too long and is ended.", { worker: member.owner, silent_ms: silentMs });
    member.isGivenUp = true;
    member.child.kill("SIGKILL");
  } else if (!isOften) {
    await queue.extendOwner(member.owner, worker.leaseMs);
    member.prolongedAtMs = nowMs;
  }
}

function spawnMember({ worker, environment, clock, workerModule = WORKER_MAIN }: PoolOptions): Member {
  const owner = ownerName(clock);
  const settings: WorkerSettings = { ...worker, owner };
  const child = fork(workerModule, [JSON.stringify(settings)], {
    env: environment as NodeJS.ProcessEnv,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    // As the launcher has them, but for the young generation, in MiB: what sockets bring is garbage at once, and is kept for as long as that has room.
    execArgv: ["--no-memory-protection-keys", "--max-semi-space-size=1", "--heap-growing-percent=50"],
  });
  const times = { heardAtMs: clock.monotonicMs(), prolongedAtMs: Number.NEGATIVE_INFINITY };
  return { owner, child, isReady: false, isBusy: false, ...times, isGivenUp: false };
}

/** The server that started a worker is part of the worker's name: where it is gone, the worker soon is too. */
function ownerName(clock: Clock): string {
  const { pid, host, startTicks } = identifyThisProcess();
  return [encodeURIComponent(host), pid, startTicks || "0", createUuid(clock.nowMs())].join("~");
}

function serverOf(owner: string): ProcessIdentity | undefined {
  const [host, pid, startTicks] = owner.split("~");
  if (host === undefined || pid === undefined || startTicks === undefined) return undefined;
  return { host: decodeURIComponent(host), pid: Number(pid), startTicks: startTicks === "0" ? "" : startTicks };
}

async function clearAbandoned(queue: TaskQueue, workRoot: string): Promise<void> {
  for (const owner of await listWorkOwners(workRoot)) {
    const server = serverOf(owner);
    if (server === undefined || isRunning(server)) continue;
    await queue.releaseOwner(owner);
    await removeWorkFolders(workRoot, owner);
  }
}

async function clearUp({ queue, workRoot, log, onGone }: PoolOptions, owner: string): Promise<void> {
  try {
    await queue.releaseOwner(owner);
    await removeWorkFolders(workRoot, owner);
    await onGone();
  } catch (error) {
    // Leases run out by themselves, and the next start clears folders.
    log.error("What a worker left could not be cleared.", { worker: owner, error });
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  tell(child, "stop");
  const kill = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
  await ended;
  clearTimeout(kill);
}
