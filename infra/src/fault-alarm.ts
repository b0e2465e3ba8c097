import { Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";

/** What an alarm is made with. */
interface FaultAlarmProps {
  /** Says what to do about it. */
  readonly description: string;
  /** Counts faults; a single one in one of its periods is an alarm. */
  readonly metric: IMetric;
  /** Told of it. */
  readonly topic: ITopic;
  /** Whether silence says nothing, not even that it is over. */
  readonly ignoresSilence?: boolean;
}

/** Tells of any fault at all. */
export function addFaultAlarm(scope: Construct, id: string, props: FaultAlarmProps): void {
  const { description, metric, topic, ignoresSilence = false } = props;
  const alarm = new Alarm(scope, id, {
    alarmDescription: description,
    metric,
    threshold: 1,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: 1,
    treatMissingData: ignoresSilence ? TreatMissingData.IGNORE : TreatMissingData.NOT_BREACHING,
  });
  alarm.addAlarmAction(new SnsAction(topic));
}

/** Tells of anything in a queue that should be empty. SQS says nothing of queues that nobody touched for hours. */
export function addAnyMessageAlarm(
  scope: Construct,
  id: string,
  queue: Queue,
  topic: ITopic,
  description: string,
): void {
  const metric = queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: "Maximum" });
  addFaultAlarm(scope, id, { description, metric, topic, ignoresSilence: true });
}
