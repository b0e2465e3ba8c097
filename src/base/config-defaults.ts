/** What a server is started with. */
export interface ServerConfig {
  /** Where jobs and objects are kept. */
  readonly backend: "local" | "aws";
  /** Of a store that speaks S3, without a slash at its end; undefined: AWS itself. */
  readonly s3Endpoint: string | undefined;
  /** As `s3Endpoint`, of tables. */
  readonly dynamoDbEndpoint: string | undefined;
  /** As `s3Endpoint`, of queues. */
  readonly sqsEndpoint: string | undefined;
  /** As `s3Endpoint`, of topics. */
  readonly snsEndpoint: string | undefined;
  /** As `s3Endpoint`, of groups of logs. */
  readonly logsEndpoint: string | undefined;
  /** As `s3Endpoint`, of what starts containers. */
  readonly batchEndpoint: string | undefined;
  readonly ecsEndpoint: string | undefined;
  /** As `s3Endpoint`, of secrets. */
  readonly secretsEndpoint: string | undefined;
  /** Address to listen at. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** As given; relative to the folder that the server was started in. */
  readonly dataFolder: string;
  /** From 0 to 64; 0 with the backend `aws` alone. */
  readonly maxWorkers: number;
  /** From 5000 to 900,000. */
  readonly leaseMs: number;
  /** SHA-256 of each key that is taken, in lower-case hexadecimal; empty where none is asked for. */
  readonly apiKeyHashes: readonly string[];
  /** Where the outcome of every job is told. */
  readonly webhooks: readonly { readonly url: string; readonly format: "standard" | "slack" }[];
  /** As standard-webhooks writes them, with `whsec_` in front. */
  readonly webhookSecrets: readonly string[];
  /** Whether webhooks may go to loopback and private addresses. */
  readonly allowsPrivateWebhooks: boolean;
  /** As clients reach it, without a slash at its end; undefined: as they ask. */
  readonly publicUrl: string | undefined;
  /** Of the references that the batch API keeps, without a slash at its end. */
  readonly referencePrefix: string;
  readonly maxUploadBytes: number;
  /** Of one client, those that may change something; null: any number. */
  readonly writesPerMinute: number | null;
  /** How long ended jobs and their objects are kept, a day to ten years. */
  readonly retentionMs: number;
}

/** What commands that talk to a server need to know. */
export interface ClientConfig {
  /** Without a slash at its end; undefined: the one that `reelmill use` noted, else the one on this machine. */
  readonly server: string | undefined;
  readonly apiKey: string | undefined;
  /** Where the stacks are, without a slash at its end; undefined: AWS itself. */
  readonly cloudFormationEndpoint: string | undefined;
  /** As `cloudFormationEndpoint`, of the registry of images. */
  readonly ecrEndpoint: string | undefined;
}

/** The resolved configuration. */
export interface Config {
  readonly logFormat: "json" | "text";
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** How what work takes is written to standard output. */
  readonly metrics: "none" | "emf";
  /** Path or name of the ffmpeg program. */
  readonly ffmpeg: string;
  /** Path or name of the ffprobe program. */
  readonly ffprobe: string;
  /** Bound on one run of either program, in milliseconds, 1000 to 604,800,000. */
  readonly ffmpegTimeoutMs: number;
  /** Bound on one run of untrunc, and on one repair from the watch folder, in milliseconds, 1000 to 604,800,000. */
  readonly untruncTimeoutMs: number;
  /** Where the keys lie that jobs name; undefined: there are none. */
  readonly hlsKeyFolder: string | undefined;
  /** Prices in place of the shipped ones; undefined: there are none. */
  readonly priceFile: string | undefined;
  readonly watch: WatchConfig;
  readonly server: ServerConfig;
  readonly client: ClientConfig;
}

/** What is configured of the watch folder. */
export interface WatchConfig {
  /** The folder that holds the three below; undefined: there is none, unless the command line names one. */
  readonly root: string | undefined;
  /** Paths below the root, or absolute ones. */
  readonly ready: string;
  readonly export: string;
  readonly quarantine: string;
  /** 1000 to 604,800,000. */
  readonly scanIntervalMs: number;
  /** How long a file must not have changed before it is taken, 0 to 604,800,000. */
  readonly minFileAgeMs: number;
  /** Repairs at a time, 1 to 64. */
  readonly maxConcurrentJobs: number;
  /** Which healthy recording is tried first as a reference. */
  readonly referenceStrategy: "smallest" | "newest";
  /** Address of the batch API that is asked where the repair here fails; undefined: none is. */
  readonly cloudApiUrl: string | undefined;
  /** A secret. */
  readonly cloudApiKey: string | undefined;
  /** How often a request to the batch API is sent again, 0 to 100. */
  readonly cloudRetries: number;
}

/** Environment variables as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const SETTING_NAME =
  /^(LOG|REELMILL|UNTRUNC)_|^(HOST_SMB_ROOT|(READY|EXPORT|QUARANTINE)_DIR|SCAN_INTERVAL_SECONDS|MIN_FILE_AGE_SECONDS|MAX_CONCURRENT_JOBS|REFERENCE_STRATEGY|AWS_REPAIR_API_BASE_URL|AWS_API_KEY|AWS_FALLBACK_RETRIES)$/;

/**
 * The configuration where no variable sets anything, which is how most commands run; undefined where one may, and
 * `loadConfig` has to look. Keeps the schema library out of the start of short commands.
 */
export function defaultConfigFor(environment: Environment): Config | undefined {
  if (Object.keys(environment).some((name) => SETTING_NAME.test(name))) return undefined;
  return {
    logFormat: "text",
    logLevel: "info",
    metrics: "none",
    ffmpeg: "ffmpeg",
    ffprobe: "ffprobe",
    ffmpegTimeoutMs: 3_600_000,
    untruncTimeoutMs: 3_600_000,
    hlsKeyFolder: undefined,
    priceFile: undefined,
    watch: {
      root: undefined,
      ready: "ready",
      export: "export",
      quarantine: "quarantine",
      scanIntervalMs: 30_000,
      minFileAgeMs: 60_000,
      maxConcurrentJobs: 2,
      referenceStrategy: "smallest",
      cloudApiUrl: undefined,
      cloudApiKey: undefined,
      cloudRetries: 3,
    },
    server: {
      backend: "local",
      s3Endpoint: undefined,
      dynamoDbEndpoint: undefined,
      sqsEndpoint: undefined,
      snsEndpoint: undefined,
      logsEndpoint: undefined,
      batchEndpoint: undefined,
      ecsEndpoint: undefined,
      secretsEndpoint: undefined,
      host: "127.0.0.1",
      port: 8080,
      dataFolder: "reelmill-data",
      maxWorkers: 2,
      leaseMs: 15_000,
      apiKeyHashes: [],
      webhooks: [],
      webhookSecrets: [],
      allowsPrivateWebhooks: false,
      publicUrl: undefined,
      referencePrefix: "references",
      maxUploadBytes: 1_000_000_000_000,
      writesPerMinute: null,
      retentionMs: 30 * 24 * 3600_000,
    },
    client: {
      server: undefined,
      apiKey: undefined,
      cloudFormationEndpoint: undefined,
      ecrEndpoint: undefined,
    },
  };
}
