import { z } from "zod";
import type { CountedService } from "../adapters/aws/container-counter.ts";
import type { BatchTarget } from "../adapters/aws/container-starter.ts";
import type { Environment, ServerConfig } from "../base/config-defaults.ts";
import { ReelmillError } from "../base/errors.ts";
import {
  commaSeparated,
  JSON_TEXT,
  readSettings,
  type Setting,
  type SettingNotes,
  wholeNumber,
} from "../base/setting.ts";
import { PLACE_SETTINGS } from "./place-settings.ts";

/** Where a Reelmill on AWS keeps everything. No secrets: credentials come by the SDK's own chain alone. */
export interface AwsHome {
  readonly backend: "aws";
  /** Folder on this machine for what is being worked at, unfinished uploads and logs. */
  readonly data: string;
  readonly region: string;
  readonly bucket: string;
  readonly table: string;
  /** Undefined: AWS itself. */
  readonly s3Endpoint: string | undefined;
  readonly dynamoDbEndpoint: string | undefined;
  readonly sqsEndpoint: string | undefined;
  readonly snsEndpoint: string | undefined;
  readonly logsEndpoint: string | undefined;
  /** Groups of CloudWatch Logs that workers and functions write to; none: their lines are not looked for. */
  readonly logGroups: readonly string[];
  /** Hears of every job that ends; undefined: no topic does. */
  readonly topicArn: string | undefined;
  /** The SQS queue of each pipeline that has one. */
  readonly queueUrls: Readonly<Record<string, string>>;
  /** How long one question for slips waits at a queue, 0 to 20. */
  readonly longPollSeconds: number;
  /** What starts containers for jobs; undefined: nothing does, their tasks wait for workers. */
  readonly containers: ContainerPlace | undefined;
  /** Services of ECS whose workers take tasks of the queues. */
  readonly services: readonly CountedService[];
  /** Undefined: AWS itself. */
  readonly ecsEndpoint: string | undefined;
}

/** A queue of AWS Batch, and what is run there; the definition of repair is there. */
export interface ContainerPlace extends BatchTarget {
  /** Undefined: AWS itself. */
  readonly endpoint: string | undefined;
}

const QUEUE_URLS = JSON_TEXT.pipe(
  z.record(z.string().regex(/^[a-z][a-z0-9-]{0,63}$/), z.url({ protocol: /^https?$/ })),
);

