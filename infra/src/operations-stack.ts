import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import { CfnBudget } from "aws-cdk-lib/aws-budgets";
import { Dashboard, GraphWidget, Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import type { MetricName } from "../../src/jobs/metrics.ts";
import { addFaultAlarm } from "./fault-alarm.ts";
import type { FunctionProps } from "./functions.ts";
import type { InterfaceStack } from "./interface-stack.ts";
import { namedQueues } from "./task-queues.ts";
import { byPipeline, ofAll } from "./work-metrics.ts";

/** What the stack of operations looks at. */
type OperationsProps = StackProps & FunctionProps & { readonly interfaces: InterfaceStack };

const MINUTE = Duration.minutes(1);

/** What tells how it goes: dashboard, the alarm for jobs in AWS Batch, and the budget. Alarms for one thing are beside that thing. */
export class OperationsStack extends Stack {
  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id, props);
    this.#addDashboard(props);
    this.#addBatchAlarm(props);
    this.#addDeadLetterAlarm(props);
    this.#addBudget(props);
  }

  #addDashboard({ state, work, interfaces }: OperationsProps): void {
    const counted = { period: MINUTE, statistic: "Maximum" };
    const queues = Object.entries(namedQueues(state.queues));
    const waiting = queues.flatMap(([name, { queue }]) => [
      queue.metricApproximateNumberOfMessagesVisible({ ...counted, label: `${name} visible` }),
      queue.metricApproximateNumberOfMessagesNotVisible({ ...counted, label: `${name} in flight` }),
    ]);
    const lost = queues.map(([name, { deadLetters }]) =>
      deadLetters.metricApproximateNumberOfMessagesVisible({ ...counted, label: name }),
    );
    const services = Object.entries({ hls: work.hls, ...work.stereo });
    const workers = services.flatMap(([name, { service }]) =>
      ["DesiredTaskCount", "RunningTaskCount", "PendingTaskCount"].map(
        (metricName) =>
          new Metric({
            namespace: "ECS/ContainerInsights",
            metricName,
            dimensionsMap: { ClusterName: work.cluster.clusterName, ServiceName: service.serviceName },
            label: `${name} ${metricName}`,
            ...counted,
          }),
      ),
    );
    const { objectMade, itemChanged, sweeper } = interfaces.events;
    const functions = { api: interfaces.api.function, objectMade, itemChanged, sweeper };
    const errors = Object.entries(functions).map(([label, each]) => each.metricErrors({ label, period: MINUTE }));
    const { api } = interfaces.api;
    new Dashboard(this, "Dashboard", {
      widgets: [
        [
          new GraphWidget({ title: "Tasks left", left: waiting }),
          new GraphWidget({ title: "Dead letters", left: [ofAll("DeadLetters", "Maximum", MINUTE)] }),
        ],
        ...this.#workWidgets(),
        [new GraphWidget({ title: "Workers", left: workers }), new GraphWidget({ title: "Errors", left: errors })],
        [
          new GraphWidget({ title: "Requests", left: [api.metricCount(), api.metricServerError()] }),
          new GraphWidget({ title: "Answer times", left: [api.metricLatency({ statistic: "p99" })] }),
        ],
        [new GraphWidget({ title: "Messages that led to nothing", left: lost })],
      ],
    });
  }

  /** What workers and functions themselves measure. */
  #workWidgets(): readonly GraphWidget[][] {
    const sums = (...names: readonly MetricName[]) => names.map((name) => byPipeline(name, "Sum", MINUTE));
    const times = (name: MetricName) => ["p50", "p95"].map((statistic) => byPipeline(name, statistic, MINUTE));
    return [
      [
        new GraphWidget({ title: "Jobs", left: sums("JobsSucceeded", "JobsPartial", "JobsFailed") }),
        new GraphWidget({ title: "Failures", left: sums("TasksFailed", "TasksGivenUp") }),
      ],
      [
        new GraphWidget({ title: "Waiting", left: times("QueueWait") }),
        new GraphWidget({ title: "Working", left: times("TaskDuration") }),
      ],
      [new GraphWidget({ title: "Bytes moved", left: sums("BytesRead", "BytesWritten", "BytesCopied") })],
    ];
  }

  /** The table holds them; dead letters of SQS are messages that led to no task, of which others tell. */
  #addDeadLetterAlarm({ settings, state }: OperationsProps): void {
    addFaultAlarm(this, "AnyDeadLetter", {
      description: "Tasks were given up: reelmill dead-letters list names them.",
      metric: ofAll("DeadLetters", "Maximum", Duration.seconds(settings.alarm_period_seconds)),
      topic: state.topics.alarms,
      ignoresSilence: true,
    });
  }

  /** By the events of AWS Batch: it has no metric of failed jobs. */
  #addBatchAlarm({ settings, state, interfaces }: OperationsProps): void {
    addFaultAlarm(this, "BatchFailed", {
      description: "A job in AWS Batch failed; its log says why.",
      metric: new Metric({
        namespace: "AWS/Events",
        metricName: "TriggeredRules",
        dimensionsMap: { RuleName: interfaces.events.batchFailed.ruleName },
        statistic: "Sum",
        period: Duration.seconds(settings.alarm_period_seconds),
      }),
      topic: state.topics.alarms,
    });
  }

  #addBudget({ settings, state }: OperationsProps): void {
    const subscribers = [{ subscriptionType: "SNS", address: state.topics.alarms.topicArn }];
    const notify = (notificationType: "ACTUAL" | "FORECASTED", threshold: number) => ({
      notification: { notificationType, threshold, thresholdType: "PERCENTAGE", comparisonOperator: "GREATER_THAN" },
      subscribers,
    });
    new CfnBudget(this, "Budget", {
      budget: {
        budgetType: "COST",
        timeUnit: "MONTHLY",
        budgetLimit: { amount: settings.monthly_budget_usd, unit: "USD" },
      },
      notificationsWithSubscribers: [notify("ACTUAL", 80), notify("FORECASTED", 100)],
    });
  }
}
