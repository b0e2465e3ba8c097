import { Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { acknowledgeWildcards } from "./acknowledge.ts";
import { Api } from "./api.ts";
import { ClipWorkflow } from "./clip-workflow.ts";
import { EventFunctions, type FunctionProps } from "./functions.ts";

/** What answers: requests, and events of the other stacks. */
export class InterfaceStack extends Stack {
  readonly api: Api;
  readonly events: EventFunctions;
  readonly clips: ClipWorkflow;

  constructor(scope: Construct, id: string, props: StackProps & FunctionProps) {
    super(scope, id, props);
    acknowledgeWildcards(this);
    this.api = new Api(this, "Api", props);
    this.events = new EventFunctions(this, "Events", props);
    this.clips = new ClipWorkflow(this, "Clips", props);
    const { batch, hls, stereoMedia, stereoVideo } = props.work;
    const workers = [...batch.logGroups, ...[hls, stereoMedia, stereoVideo].map(({ logGroup }) => logGroup)];
    this.api.readLogs([...workers, this.api.logGroup, ...this.events.logGroups, this.clips.logGroup]);
  }
}
