import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import { CfnBudget } from "aws-cdk-lib/aws-budgets";
import { Dashboard, GraphWidget, Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import { addFaultAlarm } from "./fault-alarm.ts";
import type { FunctionProps } from "./functions.ts";
import type { InterfaceStack } from "./interface-stack.ts";
import { namedQueues } from "./task-queues.ts";

/** What the stack of operations looks at. */
type OperationsProps = StackProps & FunctionProps & { readonly interfaces: InterfaceStack };

const MINUTE = Duration.minutes(1);

/** What tells how it goes: dashboard, the alarm for jobs in AWS Batch, and the budget. Alarms for one thing are beside that thing. */
export class OperationsStack extends Stack {
  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id, props);
    this.#addDashboard(props);
    this.#addBatchAlarm(props);
    this.#addBudget(props);
  }

  #addDashboard({ state, work, interfaces }: OperationsProps): void {
    const counted = { period: MINUTE, statistic: "Maximum" };
    const queues = Object.entries(namedQueues(state.queues));
    const waiting = queues.flatMap(([name, { queue }]) => [
      queue.metricApproximateNumberOfMessagesVisible({ ...counted, label: `${name} visible` }),
      queue.metricApproximateNumberOfMessagesNotVisible({ ...counted, label: `${name} in flight` }),
    ]);
    const dead = queues.map(([name, { deadLetters }]) =>
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
          new GraphWidget({ title: "Dead letters", left: dead }),
        ],
        [new GraphWidget({ title: "Workers", left: workers }), new GraphWidget({ title: "Errors", left: errors })],
        [
          new GraphWidget({ title: "Requests", left: [api.metricCount(), api.metricServerError()] }),
          new GraphWidget({ title: "Answer times", left: [api.metricLatency({ statistic: "p99" })] }),
        ],
      ],
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
