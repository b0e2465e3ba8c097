import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ServerDependencies } from "./dependencies.ts";

/** Figures for Prometheus. */
export interface ServerMetrics {
  readonly mediaType: string;
  /** All of them, as text. */
  render(): Promise<string>;
  /** Counts an answered request; `route` is its pattern, so that there are no more series than routes. */
  observe(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly ms: number;
  }): void;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Metrics on a registry of their own; those of jobs, queues and workers are read when they are asked for. */
export function createMetrics(deps: ServerDependencies, countListeners: () => number): ServerMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: "reelmill_http_request_duration_seconds",
    help: "Time from a request's headers to the end of its answer; streams and uploads left out.",
    labelNames: ["method", "route", "status"],
    buckets: SECONDS,
    registers: [registry],
  });
  const requests = new Counter({
    name: "reelmill_http_requests_total",
    help: "Requests that were answered.",
    labelNames: ["status"],
    registers: [registry],
  });
  addJobGauges(registry, deps);
  addQueueGauges(registry, deps);
  addWorkerGauges(registry, deps);
  new Gauge({
    name: "reelmill_event_listeners",
    help: "Open streams of events.",
    registers: [registry],
    collect() {
      this.set(countListeners());
    },
  });
  return {
    mediaType: registry.contentType,
    render: () => registry.metrics(),
    observe: ({ method, route, status, ms }) => {
      durations.observe({ method, route, status }, ms / 1000);
      requests.inc({ status });
    },
  };
}

function addJobGauges(registry: Registry, { store }: ServerDependencies): void {
  new Gauge({
    name: "reelmill_jobs",
    help: "Jobs by status.",
    labelNames: ["status"],
    registers: [registry],
    async collect() {
      const { byStatus } = await store.count();
      for (const [status, count] of Object.entries(byStatus)) this.set({ status }, count);
    },
  });
}

function addQueueGauges(registry: Registry, { queue }: ServerDependencies): void {
  new Gauge({
    name: "reelmill_queue_messages",
    help: "Messages by queue and state; dead ones were given up.",
    labelNames: ["queue", "state"],
    registers: [registry],
    async collect() {
      this.reset();
      for (const { queue: name, waiting, inFlight, dead } of await queue.depths()) {
        this.set({ queue: name, state: "waiting" }, waiting);
        this.set({ queue: name, state: "in_flight" }, inFlight);
        this.set({ queue: name, state: "dead" }, dead);
      }
    },
  });
}

function addWorkerGauges(registry: Registry, { workers }: ServerDependencies): void {
  new Gauge({
    name: "reelmill_workers",
    help: "Worker processes by state.",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(workers.stats())) this.set({ state }, count);
    },
  });
}
