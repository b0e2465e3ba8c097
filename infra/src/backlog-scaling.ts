import { Duration, Stack } from "aws-cdk-lib";
import {
  type AdjustmentTier,
  AdjustmentType,
  ScalableTarget,
  ServiceNamespace,
  StepScalingAction,
} from "aws-cdk-lib/aws-applicationautoscaling";
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { ApplicationScalingAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { BaseService } from "aws-cdk-lib/aws-ecs";
import { Role } from "aws-cdk-lib/aws-iam";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { type BacklogRule, largestStep, scalingExpressions, scalingMinutes } from "./backlog-rule.ts";
import type { Settings } from "./settings.ts";

/** What a service is scaled by. */
export interface BacklogScalingProps {
  readonly settings: Settings;
  readonly service: BaseService;
  /** All that the service takes tasks from. */
  readonly queues: readonly Queue[];
  readonly messagesPerWorker: number;
  readonly maxCapacity: number;
}

const MINUTE = Duration.minutes(1);

/**
 * Scales a service on what is left to do: visible and in flight together, because a queue whose last message is being worked at looks empty.
 * Target tracking cannot: it divides by capacity, which is zero at first. So there are as many workers wanted as fill up, and the difference
 * to those that there are is what is added or removed. Workers protect themselves while they work.
 */
export class BacklogScaling extends Construct {
  readonly #props: BacklogScalingProps;
  readonly #target: ScalableTarget;
  readonly #metrics: Record<string, IMetric> = {};
  readonly #rule: BacklogRule;

  constructor(scope: Construct, id: string, props: BacklogScalingProps) {
    super(scope, id);
    this.#props = props;
    const { service, queues, maxCapacity, messagesPerWorker, settings } = props;
    this.#rule = {
      messagesPerWorker,
      maxCapacity,
      scaleOutCooldownSeconds: settings.scale_out_cooldown_seconds,
      scaleInCooldownSeconds: settings.scale_in_cooldown_seconds,
      idleMinutesToZero: settings.idle_minutes_to_zero,
    };
    this.#target = new ScalableTarget(this, "Target", {
      serviceNamespace: ServiceNamespace.ECS,
      resourceId: `service/${service.cluster.clusterName}/${service.serviceName}`,
      scalableDimension: "ecs:service:DesiredCount",
      minCapacity: 0,
      maxCapacity,
      // ECS takes no other; without it the library would make one that may do nothing.
      role: serviceLinkedRole(this),
    });
    this.#metrics["workers"] = new Metric({
      namespace: "ECS/ContainerInsights",
      metricName: "DesiredTaskCount",
      dimensionsMap: { ClusterName: service.cluster.clusterName, ServiceName: service.serviceName },
      statistic: "Maximum",
      period: MINUTE,
    });
    const counted = { statistic: "Maximum", period: MINUTE };
    const terms = queues.flatMap((queue, index) => {
      this.#metrics[`visible${index}`] = queue.metricApproximateNumberOfMessagesVisible(counted);
      this.#metrics[`inFlight${index}`] = queue.metricApproximateNumberOfMessagesNotVisible(counted);
      return [`FILL(visible${index}, 0)`, `FILL(inFlight${index}, 0)`];
    });
    const backlog = `(${terms.join(" + ")})`;
    const { shortfall, surplus, empty } = scalingExpressions(backlog, "FILL(workers, 0)", messagesPerWorker);
    const minutes = scalingMinutes(this.#rule);
    this.#addOut(this.#alarm("Short", shortfall, minutes.shortfall));
    this.#addIn(this.#alarm("Idle", surplus, minutes.surplus));
    this.#addToZero(this.#alarm("Empty", empty, minutes.empty));
  }

  #addOut(alarm: Alarm): void {
    const cooldown = Duration.seconds(this.#rule.scaleOutCooldownSeconds);
    this.#act("Out", alarm, AdjustmentType.CHANGE_IN_CAPACITY, cooldown, stepsOf(this.#rule, 1));
  }

  /** Down to one: only a queue that was empty for long makes it none. */
  #addIn(alarm: Alarm): void {
    const cooldown = Duration.seconds(this.#rule.scaleInCooldownSeconds);
    this.#act("In", alarm, AdjustmentType.CHANGE_IN_CAPACITY, cooldown, stepsOf(this.#rule, -1));
  }

  #addToZero(alarm: Alarm): void {
    this.#act("ToZero", alarm, AdjustmentType.EXACT_CAPACITY, MINUTE, [{ lowerBound: 0, adjustment: 0 }]);
  }

  /** In alarm while the expression is 1 or more in each of so many minutes. */
  #alarm(id: string, expression: string, minutes: number): Alarm {
    const metric = new MathExpression({ expression, usingMetrics: this.#metrics, period: MINUTE, label: id });
    return new Alarm(this, id, {
      alarmDescription: `Scales ${this.#props.service.node.id}; not a fault.`,
      metric,
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: minutes,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }

  #act(
    id: string,
    alarm: Alarm,
    adjustmentType: AdjustmentType,
    cooldown: Duration,
    tiers: readonly AdjustmentTier[],
  ): void {
    const action = new StepScalingAction(this, id, { scalingTarget: this.#target, adjustmentType, cooldown });
    for (const tier of tiers) action.addAdjustment(tier);
    alarm.addAlarmAction(new ApplicationScalingAction(action));
  }
}

function serviceLinkedRole(scope: Construct) {
  const resource = "role/aws-service-role/ecs.application-autoscaling.amazonaws.com";
  const resourceName = "AWSServiceRoleForApplicationAutoScaling_ECSService";
  const arn = Stack.of(scope).formatArn({ service: "iam", region: "", resource, resourceName });
  return Role.fromRoleArn(scope, "Role", arn, { mutable: false });
}

/** One worker for a difference of one, two for two, and so on; bounds count from the alarm's threshold, which is one. */
function stepsOf(rule: BacklogRule, sign: 1 | -1): readonly AdjustmentTier[] {
  const count = largestStep(rule);
  return Array.from({ length: count }, (_, index) => ({
    lowerBound: index,
    ...(index === count - 1 ? {} : { upperBound: index + 1 }),
    adjustment: sign * (index + 1),
  }));
}
