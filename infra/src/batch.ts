import { Aws, CfnOutput, Duration, Size } from "aws-cdk-lib";
import {
  Action,
  EcsFargateContainerDefinition,
  EcsJobDefinition,
  EcsVolume,
  FargateComputeEnvironment,
  JobQueue,
  Reason,
  RetryStrategy,
} from "aws-cdk-lib/aws-batch";
import {
  ContainerImage,
  CpuArchitecture,
  FargatePlatformVersion,
  LogDriver,
  OperatingSystemFamily,
} from "aws-cdk-lib/aws-ecs";
import { type IRole, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { BATCH_DISKS_GB, type FargateSize } from "../../src/base/fargate-sizes.ts";
import { CONTAINER_USER, commonEnvironment, WORK_FOLDER } from "./environment.ts";
import { checkedFargateSize } from "./fargate-sizes.ts";
import { createLogGroup } from "./log-groups.ts";
import type { Network } from "./network.ts";
import { allowJobs, allowTracing, allowWork } from "./permissions.ts";
import type { Settings } from "./settings.ts";
import type { StateStack } from "./state-stack.ts";

/** What is needed to run anything. */
export interface WorkProps {
  readonly settings: Settings;
  readonly state: StateStack;
  readonly network: Network;
}

/** What a job definition is besides what all are. */
interface DefinitionShape {
  /** What is run where whoever submits a job does not say it. */
  readonly command: readonly string[];
  readonly size: FargateSize;
  readonly storageGb: number;
  readonly logGroup: LogGroup;
  readonly jobRole: IRole;
  /** Another definition's; left out: one of its own. */
  readonly executionRole?: IRole | undefined;
}

/** AWS Batch on Fargate Spot: one container for a whole job of `repair` or `convert`. */
export class Batch extends Construct {
  readonly jobQueue: JobQueue;
  /** For each pipeline, what a job is when its submission says no more. */
  readonly jobDefinitions: Readonly<Record<"repair" | "convert", EcsJobDefinition>>;
  /** That of repair with the disk of each size, by GiB. */
  readonly repairDisks: ReadonlyMap<number, EcsJobDefinition>;
  readonly logGroups: readonly LogGroup[];

  constructor(scope: Construct, id: string, props: WorkProps) {
    super(scope, id);
    const { settings, network } = props;
    const computeEnvironment = new FargateComputeEnvironment(this, "Spot", {
      vpc: network.vpc,
      vpcSubnets: network.subnets,
      securityGroups: [network.workers],
      spot: true,
      maxvCpus: settings.batch_max_vcpus,
    });
    this.jobQueue = new JobQueue(this, "Queue", { computeEnvironments: [{ computeEnvironment, order: 1 }] });
    const size = { vcpu: settings.job_vcpu, memoryMb: settings.job_memory_mb };
    const convert = { vcpu: settings.convert_vcpu, memoryMb: settings.convert_memory_mb };
    const repairSize = checkedFargateSize("job_vcpu, job_memory_mb", size);
    const convertSize = checkedFargateSize("convert_vcpu, convert_memory_mb", convert);
    const repairLogs = createLogGroup(this, "RepairLogs", settings);
    const convertLogs = createLogGroup(this, "ConvertLogs", settings);
    this.logGroups = [repairLogs, convertLogs];
    const storageGb = settings.job_ephemeral_storage_gb;
    const repairRole = this.#createRole("RepairRole", "repair", props);
    // The record that `--once` reads is of conversions.
    const ofJob = ["worker", "--job", "Ref::job_id"];
    const repair = { command: ofJob, size: repairSize, logGroup: repairLogs, jobRole: repairRole };
    const jobRole = this.#createRole("ConvertRole", "convert", props);
    const convertShape = { command: ["worker", "--once"], size: convertSize, logGroup: convertLogs, jobRole };
    this.jobDefinitions = {
      repair: this.#define("Repair", { ...repair, storageGb }, props),
      convert: this.#define("Convert", { ...convertShape, storageGb }, props),
    };
    const { executionRole } = this.jobDefinitions.repair.container;
    const defineDisk = (gb: number) => this.#define(`Disk${gb}`, { ...repair, executionRole, storageGb: gb }, props);
    // A job cannot name its disk: for each that it may be sized to there is a definition.
    this.repairDisks = new Map(BATCH_DISKS_GB.map((gb) => [gb, defineDisk(gb)]));
    new CfnOutput(this, "JobQueueArn", { value: this.jobQueue.jobQueueArn });
  }

  #createRole(id: string, pipeline: "repair" | "convert", { settings, state }: WorkProps): Role {
    const role = new Role(this, id, { assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com") });
    allowJobs(role, state);
    allowWork(role, state.storage.objects, pipeline);
    allowTracing(role, settings);
    return role;
  }

  #define(id: string, shape: DefinitionShape, { settings, state, network }: WorkProps): EcsJobDefinition {
    const { command, size, storageGb, logGroup, jobRole, executionRole } = shape;
    const { vcpu, memoryMb } = size;
    const container = new EcsFargateContainerDefinition(this, `${id}Container`, {
      image: ContainerImage.fromEcrRepository(state.registry.repository, settings.image_tag),
      cpu: vcpu,
      memory: Size.mebibytes(memoryMb),
      ephemeralStorageSize: Size.gibibytes(storageGb),
      fargateCpuArchitecture: CpuArchitecture.X86_64,
      fargateOperatingSystemFamily: OperatingSystemFamily.LINUX,
      fargatePlatformVersion: FargatePlatformVersion.VERSION1_4,
      assignPublicIp: network.hasPublicAddresses,
      command: [...command],
      environment: {
        ...commonEnvironment(state, settings),
        AWS_REGION: Aws.REGION,
        CLOUDWATCH_LOG_GROUPS: logGroup.logGroupName,
        // A whole container for one job: as many tasks at a time as there are cores for. Whoever asks for another size says so.
        REELMILL_MAX_WORKERS: String(vcpu),
      },
      jobRole,
      ...(executionRole === undefined ? {} : { executionRole }),
      user: CONTAINER_USER,
      readonlyRootFilesystem: true,
      volumes: [EcsVolume.host({ name: "work", containerPath: WORK_FOLDER })],
      logging: LogDriver.awsLogs({ logGroup, streamPrefix: "batch" }),
    });
    return new EcsJobDefinition(this, id, {
      container,
      timeout: Duration.seconds(settings.job_timeout_seconds),
      retryAttempts: settings.job_retry_attempts,
      // 2 says that the environment is wrong, which the next attempt would find as it is.
      retryStrategies: [RetryStrategy.of(Action.EXIT, Reason.custom({ onExitCode: "2" }))],
      propagateTags: true,
    });
  }
}
