import { Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { acknowledgeWildcards } from "./acknowledge.ts";
import { Api } from "./api.ts";
import { ClipWorkflow } from "./clip-workflow.ts";
import { EventFunctions, type FunctionProps } from "./functions.ts";
import type { OwnPipeline } from "./pipelines.ts";

/** What the stack is made with besides. */
interface InterfaceProps {
  /** Those that get a state machine where they are led by one. */
  readonly pipelines: readonly OwnPipeline[];
}

/** What answers: requests, and events of the other stacks. */
export class InterfaceStack extends Stack {
  readonly api: Api;
  readonly events: EventFunctions;
  /** Undefined: there is no such pipeline. */
  readonly clips: ClipWorkflow | undefined;

  constructor(scope: Construct, id: string, props: StackProps & FunctionProps & InterfaceProps) {
    super(scope, id, props);
    acknowledgeWildcards(this);
    this.api = new Api(this, "Api", props);
    this.events = new EventFunctions(this, "Events", props);
    this.clips = props.pipelines.includes("clip") ? new ClipWorkflow(this, "Clips", props) : undefined;
    const { batch, hls, stereo } = props.work;
    const workers = [hls, ...(stereo ? [stereo.media, stereo.video] : []), ...(this.clips ? [this.clips] : [])];
    const ofWorkers = [...batch.logGroups, ...workers.map(({ logGroup }) => logGroup)];
    this.api.readLogs([...ofWorkers, this.api.logGroup, ...this.events.logGroups]);
  }
}
