import { describe, expect, it } from "vitest";
import { ITEM_PATTERNS } from "../../src/apps/lambda/item-patterns.ts";
import { type Json, propertiesOf, resourcesOf, type StackName } from "./templates.fixture.ts";

/* The numbers are written out here, as the contract has them: what is read from the settings would follow their mistakes. */

const DAYS = 86_400;

/** As far as it is looked at here. */
interface Container {
  readonly Environment: readonly { readonly Name: string; readonly Value: Json }[];
}

function queue(idPrefix: string) {
  return propertiesOf("State", "AWS::SQS::Queue", idPrefix);
}

function alarm(stack: StackName, idPrefix: string) {
  return propertiesOf(stack, "AWS::CloudWatch::Alarm", idPrefix);
}

describe("storage", () => {
  it("keeps raw recordings and old versions for 30 days, results for ever", () => {
    const unfinished = {
      Id: "unfinished_upload_days",
      Status: "Enabled",
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
    };
    const old = { Id: "old-versions", Status: "Enabled", NoncurrentVersionExpiration: { NoncurrentDays: 30 } };
    const markers = { Id: "markers-of-nothing", Status: "Enabled", ExpiredObjectDeleteMarker: true };
    const raw = { Id: "raw_file_retention_days", Status: "Enabled", ExpirationInDays: 30 };
    expect(propertiesOf("State", "AWS::S3::Bucket", "StorageObjects")).toMatchObject({
      VersioningConfiguration: { Status: "Enabled" },
      LifecycleConfiguration: { Rules: [{ ...raw, Prefix: "uploads/" }, unfinished, old, markers] },
    });
  });

  it("keeps every log for 30 days", () => {
    const groups = (["Work", "Interface"] as const).flatMap((stack) => resourcesOf(stack, "AWS::Logs::LogGroup"));
    expect(groups.map(([, { Properties }]) => Properties?.["RetentionInDays"])).toEqual(groups.map(() => 30));
    // Flow, two in Batch, three services; five functions and the API's requests.
    expect(groups).toHaveLength(12);
    expect(propertiesOf("State", "AWS::S3::Bucket", "StorageAccessLogs")).toMatchObject({
      LifecycleConfiguration: { Rules: [{ Id: "log_retention_days", ExpirationInDays: 30 }] },
    });
  });
});

describe("queues", () => {
  it.each([
    ["HlsQueueTasks", 600],
    ["ChunkingQueueTasks", 900],
    ["InferenceQueueTasks", 1800],
    ["ReassemblyQueueTasks", 600],
  ])("%s hides messages for %d s, keeps them for 4 days and is asked for 20 s", (id, seconds) => {
    expect(queue(id)).toMatchObject({
      VisibilityTimeout: seconds,
      MessageRetentionPeriod: 4 * DAYS,
      ReceiveMessageWaitTimeSeconds: 20,
      RedrivePolicy: {
        deadLetterTargetArn: { "Fn::GetAtt": [expect.stringContaining("DeadLetters"), "Arn"] },
        maxReceiveCount: 1000,
      },
    });
  });

  it.each(["HlsQueue", "ChunkingQueue", "InferenceQueue", "ReassemblyQueue"])(
    "%s: any dead letter is an alarm",
    (id) => {
      expect(queue(`${id}DeadLetters`)).toMatchObject({ MessageRetentionPeriod: 14 * DAYS });
      const { Dimensions, ...rest } = alarm("State", `${id}AnyDeadLetter`);
      expect(rest).toMatchObject({
        MetricName: "ApproximateNumberOfMessagesVisible",
        Namespace: "AWS/SQS",
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
        Threshold: 1,
        Period: 60,
        EvaluationPeriods: 1,
        AlarmActions: [{ Ref: expect.stringMatching(/^TopicsAlarms/) }],
      });
      expect(JSON.stringify(Dimensions)).toContain(`${id}DeadLetters`);
    },
  );
});

