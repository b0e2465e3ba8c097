import { setImmediate } from "node:timers/promises";
import { createWorkFolders } from "../../adapters/local/work-folders.ts";
import { systemClock } from "../../base/clock.ts";
import { withoutSecrets } from "../../base/config.ts";
import { createLogger } from "../../base/log.ts";
import { runWorkerLoop } from "../../jobs/worker-loop.ts";
import { ignoreBrokenPipes } from "../broken-pipes.ts";
import { openJobLogs } from "../local-wiring.ts";
import { openTelemetry } from "../telemetry.ts";
import { openParts } from "../wiring.ts";
import { createBell } from "./bell.ts";
import { ALIVE_EVERY_MS, type PoolMessage, type WorkerMessage, type WorkerSettings } from "./worker-settings.ts";

/** Started by the pool alone, which gives the settings as the first argument and listens on the channel. */
async function main(): Promise<void> {
  ignoreBrokenPipes();
  const settings = JSON.parse(process.argv[2] ?? "") as WorkerSettings;
  const { owner, home, leaseMs, idleEndMs, queues, lookMs, metrics, logFormat, logLevel } = settings;
  const controller = new AbortController();
  const bell = createBell();
  const stop = (): void => controller.abort();
  process.on("message", (message: PoolMessage) => {
    if (message === "stop") stop();
    else bell.ring();
  });
  // A worker without its server is nobody's: what it holds goes back.
  process.on("disconnect", stop);
  process.on("SIGTERM", stop);
  // The terminal's Ctrl-C and its end reach the whole group; the server decides what becomes of its workers.
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  process.setMaxListeners(0);
  const log = createLogger({
    format: logFormat,
    level: logLevel,
    write: (line) => process.stderr.write(line),
    writeJson: openJobLogs(home.data).write,
  });
  const write = (line: string): void => void process.stdout.write(line);
  const telemetry = await openTelemetry({ metrics, environment: process.env, write, log, clock: systemClock });
  // Everything of the engine goes through one connection; commits outlive a crash of the process, and what a power cut takes is done again.
  const parts = await openParts(home, { owner, durability: "normal", clock: systemClock, log });
  const tell = (message: WorkerMessage): void => {
    // The channel may close at any time; the listener above then ends the loop.
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  };
  setInterval(() => tell("alive"), ALIVE_EVERY_MS).unref();
  const { store, queue, objects, pipelines, workRoot } = parts;
  const engine = {
    store,
    queue,
    objects,
    pipelines,
    workFolders: createWorkFolders(workRoot, owner),
    log,
    clock: systemClock,
    environment: withoutSecrets(process.env),
    random: Math.random,
    metrics: telemetry.metrics,
    tracer: telemetry.tracer,
  };
  await runWorkerLoop(engine, {
    owner,
    leaseMs,
    queues,
    signal: controller.signal,
    idleEndMs,
    onBusy: (isBusy) => tell(isBusy ? "busy" : "idle"),
    waitForWork: bell.wait,
    ...(lookMs === undefined ? {} : { pollMs: lookMs }),
  });
  parts.close();
  await telemetry.flush();
  // Node fails where the channel is closed between a message's arrival and its handling, which is done within a turn.
  await setImmediate();
  if (process.connected) process.disconnect();
}

await main();
