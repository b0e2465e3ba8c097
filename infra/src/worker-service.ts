import { Aws, Duration } from "aws-cdk-lib";
import {
  type Cluster,
  ContainerImage,
  CpuArchitecture,
  FargatePlatformVersion,
  FargateService,
  FargateTaskDefinition,
  LogDriver,
  OperatingSystemFamily,
  type TaskDefinition,
} from "aws-cdk-lib/aws-ecs";
import type { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";
import { BacklogScaling } from "./backlog-scaling.ts";
import type { WorkProps } from "./batch.ts";
import { CONTAINER_USER, commonEnvironment, queueEnvironment, WORK_FOLDER } from "./environment.ts";
import { checkedFargateSize } from "./fargate-sizes.ts";
import { createLogGroup } from "./log-groups.ts";
import { allowJobs, allowProtection, allowSending, allowTaking, allowTracing, allowWork } from "./permissions.ts";
import type { OwnPipeline } from "./pipelines.ts";
import type { TaskQueue } from "./task-queues.ts";

/** What a service of workers is made with. */
export interface WorkerProps extends WorkProps {
  readonly cluster: Cluster;
  /** Whose tasks its workers take; also the name of its queue in the engine. */
  readonly pipeline: OwnPipeline;
  /** What wakes its workers. */
  readonly takes: readonly TaskQueue[];
  /** What wakes those who take the next tasks of the pipeline. */
  readonly sends: readonly TaskQueue[];
}

/** Workers of a pipeline's stages on Fargate Spot, from none to as many as there is work for. */
export class WorkerService extends Construct {
  readonly service: FargateService;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: WorkerProps & { readonly maxCapacity: number }) {
    super(scope, id);
    const { settings, network, cluster, takes, maxCapacity } = props;
    const { stereo_vcpu: vcpu, stereo_memory_mb: memoryMb } = settings;
    const size = checkedFargateSize("stereo_vcpu, stereo_memory_mb", { vcpu, memoryMb });
    const taskDefinition = new FargateTaskDefinition(this, "Task", {
      cpu: size.vcpu * 1024,
      memoryLimitMiB: size.memoryMb,
      ephemeralStorageGiB: settings.stereo_ephemeral_storage_gb,
      runtimePlatform: {
        cpuArchitecture: CpuArchitecture.X86_64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
    });
    this.logGroup = addWorker(this, taskDefinition, props);
    this.service = new FargateService(this, "Service", {
      cluster,
      taskDefinition,
      ...FROM_ZERO,
      capacityProviderStrategies: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }],
      platformVersion: FargatePlatformVersion.VERSION1_4,
      vpcSubnets: network.subnets,
      securityGroups: [network.workers],
      assignPublicIp: network.hasPublicAddresses,
    });
    new BacklogScaling(this, "Scaling", {
      settings,
      service: this.service,
      queues: takes.map(({ queue }) => queue),
      messagesPerWorker: settings.messages_per_worker,
      maxCapacity,
    });
  }
}

/** Of every service: without tasks until its queues bring them; a new version may take the place of all tasks at once. */
export const FROM_ZERO = {
  desiredCount: 0,
  minHealthyPercent: 0,
  maxHealthyPercent: 200,
  circuitBreaker: { rollback: true },
} as const;

/**
 * What of the machine's driver the container gets. Where nothing is said it is `compute,utility`: without `libnvidia-encode.so`, for want of which every
 * job would be encoded on the CPU.
 */
const GPU_ENVIRONMENT = { NVIDIA_DRIVER_CAPABILITIES: "compute,video,utility" } as const;

/** Puts the worker into a task, with as many GPUs as are said, and gives its role what it needs. Gives the group of its logs. */
export function addWorker(
  scope: Construct,
  task: TaskDefinition,
  { settings, state, cluster, pipeline, takes, sends }: WorkerProps,
  gpuCount?: number,
): LogGroup {
  acknowledge(task, "AwsSolutions-ECS2", "No variable is a secret: names of resources and modes alone.");
  task.addVolume({ name: "work" });
  const logGroup = createLogGroup(scope, "Logs", settings);
  const container = task.addContainer("Worker", {
    image: ContainerImage.fromEcrRepository(state.registry.repository, settings.image_tag),
    command: ["worker"],
    environment: {
      ...commonEnvironment(state, settings),
      ...queueEnvironment(state, settings),
      AWS_REGION: Aws.REGION,
      TASK_QUEUES: pipeline,
      // Lines are looked for there, so that nothing is shared by way of the bucket.
      CLOUDWATCH_LOG_GROUPS: logGroup.logGroupName,
      ...(gpuCount === undefined ? {} : GPU_ENVIRONMENT),
    },
    user: CONTAINER_USER,
    readonlyRootFilesystem: true,
    stopTimeout: Duration.seconds(settings.worker_stop_timeout_seconds),
    logging: LogDriver.awsLogs({ logGroup, streamPrefix: "worker" }),
    ...(gpuCount === undefined
      ? {}
      : { gpuCount, memoryLimitMiB: settings.gpu_memory_mb, cpu: settings.gpu_vcpu * 1024 }),
  });
  container.addMountPoints({ sourceVolume: "work", containerPath: WORK_FOLDER, readOnly: false });
  const role = task.taskRole;
  allowJobs(role, state);
  allowWork(role, state.storage.objects, pipeline);
  allowSending(role, sends);
  for (const queue of takes) allowTaking(role, queue);
  allowProtection(role, cluster);
  allowTracing(role, settings);
  return logGroup;
}