describe("AWS Batch", () => {
  it("has 16 vCPUs of Fargate Spot", () => {
    expect(propertiesOf("Work", "AWS::Batch::ComputeEnvironment")).toMatchObject({
      Type: "managed",
      ComputeResources: { Type: "FARGATE_SPOT", MaxvCpus: 16 },
    });
  });

  it.each([
    ["BatchRepair", "4", "8192", ["worker", "--job", "Ref::job_id"]],
    ["BatchConvert", "2", "4096", ["worker", "--once"]],
  ])("%s has %s vCPUs, %s MB, 100 GB, 7200 s and two attempts", (id, vcpu, memory, command) => {
    expect(propertiesOf("Work", "AWS::Batch::JobDefinition", id)).toMatchObject({
      PlatformCapabilities: ["FARGATE"],
      Timeout: { AttemptDurationSeconds: 7200 },
      RetryStrategy: { Attempts: 2, EvaluateOnExit: [{ Action: "EXIT", OnExitCode: "2" }] },
      ContainerProperties: {
        Command: command,
        EphemeralStorage: { SizeInGiB: 100 },
        ResourceRequirements: [
          { Type: "MEMORY", Value: memory },
          { Type: "VCPU", Value: vcpu },
        ],
        User: "1001",
        ReadonlyRootFilesystem: true,
      },
    });
  });

  it.each([30, 60, 120, 175, 200])("has a definition of repair with %d GB, and with the same roles", (gb) => {
    const properties = (id: string) => {
      const { ContainerProperties } = propertiesOf("Work", "AWS::Batch::JobDefinition", id);
      return ContainerProperties as { readonly [name: string]: Json };
    };
    const usual = properties("BatchRepair");
    expect(properties(`BatchDisk${gb}`)).toEqual({ ...usual, EphemeralStorage: { SizeInGiB: gb } });
  });

  it.each([
    ["BatchRepair", "4"],
    ["BatchConvert", "2"],
  ])("%s works at a task for each of its vCPUs", (id, vcpu) => {
    expect(propertiesOf("Work", "AWS::Batch::JobDefinition", id)).toMatchObject({
      ContainerProperties: {
        Environment: expect.arrayContaining([{ Name: "REELMILL_MAX_WORKERS", Value: vcpu }]),
      },
    });
  });

  it("has the environment that the worker asks for", () => {
    const { ContainerProperties } = propertiesOf("Work", "AWS::Batch::JobDefinition", "BatchConvert");
    const names = ["S3_BUCKET", "DYNAMODB_TABLE", "AWS_REGION", "REELMILL_BACKEND", "REELMILL_DATA", "LOG_FORMAT"];
    for (const name of names) expect(JSON.stringify(ContainerProperties)).toContain(`{"Name":"${name}",`);
  });
});

