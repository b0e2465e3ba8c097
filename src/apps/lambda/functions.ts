import { AsyncLocalStorage } from "node:async_hooks";
import { createWorkFolders } from "../../adapters/local/work-folders.ts";
import { withoutSecrets } from "../../base/config.ts";
import { createDeliver, type World } from "./open.ts";

/** One call of a function. */
export interface Invocation {
  /** Aborted shortly before the function's time is over. */
  readonly signal: AbortSignal;
  /** When that time is over, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly deadlineMs: number;
}

/** Answers an event; what it throws is told as the call's failure. */
export type LambdaFunction = (event: unknown, invocation: Invocation) => Promise<unknown>;

/** What `reelmill-lambda` can be, by the command after it. Each loads only what it needs. */
export const FUNCTIONS: Readonly<Record<string, (world: World) => Promise<LambdaFunction>>> = {
  api: async (world) => {
    const [{ createApi }, { createLambdaServer }] = await Promise.all([
      import("./api.ts"),
      import("./lambda-server.ts"),
    ]);
    // The app is made for a server, whose requests know of no call.
    const calls = new AsyncLocalStorage<AbortSignal>();
    const answer = createApi(await createLambdaServer(world, { findSignal: () => calls.getStore() }));
    return (event, { signal }) => calls.run(signal, () => answer(event));
  },
  "object-made": async ({ home, parts, service, environment, log }) => {
    const [{ onObjectMade }, { readUploadJob }] = await Promise.all([
      import("./object-made.ts"),
      import("./lambda-settings.ts"),
    ]);
    const job = readUploadJob(environment);
    const ports = { bucket: home.bucket, service, pipelines: parts.pipelines, job, log };
    return (event) => onObjectMade(event, ports);
  },
  "item-changed": async (world) => {
    const { onItemChanged } = await import("./item-changed.ts");
    const { care, containers } = world.parts;
    const ports = { care, containers, deliver: createDeliver(world), log: world.log };
    return (event, { signal }) => onItemChanged(event, { ...ports, signal });
  },
  sweep: async (world) => {
    const [{ sweep }, { sweepOld }] = await Promise.all([import("./sweep.ts"), import("../server/maintenance.ts")]);
    const { config, parts, clock, log, telemetry: telling } = world;
    const { care, containers, records, store, queue } = parts;
    const deliver = createDeliver(world);
    return (event, { signal }) => {
      const old = () => sweepOld({ ...parts, logs: undefined, clock, log }, config.server.retentionMs, signal);
      return sweep(event, { care, containers, records, store, queue, deliver, sweepOld: old, log, ...telling });
    };
  },
  state: async ({ config, parts, owner, environment, clock, log, telemetry }) => {
    const { runState } = await import("./run-state.ts");
    const workFolders = createWorkFolders(parts.workRoot, owner);
    const { metrics, tracer } = telemetry;
    const world = { log, clock, environment: withoutSecrets(environment), random: Math.random };
    const ports = { ...parts, ...world, workFolders, metrics, tracer };
    return (event, { signal }) => runState(event, { engine: ports, leaseMs: config.server.leaseMs, signal });
  },
};
