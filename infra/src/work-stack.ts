import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import { Cluster, ContainerInsights, type IBaseService } from "aws-cdk-lib/aws-ecs";
import type { Construct } from "constructs";
import { acknowledgeWildcards } from "./acknowledge.ts";
import { Batch } from "./batch.ts";
import { GpuService } from "./gpu-service.ts";
import { Network } from "./network.ts";
import type { Settings } from "./settings.ts";
import type { StateStack } from "./state-stack.ts";
import type { StereoQueues } from "./task-queues.ts";
import { type WorkerProps, WorkerService } from "./worker-service.ts";

/** The services of `stereo`. */
interface StereoServices {
  /** Splits and reassembles. */
  readonly media: WorkerService;
  /** Infers. */
  readonly video: WorkerService;
}

/** Everything that works at tasks, and the network that it is in. */
export class WorkStack extends Stack {
  readonly batch: Batch;
  readonly cluster: Cluster;
  readonly hls: GpuService;
  /** Undefined: there is no such pipeline. */
  readonly stereo: StereoServices | undefined;
  /** All that take tasks of queues. */
  readonly services: readonly IBaseService[];

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
    const { hls, stereo } = state.queues;
    this.hls = new GpuService(this, "Hls", { ...common, pipeline: "hls", takes: [hls], sends: [hls] });
    this.stereo = stereo && this.#createStereo(stereo, common);
    this.services = [this.hls, ...(this.stereo ? Object.values(this.stereo) : [])].map(({ service }) => service);
    new CfnOutput(this, "ClusterName", { value: this.cluster.clusterName });
  }

  #createStereo(
    { chunking, inference, reassembly }: StereoQueues,
    common: Omit<WorkerProps, "pipeline" | "takes" | "sends">,
  ): StereoServices {
    const stereo = { ...common, pipeline: "stereo", sends: [chunking, inference, reassembly] } as const;
    const { media_worker_max_capacity: media, ecs_video_worker_max_capacity: video } = common.settings;
    return {
      media: new WorkerService(this, "StereoMedia", { ...stereo, takes: [chunking, reassembly], maxCapacity: media }),
      video: new WorkerService(this, "StereoVideo", { ...stereo, takes: [inference], maxCapacity: video }),
    };
  }
}
