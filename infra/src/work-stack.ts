import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import { Cluster, ContainerInsights } from "aws-cdk-lib/aws-ecs";
import type { Construct } from "constructs";
import { acknowledgeWildcards } from "./acknowledge.ts";
import { Batch } from "./batch.ts";
import { GpuService } from "./gpu-service.ts";
import { Network } from "./network.ts";
import type { Settings } from "./settings.ts";
import type { StateStack } from "./state-stack.ts";
import { WorkerService } from "./worker-service.ts";

/** Everything that works at tasks, and the network that it is in. */
export class WorkStack extends Stack {
  readonly batch: Batch;
  readonly cluster: Cluster;
  readonly hls: GpuService;
  /** Splits and reassembles. */
  readonly stereoMedia: WorkerService;
  /** Infers. */
  readonly stereoVideo: WorkerService;

  constructor(scope: Construct, id: string, props: StackProps & { settings: Settings; state: StateStack }) {
    super(scope, id, props);
    const { settings, state } = props;
    acknowledgeWildcards(this);
    const network = new Network(this, "Network", settings);
    this.batch = new Batch(this, "Batch", { settings, state, network });
    this.cluster = new Cluster(this, "Cluster", {
      vpc: network.vpc,
      // The scaling reads from it how many workers there are.
      containerInsightsV2: ContainerInsights.ENABLED,
      enableFargateCapacityProviders: true,
    });
    const common = { settings, state, network, cluster: this.cluster };
    this.hls = new GpuService(this, "Hls", { ...common, takes: ["hls"], sends: ["hls"] });
    const stereo = { ...common, sends: ["chunking", "inference", "reassembly"] as const };
    this.stereoMedia = new WorkerService(this, "StereoMedia", {
      ...stereo,
      takes: ["chunking", "reassembly"],
      maxCapacity: settings.media_worker_max_capacity,
    });
    this.stereoVideo = new WorkerService(this, "StereoVideo", {
      ...stereo,
      takes: ["inference"],
      maxCapacity: settings.ecs_video_worker_max_capacity,
    });
    new CfnOutput(this, "ClusterName", { value: this.cluster.clusterName });
  }
}
