import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { OUTPUTS } from "../../src/adapters/aws/stack-names.ts";
import { ImageRegistry } from "./image-registry.ts";
import { JobTable } from "./job-table.ts";
import type { OwnPipeline } from "./pipelines.ts";
import { changedSettings, type Settings } from "./settings.ts";
import { Storage } from "./storage.ts";
import { createTaskQueues, type TaskQueues } from "./task-queues.ts";
import { Topics } from "./topics.ts";

/** What the stack is made with. */
export interface StateProps {
  readonly settings: Settings;
  /** Those that get queues of their own. */
  readonly pipelines: readonly OwnPipeline[];
}

/** Everything that holds something: it outlives the other stacks, and is kept where it is itself deleted. */
export class StateStack extends Stack {
  readonly storage: Storage;
  readonly jobTable: JobTable;
  readonly queues: TaskQueues;
  readonly topics: Topics;
  readonly registry: ImageRegistry;

  constructor(scope: Construct, id: string, props: StackProps & StateProps) {
    super(scope, id, { ...props, terminationProtection: true });
    const { settings, pipelines } = props;
    this.topics = new Topics(this, "Topics", settings);
    this.storage = new Storage(this, "Storage", settings);
    this.jobTable = new JobTable(this, "Jobs");
    this.queues = createTaskQueues(this, { settings, alarms: this.topics.alarms, pipelines });
    this.registry = new ImageRegistry(this, "Image");
    // Read by the next `reelmill deploy`, which would otherwise have the defaults again.
    new CfnOutput(this, OUTPUTS.settings, { value: JSON.stringify(changedSettings(settings)) });
  }
}
