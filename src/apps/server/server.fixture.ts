import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";
import { openDatabase } from "../../adapters/local/database.ts";
import { createJobStore } from "../../adapters/local/job-store.ts";
import { createLocalObjectStore } from "../../adapters/local/object-store.ts";
import { createTaskQueue } from "../../adapters/local/task-queue.ts";
import { systemClock } from "../../base/clock.ts";
import { loadConfig } from "../../base/config.ts";
import type { Json } from "../../base/json.ts";
import { createLogger } from "../../base/log.ts";
import { shippedPrices } from "../../cost/price-table.ts";
import { createPipelineRegistry, definePipeline } from "../../jobs/pipeline.ts";
import { createJobService } from "../../jobs/service.ts";
import { createCostService } from "../cost/cost-service.ts";
import { unexamined } from "../cost/examined-file.ts";
import { createServer } from "./create-server.ts";
import type { ServerDependencies, SystemView } from "./dependencies.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { createLocalBatch } from "./local-batch.ts";

const echo = definePipeline({
  name: "echo",
  description: "Gives back what it gets.",
  params: z.strictObject({ text: z.string().max(100_000), times: z.int().min(1).default(1) }),
  result: z.strictObject({ text: z.string() }),
  onTaskFailure: "fail-job",
  maxConcurrentTasks: 1,
  taskTimeoutMs: 1000,
  plan: async ({ text }) => [{ label: "echo", input: text }],
  work: async (_params, text) => text,
  finish: async ({ text }) => ({ text }),
});

const SYSTEM: SystemView = {
  version: "1.2.3",
  node: "v24",
  platform: "linux",
  cpus: 2,
  memoryBytes: 2,
  freeMemoryBytes: 1,
  disk: { path: "/", totalBytes: 2, freeBytes: 1 },
  ffmpeg: null,
  settings: [{ name: "LOG_LEVEL", value: "info", source: "default" }],
};

const LOOK = { reason: "", signature: "", teaches: true };

/** A server on loopback with a database and objects in a temporary folder. A file plays whose name begins with `good`. */
export async function startServer(changes: Partial<ServerDependencies> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "reelmill-server-"));
  const stopping = new AbortController();
  const lines: string[] = [];
  const database = openDatabase(join(folder, "jobs.db"), "normal");
  const clock = changes.clock ?? systemClock;
  const store = createJobStore(database, clock);
  const queue = createTaskQueue(database, clock);
  const objects = createLocalObjectStore({ root: join(folder, "objects"), mounts: {} });
  const pipelines = changes.pipelines ?? createPipelineRegistry([echo]);
  const service = createJobService({
    ...{ store, queue, pipelines, clock, onWork: () => undefined },
    tracer: changes.tracer,
  });
  const deps: ServerDependencies = {
    version: "1.2.3",
    service,
    store,
    queue,
    objects,
    pipelines,
    log: createLogger({ format: "json", level: "debug", write: (line) => lines.push(line) }),
    clock,
    apiKeyHashes: [],
    limits: DEFAULT_LIMITS,
    cost: createCostService({
      store,
      pipelines: changes.pipelines ?? pipelines,
      prices: shippedPrices(),
      cores: 2,
      examine: async (key) => {
        const info = await objects.head(key);
        return info && { ...unexamined(info.bytes), seconds: 60, widthPixels: 640, heightPixels: 360 };
      },
    }),
    countContainers: undefined,
    workers: { stats: () => ({ desired: 1, running: 1, busy: 0, max: 2 }) },
    system: async () => SYSTEM,
    checkPlace: async () => [],
    ffmpegFault: async () => undefined,
    logs: {
      read: async ({ jobId, limit }) =>
        [{ timestamp: "t", level: "info", message: "m", job_id: jobId } satisfies Json].slice(0, limit),
      delayMs: 0,
    },
    batch: createLocalBatch({
      config: loadConfig({}).server,
      dataFolder: folder,
      objects,
      clock,
      examine: async (path) => ({ ...LOOK, health: basename(path).startsWith("good") ? "healthy" : "damaged" }),
    }),
    watch: undefined,
    deliveries: undefined,
    dashboard: undefined,
    uploadFolder: join(folder, "uploads"),
    signal: stopping.signal,
    ...changes,
  };
  const app = createServer(deps);
  await app.listen({ host: "127.0.0.1", port: 0 });
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  /** Ends the server alone, as a crash would leave its folder. */
  const close = async (): Promise<void> => {
    stopping.abort();
    app.server.closeAllConnections();
    await app.close();
  };
  return {
    ...deps,
    app,
    folder,
    url,
    port,
    lines,
    /** Asks the server; paths are sent as `URL` would normalise them. */
    ask: (path: string, init?: RequestInit) => fetch(url + path, init),
    post: (path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
      fetch(url + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    close,
    stop: async (): Promise<void> => {
      await close();
      database.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** A server under test. */
export type TestServer = Awaited<ReturnType<typeof startServer>>;

/** Sends bytes as they are and gives all that comes back until the server ends the connection. */
export async function sendRaw(port: number, text: string | Buffer): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    answer += chunk;
  });
  socket.on("error", () => resolve(answer));
  socket.on("close", () => resolve(answer));
  socket.write(text);
  return await promise;
}
