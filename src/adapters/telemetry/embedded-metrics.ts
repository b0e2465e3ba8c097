import type { Clock } from "../../base/clock.ts";
import { METRICS, type MetricName, type Metrics } from "../../jobs/metrics.ts";

/*
 * The embedded metric format (Amazon CloudWatch User Guide, "Specification: Embedded metric format"): a line of JSON in a log, out of which CloudWatch
 * takes values. So there is nothing to call, nothing to wait for, and nothing to lose besides the log.
 */

/** Everything is in it. */
export const NAMESPACE = "Reelmill";
/** Tells several of one account apart, should there be any; stacks set none. */
export const SERVICE = "reelmill";

/** Metrics that are written as lines, each ending in a line feed. */
export function createEmbeddedMetrics(write: (line: string) => void, clock: Clock): Metrics {
  const tell = (dimensions: Readonly<Record<string, string>>, values: Readonly<Record<string, number>>): void => {
    const names = (Object.keys(values) as MetricName[]).filter((name) => Number.isFinite(values[name]));
    if (names.length === 0) return;
    const line = {
      _aws: {
        Timestamp: clock.nowMs(),
        CloudWatchMetrics: [
          {
            Namespace: NAMESPACE,
            Dimensions: [Object.keys(dimensions)],
            Metrics: names.map((Name) => ({ Name, Unit: METRICS[Name].unit })),
          },
        ],
      },
      ...dimensions,
      ...Object.fromEntries(names.map((name) => [name, values[name]])),
    };
    write(`${JSON.stringify(line)}\n`);
  };
  return {
    measure: (pipeline, values) => tell({ Service: SERVICE, Pipeline: pipeline }, values),
    observe: (values) => tell({ Service: SERVICE }, values),
  };
}