describe("services", () => {
  it.each([
    ["Hls", 3],
    ["StereoMedia", 10],
    ["StereoVideo", 8],
  ])("%s has 0 to %d workers, none at first", (id, max) => {
    expect(propertiesOf("Work", "AWS::ApplicationAutoScaling::ScalableTarget", id)).toMatchObject({
      MinCapacity: 0,
      MaxCapacity: max,
      ScalableDimension: "ecs:service:DesiredCount",
    });
    expect(propertiesOf("Work", "AWS::ECS::Service", id)).toMatchObject({ DesiredCount: 0 });
  });

  const hls = "(FILL(visible0, 0) + FILL(inFlight0, 0))";
  const media = "(FILL(visible0, 0) + FILL(inFlight0, 0) + FILL(visible1, 0) + FILL(inFlight1, 0))";

  it.each([
    ["Hls", hls, 1],
    ["StereoMedia", media, 10],
    ["StereoVideo", hls, 10],
  ])("%s goes by what is visible and in flight", (id, backlog, perWorker) => {
    const wanted = `CEIL(${backlog} / ${perWorker})`;
    const expressionOf = (name: string) => {
      const { Metrics, ...rest } = alarm("Work", `${id}Scaling${name}`);
      return { ...rest, Expression: Array.isArray(Metrics) ? Metrics[0] : undefined };
    };
    expect(expressionOf("Short")).toMatchObject({
      EvaluationPeriods: 1,
      Threshold: 1,
      Expression: { Expression: `${wanted} - FILL(workers, 0)` },
    });
    expect(expressionOf("Idle")).toMatchObject({
      EvaluationPeriods: 5,
      Threshold: 1,
      Expression: { Expression: `FILL(workers, 0) - IF(${wanted} < 1, 1, ${wanted})` },
    });
    expect(expressionOf("Empty")).toMatchObject({
      EvaluationPeriods: 10,
      Threshold: 1,
      Expression: { Expression: `IF(${backlog} < 1 AND FILL(workers, 0) > 0, 1, 0)` },
    });
    const { Metrics } = alarm("Work", `${id}ScalingShort`);
    const text = JSON.stringify(Metrics);
    for (const name of [
      "ApproximateNumberOfMessagesVisible",
      "ApproximateNumberOfMessagesNotVisible",
      "DesiredTaskCount",
    ]) {
      expect(text).toContain(`"MetricName":"${name}"`);
    }
    for (const period of text.matchAll(/"Period":(\d+)/g)) expect(period[1]).toBe("60");
  });

  it.each(["Hls", "StereoMedia", "StereoVideo"])("%s grows after 60 s, shrinks after 300 s, and goes to zero", (id) => {
    const policy = (name: string) =>
      propertiesOf("Work", "AWS::ApplicationAutoScaling::ScalingPolicy", `${id}Scaling${name}`);
    const steps = (first: number) => [
      expect.objectContaining({ MetricIntervalLowerBound: 0, ScalingAdjustment: first }),
    ];
    expect(policy("Out")).toMatchObject({
      StepScalingPolicyConfiguration: {
        AdjustmentType: "ChangeInCapacity",
        Cooldown: 60,
        StepAdjustments: expect.arrayContaining(steps(1)),
      },
    });
    expect(policy("In")).toMatchObject({
      StepScalingPolicyConfiguration: {
        AdjustmentType: "ChangeInCapacity",
        Cooldown: 300,
        StepAdjustments: expect.arrayContaining(steps(-1)),
      },
    });
    expect(policy("ToZero")).toMatchObject({
      StepScalingPolicyConfiguration: {
        AdjustmentType: "ExactCapacity",
        StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 0 }],
      },
    });
  });

  it("takes a step for every worker that is short, the last one open", () => {
    expect(propertiesOf("Work", "AWS::ApplicationAutoScaling::ScalingPolicy", "HlsScalingOut")).toMatchObject({
      StepScalingPolicyConfiguration: {
        StepAdjustments: [
          { MetricIntervalLowerBound: 0, MetricIntervalUpperBound: 1, ScalingAdjustment: 1 },
          { MetricIntervalLowerBound: 1, MetricIntervalUpperBound: 2, ScalingAdjustment: 2 },
          { MetricIntervalLowerBound: 2, ScalingAdjustment: 3 },
        ],
      },
    });
  });

  it("gives hls machines with a GPU: the first on demand, the others spot, none at rest", () => {
    const machines = propertiesOf("Work", "AWS::AutoScaling::AutoScalingGroup");
    expect(machines).toMatchObject({
      MinSize: "0",
      MaxSize: "3",
      MixedInstancesPolicy: {
        InstancesDistribution: { OnDemandBaseCapacity: 1, OnDemandPercentageAboveBaseCapacity: 0 },
        LaunchTemplate: { Overrides: [{ InstanceType: "g4dn.xlarge" }] },
      },
    });
    expect(machines).not.toHaveProperty("DesiredCapacity");
    const { ContainerDefinitions } = propertiesOf("Work", "AWS::ECS::TaskDefinition", "Hls");
    expect(ContainerDefinitions).toMatchObject([
      { Cpu: 4096, Memory: 15_360, StopTimeout: 120, ResourceRequirements: [{ Type: "GPU", Value: "1" }] },
    ]);
  });

  it("gives workers with a GPU the driver's encoder, and others nothing of a driver's", () => {
    const capabilities = resourcesOf("Work", "AWS::ECS::TaskDefinition").map(([id, { Properties }]) => {
      // As ECS has it.
      const [container] = (Properties?.["ContainerDefinitions"] ?? []) as unknown as readonly Container[];
      const found = container?.Environment.find(({ Name }) => Name === "NVIDIA_DRIVER_CAPABILITIES");
      return [id.replace(/Task[0-9A-F]{8}$/, ""), found?.Value];
    });
    expect(Object.fromEntries(capabilities)).toEqual({
      Hls: "compute,video,utility",
      StereoMedia: undefined,
      StereoVideo: undefined,
    });
  });

  it("lets machines be taken away in order, and containers never be their machine", () => {
    expect(propertiesOf("Work", "AWS::ECS::CapacityProvider")).toMatchObject({
      AutoScalingGroupProvider: {
        ManagedScaling: { Status: "ENABLED", TargetCapacity: 100 },
        ManagedTerminationProtection: "ENABLED",
        ManagedDraining: "ENABLED",
      },
    });
    const { LaunchTemplateData } = propertiesOf("Work", "AWS::EC2::LaunchTemplate");
    expect(LaunchTemplateData).toMatchObject({
      MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
      BlockDeviceMappings: [{ Ebs: { Encrypted: true, VolumeSize: 200 } }],
    });
    expect(JSON.stringify(LaunchTemplateData)).toContain("ECS_ENABLE_SPOT_INSTANCE_DRAINING=true");
  });

  it.each(["StereoMedia", "StereoVideo"])("%s runs on Fargate Spot and has 120 s to stop", (id) => {
    expect(propertiesOf("Work", "AWS::ECS::Service", id)).toMatchObject({
      CapacityProviderStrategy: [{ CapacityProvider: "FARGATE_SPOT", Weight: 1 }],
    });
    expect(propertiesOf("Work", "AWS::ECS::TaskDefinition", id)).toMatchObject({
      Cpu: "4096",
      Memory: "8192",
      EphemeralStorage: { SizeInGiB: 100 },
      ContainerDefinitions: [{ StopTimeout: 120, User: "1001", ReadonlyRootFilesystem: true }],
    });
  });
});

