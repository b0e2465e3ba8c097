import type { Duration } from "aws-cdk-lib";
import { type IMetric, MathExpression, Metric } from "aws-cdk-lib/aws-cloudwatch";
import { NAMESPACE, SERVICE } from "../../src/adapters/telemetry/embedded-metrics.ts";
import type { MetricName } from "../../src/jobs/metrics.ts";

/*
 * What workers and functions write to their logs, by the very names that they write: which metrics there are, says the code that measures them.
 */

/** A metric of work, one line for each pipeline that has values; whichever pipelines there will be. */
export function byPipeline(name: MetricName, statistic: string, period: Duration): IMetric {
  const where = `{${NAMESPACE},Service,Pipeline} Service="${SERVICE}" MetricName="${name}"`;
  return new MathExpression({
    expression: `SEARCH('${where}', '${statistic}', ${period.toSeconds()})`,
    usingMetrics: {},
    label: name,
    period,
  });
}

/** A metric of the whole. */
export function ofAll(name: MetricName, statistic: string, period: Duration): Metric {
  return new Metric({
    ...{ namespace: NAMESPACE, metricName: name, dimensionsMap: { Service: SERVICE } },
    ...{ statistic, period },
  });
}
