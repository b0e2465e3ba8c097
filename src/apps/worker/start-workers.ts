import type { Clock } from "../../base/clock.ts";
import { withoutOwnSecrets, withoutSecrets } from "../../base/config.ts";
import type { Config, Environment } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { pause } from "../../base/pause.ts";
import type { QueueBound } from "../../jobs/ports.ts";
import type { Home, Listener, Parts } from "../parts.ts";
import { sendsToXray } from "../telemetry.ts";
import { startWorkerPool, type WorkerPool } from "./pool.ts";

/** What workers are started with. */
export interface WorkersOptions {
  readonly home: Home;
  readonly parts: Parts;
  readonly config: Config;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Logger;
  /** The pipelines whose tasks they take; undefined: all. */
  readonly takes?: readonly string[] | undefined;
  /** Hears how many workers are busy, whenever that changes. */
  readonly onBusy?: (busy: number) => void;
}

/** A worker ends after so long without work. */
const IDLE_END_MS = 60_000;
/**
 * While all workers are busy nothing is taken off the bell: another machine may be free. And a slip that leads to nothing, as that of a paused queue,
 * must not lead to the next question at once; one look finds all that waits.
 */
const PAUSE_MS = 1000;
/** What is done is then taken off the bell all the same, so often: else a fleet that is never idle would be scaled by ever more that nobody waits for. */
const TIDY_MS = 30_000;

/** Starts the workers of this machine: a pool, which also hears of what other machines bring. Throws as `startWorkerPool`. */
export async function startWorkers(options: WorkersOptions): Promise<WorkerPool> {
  const { home, parts, config, environment, clock, log, onBusy } = options;
  const queues = boundsOf(options);
  const listener = config.server.maxWorkers === 0 ? undefined : parts.listen?.(queues.map(({ name }) => name));
  const pool = await startWorkerPool({
    queue: parts.queue,
    workRoot: parts.workRoot,
    maxWorkers: config.server.maxWorkers,
    worker: {
      home,
      leaseMs: config.server.leaseMs,
      idleEndMs: IDLE_END_MS,
      queues,
      lookMs: listener?.lookMs,
      metrics: config.metrics,
      logFormat: config.logFormat,
      logLevel: config.logLevel,
    },
    environment: workerEnvironment(home, environment),
    ...{ log, clock, onGone: () => sweepTemporary(parts, log) },
    ...(onBusy === undefined ? {} : { onBusy }),
  });
  if (listener === undefined) return pool;
  const ending = new AbortController();
  const heeding = heed(pool, listener, options.clock, ending.signal);
  return {
    ...pool,
    stop: async () => {
      ending.abort();
      await pool.stop();
      await heeding;
    },
  };
}

/** What worker processes are given of the server's environment. They send spans themselves, and keep what that needs from pipelines. */
export function workerEnvironment(home: Pick<Home, "backend">, environment: Environment): Environment {
  const { OTEL_EXPORTER_OTLP_HEADERS: headers } = environment;
  const asksAws = home.backend === "aws" || sendsToXray(environment);
  const kept = asksAws ? withoutOwnSecrets(environment) : withoutSecrets(environment);
  return headers === undefined ? kept : { ...kept, OTEL_EXPORTER_OTLP_HEADERS: headers };
}

/** On one machine each pipeline bounds its tasks; where there are many machines, each bounds its own workers. */
function boundsOf({ home, parts, config, takes }: WorkersOptions): readonly QueueBound[] {
  const { maxWorkers } = config.server;
  return parts.pipelines.all
    .filter(({ name }) => takes?.includes(name) ?? true)
    .map(({ name, maxConcurrentTasks }) => {
      if (home.backend === "aws") return { name, maxInFlight: Number.MAX_SAFE_INTEGER };
      return { name, maxInFlight: name === "repair" ? maxWorkers : maxConcurrentTasks };
    });
}

async function heed(pool: WorkerPool, listener: Listener, clock: Clock, signal: AbortSignal): Promise<void> {
  let tidyAtMs = clock.monotonicMs() + TIDY_MS;
  while (!signal.aborted) {
    const { busy, max } = pool.stats();
    if (busy < max) {
      await listener.wait(listener.lookMs, signal);
      pool.notify();
    } else if (clock.monotonicMs() >= tidyAtMs) {
      await listener.tidy(signal);
      tidyAtMs = clock.monotonicMs() + TIDY_MS;
    }
    await pause(PAUSE_MS, signal);
  }
  await listener.close();
}

/** A share that is away is swept when the next worker is gone; that it is away, the watch folder tells. */
export async function sweepTemporary(parts: Parts, log: Logger): Promise<void> {
  try {
    await parts.sweepTemporary();
  } catch (error) {
    if (!(error instanceof ReelmillError) || !error.retryable) throw error;
    log.debug("What was left half-written could not be swept everywhere.", { error });
  }
}