describe("interface", () => {
  it("limits requests, and waits for the app less than API Gateway does", () => {
    expect(propertiesOf("Interface", "AWS::ApiGatewayV2::Stage")).toMatchObject({
      DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
    });
    expect(propertiesOf("Interface", "AWS::Lambda::Function", "ApiServe")).toMatchObject({
      Timeout: 29,
      MemorySize: 1024,
    });
  });

  it.each(["ObjectMade", "ItemChanged", "Sweeper"])("gives the function %s 512 MiB and 60 s", (name) => {
    const { Timeout, MemorySize } = propertiesOf("Interface", "AWS::Lambda::Function", `Events${name}`);
    expect([MemorySize, Timeout]).toEqual([512, 60]);
  });

  it("writes no header, and so no key, into the log of requests", () => {
    const { AccessLogSettings } = propertiesOf("Interface", "AWS::ApiGatewayV2::Stage");
    expect(JSON.stringify(AccessLogSettings)).toContain("$context.status");
    expect(JSON.stringify(AccessLogSettings)).not.toMatch(/header|authorizer/i);
  });

  it("calls functions three times and keeps what they refused", () => {
    const configurations = resourcesOf("Interface", "AWS::Lambda::EventInvokeConfig");
    expect(configurations).toHaveLength(3);
    for (const [, { Properties }] of configurations) expect(Properties).toMatchObject({ MaximumRetryAttempts: 2 });
    expect(propertiesOf("Interface", "AWS::Lambda::EventSourceMapping")).toMatchObject({
      MaximumRetryAttempts: 10,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      StartingPosition: "TRIM_HORIZON",
    });
    expect(propertiesOf("Interface", "AWS::Events::Rule", "EventsEveryMinute")).toMatchObject({
      ScheduleExpression: "rate(1 minute)",
    });
  });

  it("calls a function for those changes of the table alone that it acts on, not for every sign of life", () => {
    const { FilterCriteria } = propertiesOf("Interface", "AWS::Lambda::EventSourceMapping");
    const { Filters } = FilterCriteria as { readonly Filters: readonly { readonly Pattern: string }[] };
    expect(Filters.map(({ Pattern }) => JSON.parse(Pattern))).toEqual(ITEM_PATTERNS);
    // What the service takes, without asking it for more.
    expect(Filters.length).toBeLessThanOrEqual(5);
    for (const { Pattern } of Filters) expect(Pattern.length).toBeLessThanOrEqual(4096);
  });

  it("tells all that start containers where, and what each pipeline's is", () => {
    for (const id of ["ApiServe", "EventsItemChanged", "EventsSweeper"]) {
      const { Environment } = propertiesOf("Interface", "AWS::Lambda::Function", id);
      const { Variables } = Environment as { readonly Variables: Readonly<Record<string, Json>> };
      const named = ["BATCH_JOB_QUEUE", "BATCH_JOB_DEFINITION_REPAIR", "BATCH_JOB_DEFINITION_CONVERT"].map((name) =>
        JSON.stringify(Variables[name]),
      );
      const parts = [/ImportValue.*BatchQueue/, /ImportValue.*BatchRepair/, /ImportValue.*BatchConvert/];
      expect(named).toEqual(parts.map((part) => expect.stringMatching(part)));
      const disks = JSON.stringify(Variables["BATCH_JOB_DEFINITIONS_REPAIR"]);
      for (const gb of [30, 60, 120, 175, 200]) expect(disks).toMatch(new RegExp(`ImportValue[^}]*BatchDisk${gb}`));
    }
  });

  it("calls with uploads, with nothing else of what is written", () => {
    expect(propertiesOf("Interface", "AWS::Events::Rule", "EventsUploaded")).toMatchObject({
      EventPattern: {
        source: ["aws.s3"],
        "detail-type": ["Object Created"],
        detail: { object: { key: [{ prefix: "uploads/" }] } },
      },
    });
    expect(propertiesOf("State", "AWS::S3::Bucket", "StorageObjects")).toMatchObject({
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
    });
  });
});

