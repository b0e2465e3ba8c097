/** What is counted or measured about one thing. */
interface MetricNotes {
  /** As CloudWatch names it. */
  readonly unit: "Count" | "Milliseconds" | "Bytes";
  /** For whom it is summed up: `pipeline` apart by pipeline, `all` over everything. */
  readonly of: "pipeline" | "all";
  readonly meaning: string;
}

/** Every metric of work, by its name; stacks, dashboards and the guide take the names from here. A name is never used for something else. */
export const METRICS = {
  JobsSucceeded: { unit: "Count", of: "pipeline", meaning: "jobs that ended as succeeded" },
  JobsPartial: { unit: "Count", of: "pipeline", meaning: "jobs that ended as partial" },
  JobsFailed: { unit: "Count", of: "pipeline", meaning: "jobs that ended as failed" },
  QueueWait: { unit: "Milliseconds", of: "pipeline", meaning: "from a job's submission until a worker first took it" },
  TaskDuration: { unit: "Milliseconds", of: "pipeline", meaning: "one attempt at a task, however it ended" },
  TasksFailed: { unit: "Count", of: "pipeline", meaning: "attempts that failed, those that are tried again included" },
  BytesRead: { unit: "Bytes", of: "pipeline", meaning: "content that one attempt had from the store" },
  BytesWritten: { unit: "Bytes", of: "pipeline", meaning: "content that one attempt sent to the store" },
  BytesCopied: {
    unit: "Bytes",
    of: "pipeline",
    meaning: "content that the store copied from itself for one attempt",
  },
  TasksGivenUp: { unit: "Count", of: "pipeline", meaning: "tasks that became dead letters" },
  DeadLetters: { unit: "Count", of: "all", meaning: "dead letters that there are, whenever the sweeper looks" },
} as const satisfies Readonly<Record<string, MetricNotes>>;

/** Name of a metric. */
export type MetricName = keyof typeof METRICS;

type NameOf<Of extends MetricNotes["of"]> = {
  [Name in MetricName]: (typeof METRICS)[Name]["of"] extends Of ? Name : never;
}[MetricName];

/** Takes what is measured; handed in, never global. Never throws: what cannot be told holds no work up. */
export interface Metrics {
  /** Values of one thing that happened to a job of the pipeline, in the units of `METRICS`. */
  measure(pipeline: string, values: Readonly<Partial<Record<NameOf<"pipeline">, number>>>): void;
  /** Values of the whole, as they are now. */
  observe(values: Readonly<Partial<Record<NameOf<"all">, number>>>): void;
}