const HOME_SETTINGS = {
  ...PLACE_SETTINGS,
  SQS_QUEUE_URLS: {
    schema: QUEUE_URLS.default({}),
    notes: {
      meaning:
        "The queue in SQS of each pipeline that has one. A message there wakes a worker at once and is counted by what scales the workers; tasks of other pipelines are found by looking into the table.",
      allowed: 'a JSON object of pipelines and URLs, such as {"hls":"https://sqs.eu-central-1.amazonaws.com/1234/hls"}',
      unset: "",
    },
  },
  SNS_TOPIC_ARN: {
    schema: z
      .string()
      .regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/)
      .optional(),
    notes: {
      meaning: "The topic in SNS that hears of every job that ends, as webhooks do.",
      allowed: "the ARN of a topic, such as arn:aws:sns:eu-central-1:123456789012:completions",
      unset: "",
    },
  },
  CLOUDWATCH_LOG_GROUPS: {
    schema: commaSeparated(z.string().regex(/^[\w./#-]{1,512}$/)).default([]),
    notes: {
      meaning:
        "The groups of CloudWatch Logs that servers, workers and functions write to: what they hold of a job is part of its log. Needs the right `logs:FilterLogEvents` on each.",
      allowed: "names of log groups, separated by commas",
      unset: "",
    },
  },
  ECS_SERVICES: {
    schema: commaSeparated(z.string().regex(/^[\w-]{1,255}\/[\w-]{1,255}$/)).default([]),
    notes: {
      meaning:
        "The services of ECS whose workers are counted for `GET /v1/stats` and `monitor`, together with the containers of `BATCH_JOB_QUEUE`. Needs the rights `ecs:DescribeServices` and `batch:ListJobs`. Read by servers and functions.",
      allowed: "names of clusters and services, such as mill/gpu, separated by commas",
      unset: "those of no service are counted",
    },
  },
  SQS_LONG_POLL_WAIT_SECONDS: {
    schema: wholeNumber(0, 20).default(20),
    notes: {
      meaning: "How long one question for messages waits at a queue.",
      allowed: "a whole number of seconds from 0 to 20",
      unset: "20",
    },
  },
} as const satisfies Readonly<Record<string, Setting>>;

const BATCH_NAME = z.string().regex(/^[A-Za-z0-9:/_-]{1,512}$/);

const CONTAINER_SETTINGS = {
  BATCH_JOB_QUEUE: {
    schema: BATCH_NAME.optional(),
    notes: {
      meaning:
        "The job queue of AWS Batch that gets a container for each `POST /submit-batch`, of the size that its answer tells; from the function `item-changed`, for each job of a pipeline that has a job definition and no queue in `SQS_QUEUE_URLS`. Needs `BATCH_JOB_DEFINITION_REPAIR`. Read by servers and functions.",
      allowed: "a name or an ARN",
      unset: "none is started",
    },
  },
  BATCH_JOB_DEFINITION_REPAIR: {
    schema: BATCH_NAME.optional(),
    notes: {
      meaning:
        "What a container for a job of `repair` is: a job definition whose image runs `reelmill`, with the settings of a worker.",
      allowed: "a name or an ARN",
      unset: "",
    },
  },
  BATCH_JOB_DEFINITIONS_REPAIR: {
    schema: JSON_TEXT.pipe(z.record(z.string().regex(/^[1-9]\d{1,2}$/), BATCH_NAME)).default({}),
    notes: {
      meaning:
        "The same with other disks, because AWS Batch lets nobody choose the disk of a single job: a job of `repair` gets the one with the least disk that is enough for its recordings, or else the one with the most.",
      allowed: 'a JSON object of GiB of disk and names or ARNs, such as {"30":"repair-30","200":"repair-200"}',
      unset: "all get `BATCH_JOB_DEFINITION_REPAIR`",
    },
  },
  BATCH_JOB_DEFINITION_CONVERT: {
    schema: BATCH_NAME.optional(),
    notes: {
      meaning: "The same for a job of `convert`; its size is the definition's.",
      allowed: "a name or an ARN",
      unset: "none is started for such",
    },
  },
} as const satisfies Readonly<Record<string, Setting>>;

const WORKER_SETTINGS = {
  TASK_QUEUES: {
    schema: commaSeparated(z.string().regex(/^[a-z][a-z0-9-]{0,63}$/)).default([]),
    notes: {
      meaning: "The pipelines whose tasks `reelmill worker` takes; none: those of all.",
      allowed: "names of pipelines, separated by commas",
      unset: "",
    },
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** Reads where everything is. Throws CONFIG_INVALID naming every variable that is missing or not allowed. */
export function readAwsHome(environment: Environment, server: ServerConfig, data: string): AwsHome {
  const settings = readSettings(environment, HOME_SETTINGS);
  const { s3Endpoint, dynamoDbEndpoint, sqsEndpoint, snsEndpoint, logsEndpoint, batchEndpoint, ecsEndpoint } = server;
  return {
    backend: "aws",
    data,
    region: settings.AWS_REGION,
    bucket: settings.S3_BUCKET,
    table: settings.DYNAMODB_TABLE,
    ...{ s3Endpoint, dynamoDbEndpoint, sqsEndpoint, snsEndpoint, logsEndpoint },
    logGroups: settings.CLOUDWATCH_LOG_GROUPS,
    topicArn: settings.SNS_TOPIC_ARN,
    queueUrls: settings.SQS_QUEUE_URLS,
    longPollSeconds: settings.SQS_LONG_POLL_WAIT_SECONDS,
    containers: readContainers(environment, batchEndpoint),
    services: settings.ECS_SERVICES.map(toService),
    ecsEndpoint,
  };
}

function toService(text: string): CountedService {
  const [cluster = "", service = ""] = text.split("/");
  return { cluster, service };
}

function readContainers(environment: Environment, endpoint: string | undefined): ContainerPlace | undefined {
  const settings = readSettings(environment, CONTAINER_SETTINGS);
  const { BATCH_JOB_QUEUE: jobQueue, BATCH_JOB_DEFINITION_REPAIR: repair } = settings;
  const { BATCH_JOB_DEFINITION_CONVERT: convert, BATCH_JOB_DEFINITIONS_REPAIR: disks } = settings;
  const others = [
    ...(convert === undefined ? [] : ["BATCH_JOB_DEFINITION_CONVERT"]),
    ...(Object.keys(disks).length === 0 ? [] : ["BATCH_JOB_DEFINITIONS_REPAIR"]),
  ];
  if (jobQueue === undefined && repair === undefined && others.length === 0) return undefined;
  if (jobQueue !== undefined && repair !== undefined) {
    const sized = Object.entries(disks).map(([gb, jobDefinition]) => ({ storageGb: Number(gb), jobDefinition }));
    const jobDefinitions = { repair, ...(convert === undefined ? {} : { convert }) };
    return { endpoint, jobQueue, jobDefinitions, diskDefinitions: { repair: sized } };
  }
  const pair = "BATCH_JOB_QUEUE and BATCH_JOB_DEFINITION_REPAIR";
  const rest = others.map((name) => `; ${name} needs them`).join("");
  throw new ReelmillError("CONFIG_INVALID", `${pair} belong together: set both, or none${rest}.`);
}

/**
 * The pipelines that this worker takes tasks of; undefined: all. Throws CONFIG_INVALID where that, or a queue of the home, is of one that there
 * is not.
 */
export function readTaskQueues(
  environment: Environment,
  { queueUrls }: AwsHome,
  pipelines: readonly { readonly name: string }[],
): readonly string[] | undefined {
  const known = pipelines.map(({ name }) => name);
  const { TASK_QUEUES } = readSettings(environment, WORKER_SETTINGS);
  requireKnown("TASK_QUEUES", TASK_QUEUES, "names of pipelines, separated by commas", known);
  requireKnown("SQS_QUEUE_URLS", Object.keys(queueUrls), "a JSON object of pipelines and URLs", known);
  return TASK_QUEUES.length === 0 ? undefined : TASK_QUEUES;
}

function requireKnown(variable: string, names: readonly string[], allowed: string, known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const message = `${variable} names "${unknown}", but must be ${allowed}; pipelines are ${known.join(", ")}.`;
  throw new ReelmillError("CONFIG_INVALID", message);
}

/** The variables of the backend `aws` with their notes; the reference page is made from it. */
export function describeAwsSettings(): readonly (SettingNotes & { readonly name: string })[] {
  return Object.entries({ ...HOME_SETTINGS, ...CONTAINER_SETTINGS, ...WORKER_SETTINGS }).map(([name, { notes }]) => ({
    name,
    ...notes,
  }));
}
