import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { ReelmillError } from "../../../base/errors.ts";
import { createFaultLog } from "../../../base/fault-log.ts";
import { makeFolder } from "../../../base/make-folder.ts";
import { systemCodeOf } from "../../../base/system-code.ts";
import type { ContainerCount } from "../../../jobs/container-starter.ts";
import { type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies } from "../dependencies.ts";
import { lookAtAll } from "../health-checks.ts";
import { createKeptLook } from "../kept-look.ts";
import type { ServerMetrics } from "../metrics.ts";
import { VIEWS } from "../view-schemas.ts";
import { toQueueView } from "../views.ts";
import { readQueues } from "./queues.ts";

const TAG = "state";
const OK = { description: "Yes.", schema: VIEWS.state };

/** What is served of the server's own state. */
export const STATUS_ROUTES = {
  stats: {
    method: "GET",
    path: "/v1/stats",
    tag: TAG,
    summary: "Jobs, queues and workers in figures",
    answers: { 200: { description: "The figures.", schema: VIEWS.stats } },
    errors: [],
  },
  system: {
    method: "GET",
    path: "/v1/system",
    tag: TAG,
    summary: "The machine, the programs it has, and the configuration",
    answers: { 200: { description: "The system.", schema: VIEWS.system } },
    errors: [],
  },
  checks: {
    method: "GET",
    path: "/v1/checks",
    tag: TAG,
    summary: "What jobs depend on, looked at now: stores, clock, queues, workers, disk, ffmpeg",
    answers: { 200: { description: "What was found.", schema: VIEWS.checks } },
    errors: [],
  },
  metrics: {
    method: "GET",
    path: "/metrics",
    tag: TAG,
    summary: "Metrics for Prometheus",
    answers: { 200: { description: "Text in the format of Prometheus.", mediaType: "text/plain" } },
    errors: [],
  },
  health: {
    method: "GET",
    path: "/health",
    tag: TAG,
    summary: "Whether all is well, the watch folder included",
    answers: { 200: { description: "How it is.", schema: VIEWS.health } },
    errors: [],
    isOpen: true,
  },
  live: {
    method: "GET",
    path: "/health/live",
    tag: TAG,
    summary: "Whether the server answers at all",
    answers: { 200: OK },
    errors: [],
    isOpen: true,
  },
  ready: {
    method: "GET",
    path: "/health/ready",
    tag: TAG,
    summary: "Whether jobs can be taken: the database answers and the disk can be written",
    answers: { 200: OK },
    errors: ["STORE_UNAVAILABLE", "STORE_REFUSED", "NO_SPACE"],
    isOpen: true,
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Asking writes to the disk. */
const READY_KEEP_MS = 2000;
/** AWS bounds how often it is asked, and so many jobs as there are may take several requests. */
const COUNT_KEEP_MS = 10_000;
const COUNT_TIMEOUT_MS = 3000;

/** Serves `STATUS_ROUTES`. */
export function addStatusRoutes(app: FastifyInstance, deps: ServerDependencies, metrics: ServerMetrics): void {
  const { store, workers, system, ffmpegFault, watch, clock, version, batch } = deps;
  const startMs = clock.monotonicMs();
  const readiness = createReadiness(deps);
  const findContainers = createContainerLook(deps);
  serve(app, STATUS_ROUTES.stats, async () => {
    const [jobs, queues, containers] = await Promise.all([store.count(), readQueues(deps), findContainers()]);
    return {
      jobs,
      queues: queues.map(toQueueView),
      workers: workers.stats(),
      containers,
      startsContainers: batch.startContainer !== undefined,
      uptimeSeconds: Math.floor((clock.monotonicMs() - startMs) / 1000),
    };
  });
  serve(app, STATUS_ROUTES.system, () => system());
  serve(app, STATUS_ROUTES.checks, async () => ({ checks: await lookAtAll(deps) }));
  serve(app, STATUS_ROUTES.metrics, async ({ reply }) => {
    const text = await metrics.render();
    return reply.type(metrics.mediaType).send(text);
  });
  serve(app, STATUS_ROUTES.health, async () => {
    const status = watch?.status();
    const fault = await readiness();
    const reason = fault?.message || status?.reason || status?.fault || (await ffmpegFault()) || null;
    return {
      status: reason === null ? "healthy" : "degraded",
      reason,
      service: "reelmill",
      version,
      default_input_bucket: batch.inputBucket,
      default_output_bucket: batch.outputBucket,
      scanner_running: status?.isRunning ?? false,
      known_files: status?.knownFiles.length ?? 0,
      current_reference: status?.currentReference ?? null,
    };
  });
  serve(app, STATUS_ROUTES.live, async () => ({ status: "ok" }));
  serve(app, STATUS_ROUTES.ready, async () => {
    const fault = await readiness();
    if (fault !== undefined) throw fault;
    return { status: "ok" };
  });
}

/** Gives what is in the way of taking jobs; undefined where nothing is. */
function createReadiness({ store, uploadFolder, clock, log }: ServerDependencies) {
  const faults = createFaultLog({
    log,
    clock,
    level: "warn",
    message: "The server cannot take jobs.",
    over: "The server can take jobs again.",
  });
  const probe = async (): Promise<ReelmillError | undefined> => {
    const path = join(uploadFolder, ".ready");
    try {
      await store.lastChange();
      await makeFolder(uploadFolder);
      await writeFile(path, "ready\n");
      await rm(path, { force: true });
      faults.worked();
      return undefined;
    } catch (error) {
      faults.failed(error);
      return unreadiness(error);
    }
  };
  return createKeptLook(clock, READY_KEEP_MS, probe);
}

/** Gives null where there are no containers, and where they cannot be counted: all else that is told is as good without. */
function createContainerLook({ countContainers, clock, log }: ServerDependencies) {
  const faults = createFaultLog({
    log,
    clock,
    level: "warn",
    message: "Containers cannot be counted.",
    over: "Containers can be counted again.",
  });
  return createKeptLook(clock, COUNT_KEEP_MS, async (): Promise<ContainerCount | null> => {
    if (countContainers === undefined) return null;
    try {
      const count = await countContainers(AbortSignal.timeout(COUNT_TIMEOUT_MS));
      faults.worked();
      return count;
    } catch (error) {
      faults.failed(error);
      return null;
    }
  });
}

function unreadiness(error: unknown): ReelmillError {
  if (error instanceof ReelmillError) return error;
  const code = systemCodeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    const advice = "New jobs and uploads are refused until there is room; nothing of what there is gets lost.";
    return new ReelmillError("NO_SPACE", "The disk of the data folder is full.", { cause: error, advice });
  }
  const what = code === undefined ? "The database does not answer" : `The data folder cannot be written (${code})`;
  return new ReelmillError("STORE_UNAVAILABLE", `${what}.`, { cause: error });
}
