import { CfnOutput, Duration, RemovalPolicy } from "aws-cdk-lib";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { addAnyMessageAlarm } from "./fault-alarm.ts";
import type { OwnPipeline } from "./pipelines.ts";
import type { Settings } from "./settings.ts";

/** A queue of tasks and what could not be done of it. */
export class TaskQueue extends Construct {
  /** Where tasks wait. */
  readonly queue: Queue;
  /** Where those go that were received too often. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: TaskQueueProps) {
    super(scope, id);
    const { settings, alarms, visibilitySeconds, retentionSeconds } = props;
    const common = {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
      receiveMessageWaitTime: Duration.seconds(settings.SQS_LONG_POLL_WAIT_SECONDS),
    };
    this.deadLetters = new Queue(this, "DeadLetters", {
      ...common,
      retentionPeriod: Duration.seconds(settings.dead_letter_retention_seconds),
    });
    this.queue = new Queue(this, "Tasks", {
      ...common,
      visibilityTimeout: Duration.seconds(visibilitySeconds),
      retentionPeriod: Duration.seconds(retentionSeconds),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: settings.maxReceiveCount },
    });
    const advice = `No worker came when ${id} called: the tasks are in the table, and lost is nothing. See why nobody works at them (reelmill diagnose), then purge the dead letters.`;
    addAnyMessageAlarm(this, "AnyDeadLetter", this.deadLetters, alarms, advice);
    new CfnOutput(this, "Url", { value: this.queue.queueUrl });
    new CfnOutput(this, "DeadLettersUrl", { value: this.deadLetters.queueUrl });
  }
}

/** What a queue of tasks is made with. */
export interface TaskQueueProps {
  readonly settings: Settings;
  /** Told when there is a dead letter. */
  readonly alarms: ITopic;
  readonly visibilitySeconds: number;
  readonly retentionSeconds: number;
}

/** The contract's queues of `stereo`, by what its tasks do. */
export type StereoQueues = Readonly<Record<"chunking" | "inference" | "reassembly", TaskQueue>>;

/** The queues of the pipelines that services work at. */
export interface TaskQueues {
  readonly hls: TaskQueue;
  /** Undefined: there is no such pipeline. */
  readonly stereo: StereoQueues | undefined;
}

/** The queues there are, by names for people. */
export function namedQueues({ hls, stereo }: TaskQueues): Readonly<Record<string, TaskQueue>> {
  return { hls, ...stereo };
}

/** What queues are made with. */
export interface TaskQueuesProps {
  readonly settings: Settings;
  /** Told when there is a dead letter. */
  readonly alarms: ITopic;
  readonly pipelines: readonly OwnPipeline[];
}

/** Makes the queues of those of the pipelines that services work at. */
export function createTaskQueues(scope: Construct, { settings, alarms, pipelines }: TaskQueuesProps): TaskQueues {
  const create = (id: string, visibilitySeconds: number, retentionSeconds: number): TaskQueue =>
    new TaskQueue(scope, id, { settings, alarms, visibilitySeconds, retentionSeconds });
  const retention = settings.stereo_message_retention_seconds;
  const createStereo = (): StereoQueues => ({
    chunking: create("ChunkingQueue", settings.chunking_visibility_timeout_seconds, retention),
    inference: create("InferenceQueue", settings.inference_visibility_timeout_seconds, retention),
    reassembly: create("ReassemblyQueue", settings.reassembly_visibility_timeout_seconds, retention),
  });
  return {
    hls: create("HlsQueue", settings.hls_visibility_timeout_seconds, settings.hls_message_retention_seconds),
    stereo: pipelines.includes("stereo") ? createStereo() : undefined,
  };
}
