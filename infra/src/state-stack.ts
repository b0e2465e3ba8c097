import { Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { ImageRegistry } from "./image-registry.ts";
import { JobTable } from "./job-table.ts";
import type { Settings } from "./settings.ts";
import { Storage } from "./storage.ts";
import { createTaskQueues, type TaskQueues } from "./task-queues.ts";
import { Topics } from "./topics.ts";

/** Everything that holds something: it outlives the other stacks, and is kept where it is itself deleted. */
export class StateStack extends Stack {
  readonly storage: Storage;
  readonly jobTable: JobTable;
  readonly queues: TaskQueues;
  readonly topics: Topics;
  readonly registry: ImageRegistry;

  constructor(scope: Construct, id: string, props: StackProps & { readonly settings: Settings }) {
    super(scope, id, { ...props, terminationProtection: true });
    const { settings } = props;
    this.topics = new Topics(this, "Topics", settings);
    this.storage = new Storage(this, "Storage", settings);
    this.jobTable = new JobTable(this, "Jobs");
    this.queues = createTaskQueues(this, settings, this.topics.alarms);
    this.registry = new ImageRegistry(this, "Image");
  }
}
