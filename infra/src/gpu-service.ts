import { Duration } from "aws-cdk-lib";
import {
  AutoScalingGroup,
  BlockDeviceVolume,
  EbsDeviceVolumeType,
  SpotAllocationStrategy,
} from "aws-cdk-lib/aws-autoscaling";
import { InstanceType, LaunchTemplate, LaunchTemplateHttpTokens, UserData } from "aws-cdk-lib/aws-ec2";
import {
  AmiHardwareType,
  AsgCapacityProvider,
  Ec2Service,
  Ec2TaskDefinition,
  EcsOptimizedImage,
  NetworkMode,
} from "aws-cdk-lib/aws-ecs";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";
import { BacklogScaling } from "./backlog-scaling.ts";
import { GPU_MACHINE } from "./gpu-machine.ts";
import { addWorker, FROM_ZERO, type WorkerProps } from "./worker-service.ts";

/** Workers of `hls` on machines with a GPU: the first on demand, further ones spot, none while there is nothing to do. */
export class GpuService extends Construct {
  readonly service: Ec2Service;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: WorkerProps) {
    super(scope, id);
    const { settings, cluster, takes } = props;
    const capacityProvider = new AsgCapacityProvider(this, "Capacity", {
      autoScalingGroup: this.#machines(props),
      enableManagedScaling: true,
      enableManagedTerminationProtection: true,
      enableManagedDraining: true,
      targetCapacityPercent: 100,
    });
    cluster.addAsgCapacityProvider(capacityProvider);
    // Bridged: a task's own interface would have no way out in a network of public addresses, and the machine's role stays out of reach.
    const taskDefinition = new Ec2TaskDefinition(this, "Task", { networkMode: NetworkMode.BRIDGE });
    this.logGroup = addWorker(this, taskDefinition, props, 1);
    this.service = new Ec2Service(this, "Service", {
      cluster,
      taskDefinition,
      ...FROM_ZERO,
      capacityProviderStrategies: [{ capacityProvider: capacityProvider.capacityProviderName, weight: 1 }],
    });
    new BacklogScaling(this, "Scaling", {
      settings,
      service: this.service,
      queues: takes.map(({ queue }) => queue),
      messagesPerWorker: settings.gpu_messages_per_worker,
      maxCapacity: settings.gpu_max_capacity,
    });
  }

  #machines({ settings, network }: WorkerProps): AutoScalingGroup {
    // The cluster gives it what the agent of ECS needs.
    const role = new Role(this, "MachineRole", { assumedBy: new ServicePrincipal("ec2.amazonaws.com") });
    const userData = UserData.forLinux();
    // The library writes this only for groups that are spot as a whole.
    userData.addCommands("echo ECS_ENABLE_SPOT_INSTANCE_DRAINING=true >> /etc/ecs/ecs.config");
    const launchTemplate = new LaunchTemplate(this, "Machine", {
      machineImage: EcsOptimizedImage.amazonLinux2023(AmiHardwareType.GPU),
      instanceType: new InstanceType(GPU_MACHINE),
      role,
      userData,
      securityGroup: network.workers,
      associatePublicIpAddress: network.hasPublicAddresses,
      httpTokens: LaunchTemplateHttpTokens.REQUIRED,
      // Containers are one hop further away than the machine.
      httpPutResponseHopLimit: 1,
      requireImdsv2: true,
      detailedMonitoring: true,
      blockDevices: [
        {
          deviceName: "/dev/xvda",
          volume: BlockDeviceVolume.ebs(settings.gpu_disk_gb, {
            encrypted: true,
            volumeType: EbsDeviceVolumeType.GP3,
            deleteOnTermination: true,
          }),
        },
      ],
    });
    const machines = new AutoScalingGroup(this, "Machines", {
      vpc: network.vpc,
      vpcSubnets: network.subnets,
      minCapacity: 0,
      maxCapacity: settings.gpu_max_capacity,
      newInstancesProtectedFromScaleIn: true,
      mixedInstancesPolicy: {
        launchTemplate,
        instancesDistribution: {
          onDemandBaseCapacity: settings.gpu_on_demand_base_capacity,
          onDemandPercentageAboveBaseCapacity: settings.gpu_on_demand_percentage_above_base,
          spotAllocationStrategy: SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
        },
        launchTemplateOverrides: [{ instanceType: new InstanceType(GPU_MACHINE) }],
      },
      defaultInstanceWarmup: Duration.minutes(2),
    });
    acknowledge(
      machines,
      "AwsSolutions-EC26",
      "The rule cannot read mixed instances; the disk of their template is encrypted.",
    );
    acknowledge(
      machines,
      "AwsSolutions-AS3",
      "That machines come and go with the work is no news; the dashboard shows how many there are.",
    );
    return machines;
  }
}
