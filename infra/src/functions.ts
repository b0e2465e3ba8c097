import { Duration } from "aws-cdk-lib";
import { type IRule, Rule, RuleTargetInput, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  DockerImageCode,
  DockerImageFunction,
  FilterCriteria,
  type IFunction,
  StartingPosition,
  Tracing,
} from "aws-cdk-lib/aws-lambda";
import { SqsDestination } from "aws-cdk-lib/aws-lambda-destinations";
import { DynamoEventSource, SqsDlq } from "aws-cdk-lib/aws-lambda-event-sources";
import type { LogGroup } from "aws-cdk-lib/aws-logs";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { ITEM_PATTERNS } from "../../src/apps/lambda/item-patterns.ts";
import { acknowledge } from "./acknowledge.ts";
import { commonEnvironment, LAMBDA_ENTRY_POINT, LAMBDA_WORK_FOLDER, queueEnvironment } from "./environment.ts";
import { addAnyMessageAlarm, addFaultAlarm } from "./fault-alarm.ts";
import { createLogGroup } from "./log-groups.ts";
import {
  allow,
  allowCounting,
  allowJobs,
  allowLooking,
  allowReading,
  allowRemoving,
  allowSending,
  allowStarting,
  allowTracing,
} from "./permissions.ts";
import type { Settings } from "./settings.ts";
import type { StateStack } from "./state-stack.ts";
import { namedQueues } from "./task-queues.ts";
import type { WorkStack } from "./work-stack.ts";

/** What functions are made with. */
export interface FunctionProps {
  readonly settings: Settings;
  readonly state: StateStack;
  readonly work: WorkStack;
}

/** A function of the image, its log and the alarm for its errors. */
export class ReelmillFunction extends Construct {
  readonly function: DockerImageFunction;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: FunctionProps & FunctionShape) {
    super(scope, id);
    const { settings, state, work, command, memoryMb, timeoutSeconds } = props;
    const logGroup = createLogGroup(this, "Logs", settings);
    this.logGroup = logGroup;
    const role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    allow(role, ["logs:CreateLogStream", "logs:PutLogEvents"], [logGroup.logGroupArn]);
    this.function = new DockerImageFunction(this, "Function", {
      code: DockerImageCode.fromEcr(state.registry.repository, {
        tagOrDigest: settings.image_tag,
        entrypoint: [...LAMBDA_ENTRY_POINT],
        cmd: [command],
      }),
      architecture: Architecture.X86_64,
      memorySize: memoryMb,
      timeout: Duration.seconds(timeoutSeconds),
      tracing: Tracing.ACTIVE,
      environment: {
        ...commonEnvironment(state, settings),
        ...queueEnvironment(state, settings),
        ...batchEnvironment(work),
        REELMILL_DATA: LAMBDA_WORK_FOLDER,
        REELMILL_RETENTION_DAYS: String(settings.job_retention_days),
        ...props.environment,
      },
      logGroup,
      role,
      ...(props.lostEvents === undefined
        ? {}
        : { retryAttempts: settings.event_attempts - 1, onFailure: new SqsDestination(props.lostEvents) }),
    });
    if (props.tellsWebhooks) this.#giveWebhookSecrets(settings);
    allowJobs(role, state);
    allowSending(role, Object.values(namedQueues(state.queues)));
    allowTracing(role, settings);
    addFaultAlarm(this, "Errors", {
      description: `${id} failed; its log says why.`,
      metric: this.function.metricErrors({ period: Duration.seconds(settings.alarm_period_seconds), statistic: "Sum" }),
      topic: state.topics.alarms,
    });
  }

  /** By reference: the function reads the secret when it starts, so that it is in no template and no setting. */
  #giveWebhookSecrets({ webhook_secrets_arn: arn }: Settings): void {
    if (arn === undefined) return;
    this.function.addEnvironment("WEBHOOK_SECRETS_ARN", arn);
    allow(this.function, ["secretsmanager:GetSecretValue"], [arn]);
  }
}

/** What one function is besides what all are. */
export interface FunctionShape {
  /** What the image runs for it. */
  readonly command: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Takes events that the function failed at in every attempt; for functions that are called by events. */
  readonly lostEvents?: Queue;
  /** Whether it takes jobs with webhooks or sends these, and so has to sign them. */
  readonly tellsWebhooks?: boolean;
}

function batchEnvironment({ batch }: WorkStack): Record<string, string> {
  const disks = [...batch.repairDisks].map(([gb, { jobDefinitionArn }]) => `"${gb}":"${jobDefinitionArn}"`);
  return {
    BATCH_JOB_QUEUE: batch.jobQueue.jobQueueArn,
    BATCH_JOB_DEFINITION_REPAIR: batch.jobDefinitions.repair.jobDefinitionArn,
    // Put together by hand: the ARNs are tokens.
    BATCH_JOB_DEFINITIONS_REPAIR: `{${disks.join(",")}}`,
    BATCH_JOB_DEFINITION_CONVERT: batch.jobDefinitions.convert.jobDefinitionArn,
  };
}

