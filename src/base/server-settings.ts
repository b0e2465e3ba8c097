import { z } from "zod";
import type { ClientConfig, Environment, ServerConfig } from "./config-defaults.ts";
import { ReelmillError } from "./errors.ts";
import { commaSeparated, type Setting, wholeNumber, YES_OR_NO } from "./setting.ts";

const MAX_WORKERS = 64;
/** The longest that a message of the queue may be leased. */
const MAX_LEASE_SECONDS = 900;
const MAX_RETENTION_DAYS = 3650;
const MAX_WRITES_PER_MINUTE = 1_000_000;
const DAY_MS = 24 * 3600_000;

const HTTP_URL = z.url({ protocol: /^https?$/ }).max(2048);

/** `slack+https://…` asks for the Slack form of the news. */
const WEBHOOK = z.string().transform((text, context) => {
  const format = text.startsWith("slack+") ? ("slack" as const) : ("standard" as const);
  const url = text.replace(/^slack\+/, "");
  if (!HTTP_URL.safeParse(url).success) context.addIssue("not a web address");
  return { url, format };
});

/** An address without user, query and fragment; without a slash at its end. */
export const SERVER_ADDRESS = HTTP_URL.regex(/^[^?#@]*$/).transform((text) => text.replace(/\/+$/, ""));

/** Folders of keys in plain letters, apart from those that the server puts things into itself. */
const KEPT_PREFIX =
  /^(?!(uploads|outputs|batches|logs|watch-[^/]*)(\/|$))[A-Za-z0-9_-]{1,100}(\/[A-Za-z0-9_-]{1,100}){0,5}$/;

/** What `SERVER_ADDRESS` takes, for people. */
export const ENDPOINT_FORM = "an http or https address without user, query and fragment, such as http://127.0.0.1:9000";

/** Schema and notes of the variables of the server and of the commands that talk to it, in the order of the reference page. */
export const SERVER_SETTINGS = {
  REELMILL_BACKEND: {
    schema: z.enum(["local", "aws"]).default("local"),
    notes: {
      meaning:
        "Where jobs, their records and objects are kept: on this machine, or in S3 and DynamoDB. Credentials come as the AWS SDK finds them: environment, profile, role.",
      allowed: "local or aws",
      unset: "local",
    },
  },
  REELMILL_S3_ENDPOINT: {
    schema: SERVER_ADDRESS.optional(),
    notes: {
      meaning: "Where the buckets of the backend `aws` are, if not at AWS; they are then named in paths.",
      allowed: ENDPOINT_FORM,
      unset: "",
    },
  },
  REELMILL_DYNAMODB_ENDPOINT: {
    schema: SERVER_ADDRESS.optional(),
    notes: {
      meaning: "Where the tables of the backend `aws` are, if not at AWS.",
      allowed: ENDPOINT_FORM,
      unset: "",
    },
  },
  REELMILL_SQS_ENDPOINT: {
    schema: SERVER_ADDRESS.optional(),
    notes: {
      meaning: "Where the queues of `SQS_QUEUE_URLS` are, if not at AWS; of their URLs the path alone is then meant.",
      allowed: ENDPOINT_FORM,
      unset: "",
    },
  },
  REELMILL_SNS_ENDPOINT: {
    schema: SERVER_ADDRESS.optional(),
    notes: { meaning: "Where the topic of `SNS_TOPIC_ARN` is, if not at AWS.", allowed: ENDPOINT_FORM, unset: "" },
  },
  REELMILL_LOGS_ENDPOINT: {
    schema: SERVER_ADDRESS.optional(),
    notes: {
      meaning: "Where the groups of `CLOUDWATCH_LOG_GROUPS` are, if not at AWS.",
      allowed: ENDPOINT_FORM,
      unset: "",
    },
  },
  REELMILL_BATCH_ENDPOINT: {
    schema: SERVER_ADDRESS.optional(),
    notes: {
      meaning: "Where the service is that starts the containers of `BATCH_JOB_QUEUE`, if not AWS Batch itself.",
      allowed: ENDPOINT_FORM,
      unset: "",
    },
  },
  REELMILL_ECS_ENDPOINT: {
    schema: SERVER_ADDRESS.optional(),
    notes: { meaning: "Where the services of `ECS_SERVICES` are, if not at AWS.", allowed: ENDPOINT_FORM, unset: "" },
  },
  REELMILL_SECRETS_ENDPOINT: {
    schema: SERVER_ADDRESS.optional(),
    notes: {
      meaning: "Where the secret of `WEBHOOK_SECRETS_ARN` is, if not at AWS Secrets Manager itself.",
      allowed: ENDPOINT_FORM,
      unset: "",
    },
  },
  REELMILL_HOST: {
    schema: z
      .string()
      .regex(/^[A-Za-z0-9.:_-]{1,253}$/)
      .default("127.0.0.1"),
    notes: {
      meaning: "The address that the server listens at. Any but a loopback one demands `REELMILL_API_KEY_SHA256`.",
      allowed: "an IP address or a host name",
      unset: "127.0.0.1",
    },
  },
  REELMILL_PORT: {
    schema: wholeNumber(0, 65_535).default(8080),
    notes: {
      meaning: "The port that the server listens at; 0 takes a free one.",
      allowed: "a whole number from 0 to 65535",
      unset: "8080",
    },
  },
  REELMILL_DATA: {
    schema: z.string().default("reelmill-data"),
    notes: {
      meaning: "The folder of the server's database, objects, unfinished uploads and logs.",
      allowed: "a path",
      unset: "reelmill-data",
    },
  },
  REELMILL_MAX_WORKERS: {
    schema: wholeNumber(0, MAX_WORKERS).default(2),
    notes: {
      meaning:
        "How many worker processes may run at a time. They are started on demand. 0, with the backend `aws` alone: the server leaves the work to others.",
      allowed: `a whole number from 0 to ${MAX_WORKERS}`,
      unset: "2",
    },
  },
  REELMILL_LEASE_SECONDS: {
    schema: wholeNumber(5, MAX_LEASE_SECONDS).default(15),
    notes: {
      meaning: "How long a worker that gives no sign of life keeps its task before another one takes it.",
      allowed: `a whole number of seconds from 5 to ${MAX_LEASE_SECONDS}`,
      unset: "15",
    },
  },
  REELMILL_API_KEY_SHA256: {
    schema: commaSeparated(
      z
        .string()
        .regex(/^[0-9a-f]{64}$/i)
        .toLowerCase(),
    ).default([]),
    notes: {
      meaning:
        "SHA-256 digests of the API keys that the server takes; several while keys are changed. None: no key is asked for.",
      allowed: "digests of 64 hexadecimal digits each, separated by commas",
      unset: "",
      isSecret: true,
    },
  },
  REELMILL_WEBHOOK_URLS: {
    schema: commaSeparated(WEBHOOK).default([]),
    notes: {
      meaning: "Where the outcome of every job is told; `slack+https://…` sends it as a Slack message.",
      allowed: "http or https addresses, separated by commas",
      unset: "",
      isSecret: true,
    },
  },
  REELMILL_WEBHOOK_SECRETS: {
    schema: commaSeparated(z.string().regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/)).default([]),
    notes: {
      meaning: "Secrets that webhooks are signed with, by each of them; several while secrets are changed.",
      allowed: "whsec_ and 24 to 64 bytes as Base64 each, separated by commas",
      unset: "",
      isSecret: true,
    },
  },
  REELMILL_WEBHOOK_PRIVATE_NETWORKS: {
    schema: YES_OR_NO.default(false),
    notes: {
      meaning: "Whether webhooks may go to this machine and to private networks.",
      allowed: "true or false",
      unset: "false",
    },
  },
  REELMILL_PUBLIC_URL: {
    schema: SERVER_ADDRESS.optional(),
    notes: {
      meaning:
        "The server's address as clients of the batch API reach it, for the links that it gives them; needed behind a proxy that ends TLS.",
      allowed: "an http or https address without user, query and fragment",
      unset: "the one that the client itself asked at",
    },
  },
  REELMILL_REFERENCE_PREFIX: {
    schema: z.string().regex(KEPT_PREFIX).default("references"),
    notes: {
      meaning:
        "What the keys of the healthy recordings begin with that the batch API tries where a batch's own reference does not fit. They are never swept.",
      allowed:
        "folders of a key, without a slash at the end, not below uploads, outputs, batches, logs or a watch folder",
      unset: "references",
    },
  },
  REELMILL_MAX_UPLOAD_BYTES: {
    schema: wholeNumber(1, Number.MAX_SAFE_INTEGER).default(1_000_000_000_000),
    notes: {
      meaning: "The largest file that may be uploaded.",
      allowed: `a whole number of bytes from 1 to ${Number.MAX_SAFE_INTEGER}`,
      unset: "1000000000000",
    },
  },
  REELMILL_WRITES_PER_MINUTE: {
    schema: wholeNumber(0, MAX_WRITES_PER_MINUTE).default(0),
    notes: {
      meaning: "How many requests that may change something one client may send within a minute; 0: any number.",
      allowed: `a whole number from 0 to ${MAX_WRITES_PER_MINUTE}`,
      unset: "0",
    },
  },
  REELMILL_RETENTION_DAYS: {
    schema: wholeNumber(1, MAX_RETENTION_DAYS).default(30),
    notes: {
      meaning: "How long jobs that have ended, and what they left, are kept.",
      allowed: `a whole number of days from 1 to ${MAX_RETENTION_DAYS}`,
      unset: "30",
    },
  },
  REELMILL_SERVER: {
    schema: SERVER_ADDRESS.optional(),
    notes: {
      meaning:
        "The server that commands such as `reelmill jobs` talk to, where `--server` names none. Goes before the one that `reelmill use` noted; where neither is, this machine's at REELMILL_HOST and REELMILL_PORT.",
      allowed: "an http or https address without user, query and fragment",
      unset: "http://127.0.0.1:8080",
    },
  },
  REELMILL_API_KEY: {
    schema: z
      .string()
      .regex(/^[\x21-\x7e]{1,512}$/)
      .optional(),
    notes: {
      meaning: "The API key that those commands show the server, where `--api-key-file` names none.",
      allowed: "1 to 512 printable ASCII characters without blanks",
      unset: "",
      isSecret: true,
    },
  },
  REELMILL_CLOUDFORMATION_ENDPOINT: {
    schema: SERVER_ADDRESS.optional(),
    notes: {
      meaning: "Where `reelmill use` and `reelmill deploy` ask about stacks, if not AWS CloudFormation itself.",
      allowed: ENDPOINT_FORM,
      unset: "",
    },
  },
  REELMILL_ECR_ENDPOINT: {
    schema: SERVER_ADDRESS.optional(),
    notes: {
      meaning: "Where `reelmill deploy` asks about images, if not Amazon ECR itself.",
      allowed: ENDPOINT_FORM,
      unset: "",
    },
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** Reads one of the settings. */
type ReadSetting = <Name extends keyof typeof SERVER_SETTINGS>(
  environment: Environment,
  name: Name,
) => z.output<(typeof SERVER_SETTINGS)[Name]["schema"]>;

/** The server's part of the configuration. */
export function readServerConfig(environment: Environment, read: ReadSetting): ServerConfig {
  const maxWorkers = read(environment, "REELMILL_MAX_WORKERS");
  if (maxWorkers === 0 && read(environment, "REELMILL_BACKEND") === "local") {
    const message = `REELMILL_MAX_WORKERS is "0", but must be a whole number from 1 to ${MAX_WORKERS}: nobody else works at what is kept on this machine.`;
    throw new ReelmillError("CONFIG_INVALID", message);
  }
  return {
    backend: read(environment, "REELMILL_BACKEND"),
    s3Endpoint: read(environment, "REELMILL_S3_ENDPOINT"),
    dynamoDbEndpoint: read(environment, "REELMILL_DYNAMODB_ENDPOINT"),
    sqsEndpoint: read(environment, "REELMILL_SQS_ENDPOINT"),
    snsEndpoint: read(environment, "REELMILL_SNS_ENDPOINT"),
    logsEndpoint: read(environment, "REELMILL_LOGS_ENDPOINT"),
    batchEndpoint: read(environment, "REELMILL_BATCH_ENDPOINT"),
    ecsEndpoint: read(environment, "REELMILL_ECS_ENDPOINT"),
    secretsEndpoint: read(environment, "REELMILL_SECRETS_ENDPOINT"),
    host: read(environment, "REELMILL_HOST"),
    port: read(environment, "REELMILL_PORT"),
    dataFolder: read(environment, "REELMILL_DATA"),
    maxWorkers,
    leaseMs: read(environment, "REELMILL_LEASE_SECONDS") * 1000,
    apiKeyHashes: read(environment, "REELMILL_API_KEY_SHA256"),
    webhooks: read(environment, "REELMILL_WEBHOOK_URLS"),
    webhookSecrets: read(environment, "REELMILL_WEBHOOK_SECRETS"),
    allowsPrivateWebhooks: read(environment, "REELMILL_WEBHOOK_PRIVATE_NETWORKS"),
    publicUrl: read(environment, "REELMILL_PUBLIC_URL"),
    referencePrefix: read(environment, "REELMILL_REFERENCE_PREFIX"),
    maxUploadBytes: read(environment, "REELMILL_MAX_UPLOAD_BYTES"),
    writesPerMinute: read(environment, "REELMILL_WRITES_PER_MINUTE") || null,
    retentionMs: read(environment, "REELMILL_RETENTION_DAYS") * DAY_MS,
  };
}

/** The part of the configuration for commands that talk to a server. */
export function readClientConfig(environment: Environment, read: ReadSetting): ClientConfig {
  return {
    server: read(environment, "REELMILL_SERVER"),
    apiKey: read(environment, "REELMILL_API_KEY"),
    cloudFormationEndpoint: read(environment, "REELMILL_CLOUDFORMATION_ENDPOINT"),
    ecrEndpoint: read(environment, "REELMILL_ECR_ENDPOINT"),
  };
}
