import type { RequestSigner } from "../adapters/telemetry/collector.ts";
import type { OpenSpan } from "../adapters/telemetry/tracer.ts";
import type { Clock } from "../base/clock.ts";
import type { Config, Environment } from "../base/config-defaults.ts";
import type { Logger } from "../base/log.ts";
import type { Tracer } from "../base/tracer.ts";
import { xrayRegionOf } from "../base/xray-endpoint.ts";
import type { ProcessRun } from "../ffmpeg/process.ts";
import type { Metrics } from "../jobs/metrics.ts";

/** What a process tells of its work besides its log. */
export interface Telemetry {
  /** Undefined where nobody asked for it, as `tracer`. */
  readonly metrics: Metrics | undefined;
  readonly tracer: Tracer | undefined;
  /**
   * Sends what is still here; to be waited for before the process ends, or is frozen. With `withinMs` it takes no longer than so many milliseconds, and what a
   * collector that is away did not take is sent by a later one. Never throws.
   */
  flush(withinMs?: number): Promise<void>;
}

/** What it is opened with. */
export interface TelemetryOpening {
  readonly metrics: Config["metrics"];
  readonly environment: Environment;
  /** Takes lines for standard output. */
  readonly write: (line: string) => void;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Of a process that tells nothing. */
export const NO_TELEMETRY: Telemetry = { metrics: undefined, tracer: undefined, flush: async () => undefined };

/** The variables without which nothing is traced; the first that is set says where traces go. */
const ENDPOINTS = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/** Opens what the settings ask for, and loads no more than that. Once in a process: it follows what ffmpeg does there. Throws CONFIG_INVALID. */
export async function openTelemetry(opening: TelemetryOpening): Promise<Telemetry> {
  const metrics = opening.metrics === "emf" ? await openMetrics(opening) : undefined;
  const tracer = endpointIn(opening.environment) === "" ? undefined : await openTracer(opening);
  return { metrics, tracer, flush: async (withinMs) => await tracer?.flush(withinMs) };
}

/** Whether spans of a process with this environment go to X-Ray: their requests are signed, for which it needs what the AWS SDK goes by. */
export function sendsToXray(environment: Environment): boolean {
  return xrayRegionOf(endpointIn(environment)) !== undefined;
}

/** Empty where nothing is traced; not checked. */
function endpointIn(environment: Environment): string {
  return ENDPOINTS.map((name) => environment[name]).find(Boolean) ?? "";
}

async function openMetrics({ write, clock }: TelemetryOpening): Promise<Metrics> {
  const { createEmbeddedMetrics } = await import("../adapters/telemetry/embedded-metrics.ts");
  return createEmbeddedMetrics(write, clock);
}

async function openTracer({ environment, log, clock }: TelemetryOpening): Promise<Tracer | undefined> {
  const [{ readTraceDestination }, { createSpanBuffer }, { createTracer }, { PROCESS_RUNS }] = await Promise.all([
    import("./trace-settings.ts"),
    import("../adapters/telemetry/span-buffer.ts"),
    import("../adapters/telemetry/tracer.ts"),
    import("../ffmpeg/process.ts"),
  ]);
  const destination = readTraceDestination(environment);
  if (destination === undefined) return undefined;
  const { collector, xrayRegion } = destination;
  const resource = { ...collector.resource, "process.pid": process.pid };
  const signer = xrayRegion === undefined ? undefined : await openSigner(xrayRegion, clock);
  const tracer = createTracer(createSpanBuffer({ ...collector, resource, signer }, log, clock), clock);
  const open = new WeakMap<ProcessRun, OpenSpan>();
  const ignored = (): void => undefined;
  PROCESS_RUNS.subscribe({
    start: (run) => {
      const span = tracer.begin(`process ${run.program}`, { "process.executable.name": run.program });
      if (span !== undefined) open.set(run, span);
    },
    end: ignored,
    asyncStart: ignored,
    asyncEnd: (run) => {
      const { error, result } = run as ProcessRun;
      const span = open.get(run);
      if (result !== undefined) span?.set({ "process.exit.code": result.exitCode });
      span?.end(error);
    },
    error: ignored,
  });
  return tracer;
}

async function openSigner(region: string, clock: Clock): Promise<RequestSigner> {
  const { createXraySigner } = await import("../adapters/aws/xray-signer.ts");
  return createXraySigner(region, clock);
}