/** The functions that events call: a new object begins a task, a changed item moves its job on, and every minute what got lost is looked for. */
export class EventFunctions extends Construct {
  readonly objectMade: IFunction;
  readonly itemChanged: IFunction;
  readonly sweeper: IFunction;
  readonly logGroups: readonly LogGroup[];
  /** Events that no attempt could do anything about. */
  readonly lostEvents: Queue;
  /** Matches when a job in AWS Batch fails. */
  readonly batchFailed: IRule;

  constructor(scope: Construct, id: string, props: FunctionProps) {
    super(scope, id);
    const { settings, state } = props;
    this.lostEvents = new Queue(this, "LostEvents", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.seconds(settings.dead_letter_retention_seconds),
    });
    acknowledge(this.lostEvents, "AwsSolutions-SQS3", "It takes what others failed at, and is itself the last.");
    const common = { ...props, memoryMb: settings.event_memory_mb, timeoutSeconds: settings.event_timeout_seconds };
    const create = (name: string, shape: Pick<FunctionShape, "command" | "environment" | "tellsWebhooks">) =>
      new ReelmillFunction(this, name, { ...common, ...shape, lostEvents: this.lostEvents });
    const { object_made_job: job } = settings;
    const [objectMade, itemChanged, sweeper] = [
      create("ObjectMade", { command: "object-made", ...(job && { environment: { OBJECT_MADE_JOB: job } }) }),
      create("ItemChanged", { command: "item-changed", tellsWebhooks: true }),
      create("Sweeper", { command: "sweep", tellsWebhooks: true }),
    ];
    this.objectMade = objectMade.function;
    this.itemChanged = itemChanged.function;
    this.sweeper = sweeper.function;
    this.logGroups = [objectMade, itemChanged, sweeper].map(({ logGroup }) => logGroup);
    allowReading(this.objectMade, state.storage.objects);
    const { batch } = props.work;
    for (const starts of [this.itemChanged, this.sweeper]) {
      // A container is sized by the recordings that its job names.
      allowReading(starts, state.storage.objects);
      allowStarting(starts, batch.jobQueue, [...Object.values(batch.jobDefinitions), ...batch.repairDisks.values()]);
    }
    allowLooking(this.sweeper);
    // What is old.
    allowRemoving(this.sweeper, state.storage.objects, ["uploads/*", "outputs/*", "batches/*", "logs/*"]);
    allowCounting(this.sweeper, state);
    this.#callOnObjects(state);
    this.#callOnItems(props);
    this.batchFailed = this.#callOnTime(props);
    const advice = "Events were given up: the queue of lost events has them, the functions' logs say why.";
    addAnyMessageAlarm(this, "AnyLostEvent", this.lostEvents, state.topics.alarms, advice);
  }

  #callOnObjects({ storage }: StateStack): void {
    const object = { key: [{ prefix: "uploads/" }] };
    new Rule(this, "Uploaded", {
      eventPattern: {
        source: ["aws.s3"],
        detailType: ["Object Created"],
        detail: { bucket: { name: [storage.objects.bucketName] }, object },
      },
      targets: [new LambdaFunction(this.objectMade)],
    });
  }

  #callOnItems({ settings, state }: FunctionProps): void {
    this.itemChanged.addEventSource(
      new DynamoEventSource(state.jobTable.table, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        retryAttempts: settings.stream_retry_attempts,
        bisectBatchOnError: true,
        filters: ITEM_PATTERNS.map((pattern) => FilterCriteria.filter(pattern)),
        reportBatchItemFailures: true,
        onFailure: new SqsDlq(this.lostEvents),
      }),
    );
  }

  #callOnTime({ settings, work }: FunctionProps): Rule {
    new Rule(this, "EveryMinute", {
      schedule: Schedule.rate(Duration.minutes(settings.sweep_interval_minutes)),
      targets: [new LambdaFunction(this.sweeper, { event: RuleTargetInput.fromObject({ reason: "time" }) })],
    });
    // A container that was killed could record nothing.
    return new Rule(this, "BatchFailed", {
      eventPattern: {
        source: ["aws.batch"],
        detailType: ["Batch Job State Change"],
        detail: { status: ["FAILED"], jobQueue: [work.batch.jobQueue.jobQueueArn] },
      },
      targets: [new LambdaFunction(this.sweeper)],
    });
  }
}