describe("clips", () => {
  it("are made five at a time, ten minutes each, by a state machine that tries again thrice from two seconds on", () => {
    const { DefinitionString } = propertiesOf("Interface", "AWS::StepFunctions::StateMachine", "Clips");
    const pieces = (DefinitionString as { readonly "Fn::Join": readonly [string, readonly Json[]] })["Fn::Join"][1];
    // What is not known before the deployment is the function's name.
    const text = pieces.map((piece) => (typeof piece === "string" ? piece : "FUNCTION")).join("");
    const retry = { IntervalSeconds: 2, MaxAttempts: 3, BackoffRate: 2 };
    const task = {
      Type: "Task",
      Resource: "FUNCTION",
      TimeoutSeconds: 660,
      Retry: [retry, { ErrorEquals: ["TASK_BUSY"] }],
    };
    expect(JSON.parse(text)).toMatchObject({
      StartAt: "Plan",
      States: {
        Plan: task,
        Work: { Type: "Map", MaxConcurrency: 5, ItemProcessor: { States: { WorkAtTask: task } } },
        Finish: task,
      },
    });
    const state = {
      ImageConfig: { Command: ["state"], EntryPoint: ["reelmill-lambda"] },
      Timeout: 900,
      MemorySize: 3008,
    };
    expect(propertiesOf("Interface", "AWS::Lambda::Function", "ClipsWorkAtState")).toMatchObject(state);
  });
});

describe("operations", () => {
  it("tells of any error of a function, and of any failed batch job, within 5 minutes", () => {
    const common = { Period: 300, EvaluationPeriods: 1, Threshold: 1, Statistic: "Sum" };
    for (const id of ["ApiServeErrors", "EventsObjectMadeErrors", "EventsItemChangedErrors", "EventsSweeperErrors"]) {
      expect(alarm("Interface", id)).toMatchObject({ ...common, Namespace: "AWS/Lambda", MetricName: "Errors" });
    }
    expect(alarm("Operations", "BatchFailed")).toMatchObject({
      ...common,
      Namespace: "AWS/Events",
      MetricName: "TriggeredRules",
    });
    expect(propertiesOf("Interface", "AWS::Events::Rule", "EventsBatchFailed")).toMatchObject({
      EventPattern: { source: ["aws.batch"], detail: { status: ["FAILED"] } },
    });
  });

  it("tells every alarm that is a fault to the topic", () => {
    const alarms = (["State", "Interface", "Operations"] as const).flatMap((stack) =>
      resourcesOf(stack, "AWS::CloudWatch::Alarm"),
    );
    expect(alarms).toHaveLength(12);
    for (const [, { Properties }] of alarms)
      expect(JSON.stringify(Properties?.["AlarmActions"])).toContain("TopicsAlarms");
  });

  it("tells of costs", () => {
    expect(propertiesOf("Operations", "AWS::Budgets::Budget")).toMatchObject({
      Budget: { BudgetType: "COST", TimeUnit: "MONTHLY", BudgetLimit: { Amount: 100, Unit: "USD" } },
      NotificationsWithSubscribers: [
        { Notification: { NotificationType: "ACTUAL", Threshold: 80 }, Subscribers: [{ SubscriptionType: "SNS" }] },
        {
          Notification: { NotificationType: "FORECASTED", Threshold: 100 },
          Subscribers: [{ SubscriptionType: "SNS" }],
        },
      ],
    });
  });
});
