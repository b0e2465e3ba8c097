import { z } from "zod";
import type { Config, Environment, WatchConfig } from "./config-defaults.ts";
import { ReelmillError } from "./errors.ts";

/** How a setting is documented; `allowed` completes the sentence "… must be". */
interface SettingNotes {
  readonly meaning: string;
  readonly allowed: string;
  readonly unset: string;
  /** Its value is never shown. */
  readonly isSecret?: boolean;
}

const MAX_TIMEOUT_SECONDS = 7 * 24 * 3600;

const WHOLE_SECONDS = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number)
  .pipe(z.number().min(1).max(MAX_TIMEOUT_SECONDS));

const COUNT = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);

/** A key must fit into a header. */
const HEADER_TEXT = /^[\x21-\x7e]+$/;

/** A secret must not cross a network in the clear. */
function isSafeApiUrl(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    return false;
  return (
    url.protocol === "https:" ||
    (url.protocol === "http:" && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname))
  );
}

/** Schema and notes of every environment variable, in the order of the reference page. */
const SETTINGS = {
  LOG_FORMAT: {
    schema: z.enum(["json", "text"]).default("text"),
    notes: {
      meaning: "How log lines and failures are written to standard error.",
      allowed: "json or text",
      unset: "text",
    },
  },
  LOG_LEVEL: {
    schema: z.enum(["debug", "info", "warn", "error"]).default("info"),
    notes: {
      meaning: "The least severe log lines that are written.",
      allowed: "debug, info, warn or error",
      unset: "info",
    },
  },
  REELMILL_FFMPEG: {
    schema: z.string().default("ffmpeg"),
    notes: {
      meaning: "The ffmpeg program to run.",
      allowed: "a path, or a name to look up on the PATH",
      unset: "ffmpeg",
    },
  },
  REELMILL_FFPROBE: {
    schema: z.string().default("ffprobe"),
    notes: {
      meaning: "The ffprobe program to run.",
      allowed: "a path, or a name to look up on the PATH",
      unset: "ffprobe",
    },
  },
  REELMILL_FFMPEG_TIMEOUT_SECONDS: {
    schema: WHOLE_SECONDS.default(3600),
    notes: {
      meaning: "How long one run of ffmpeg or ffprobe may take before it is stopped.",
      allowed: `a whole number of seconds from 1 to ${MAX_TIMEOUT_SECONDS}`,
      unset: "3600",
    },
  },
  UNTRUNC_TIMEOUT_SECONDS: {
    schema: WHOLE_SECONDS.default(3600),
    notes: {
      meaning:
        "How long one run of untrunc may take before it is stopped, where `--engine` asks for it; also how long one repair from the watch folder may take, by whatever engine.",
      allowed: `a whole number of seconds from 1 to ${MAX_TIMEOUT_SECONDS}`,
      unset: "3600",
    },
  },
  HOST_SMB_ROOT: {
    schema: z.string().optional(),
    notes: {
      meaning:
        "The watch folder, on a local disk or a mounted share. A folder named on the command line goes before it.",
      allowed: "a path",
      unset: "no watch folder",
    },
  },
  READY_DIR: {
    schema: z.string().default("ready"),
    notes: {
      meaning: "Where damaged recordings, and healthy ones as references, are put.",
      allowed: "a path below the watch folder, or an absolute one",
      unset: "ready",
    },
  },
  EXPORT_DIR: {
    schema: z.string().default("export"),
    notes: {
      meaning: "Where repaired recordings appear.",
      allowed: "a path below the watch folder, or an absolute one",
      unset: "export",
    },
  },
  QUARANTINE_DIR: {
    schema: z.string().default("quarantine"),
    notes: {
      meaning: "Where recordings go that could not be repaired, each with a report.",
      allowed: "a path below the watch folder, or an absolute one",
      unset: "quarantine",
    },
  },
  SCAN_INTERVAL_SECONDS: {
    schema: WHOLE_SECONDS.default(30),
    notes: {
      meaning: "How long to wait between two looks at the watch folder.",
      allowed: `a whole number of seconds from 1 to ${MAX_TIMEOUT_SECONDS}`,
      unset: "30",
    },
  },
  MIN_FILE_AGE_SECONDS: {
    schema: COUNT.pipe(z.number().max(MAX_TIMEOUT_SECONDS)).default(60),
    notes: {
      meaning: "How long a file in the watch folder must not have changed before it is taken.",
      allowed: `a whole number of seconds from 0 to ${MAX_TIMEOUT_SECONDS}`,
      unset: "60",
    },
  },
  MAX_CONCURRENT_JOBS: {
    schema: COUNT.pipe(z.number().min(1).max(64)).default(2),
    notes: {
      meaning: "How many files of the watch folder are repaired at a time.",
      allowed: "a whole number from 1 to 64",
      unset: "2",
    },
  },
  REFERENCE_STRATEGY: {
    schema: z.enum(["smallest", "newest"]).default("smallest"),
    notes: {
      meaning: "Which of the healthy recordings in the watch folder is tried first as a reference.",
      allowed: "smallest or newest",
      unset: "smallest",
    },
  },
  AWS_REPAIR_API_BASE_URL: {
    schema: z.string().refine(isSafeApiUrl).optional(),
    notes: {
      meaning: "The batch API that is asked for what could not be repaired here. Needs AWS_API_KEY.",
      allowed: "an https address (http only on this machine) without user, query and fragment",
      unset: "none is asked",
    },
  },
  AWS_API_KEY: {
    schema: z.string().regex(HEADER_TEXT).optional(),
    notes: {
      meaning: "The key for the batch API.",
      allowed: "printable ASCII without blanks",
      unset: "none",
      isSecret: true,
    },
  },
  AWS_FALLBACK_RETRIES: {
    schema: COUNT.pipe(z.number().max(100)).default(3),
    notes: {
      meaning: "How often a request to the batch API that failed for a while is sent again.",
      allowed: "a whole number from 0 to 100",
      unset: "3",
    },
  },
} as const satisfies Readonly<Record<string, { readonly schema: z.ZodType; readonly notes: SettingNotes }>>;

type SettingName = keyof typeof SETTINGS;

/** Variables that Reelmill's own tests and benchmarks read; never settings. */
const TOOLING_PREFIX = /^REELMILL_(TEST|BENCH)_/;

function readSetting<Name extends SettingName>(
  environment: Environment,
  name: Name,
): z.output<(typeof SETTINGS)[Name]["schema"]> {
  const { schema }: { readonly schema: z.ZodType } = SETTINGS[name];
  const notes: SettingNotes = SETTINGS[name].notes;
  // An empty variable is what a shell leaves for "not set".
  const parsed = schema.safeParse(environment[name] || undefined);
  if (!parsed.success) {
    const value = notes.isSecret === true ? "not usable" : `"${environment[name]}"`;
    throw new ReelmillError("CONFIG_INVALID", `${name} is ${value}, but must be ${notes.allowed}.`);
  }
  return parsed.data as z.output<(typeof SETTINGS)[Name]["schema"]>;
}

/**
 * Reads the configuration from environment variables. Throws CONFIG_INVALID naming the variable, its value and what is
 * allowed; also for a `REELMILL_…` variable that does not exist, because a misspelt setting would silently do nothing.
 */
export function loadConfig(environment: Environment): Config {
  for (const name of Object.keys(environment)) {
    if (name.startsWith("REELMILL_") && !TOOLING_PREFIX.test(name) && !Object.hasOwn(SETTINGS, name)) {
      const known = Object.keys(SETTINGS).join(", ");
      throw new ReelmillError("CONFIG_INVALID", `${name} is not a setting of Reelmill. Settings: ${known}.`);
    }
  }
  return {
    logFormat: readSetting(environment, "LOG_FORMAT"),
    logLevel: readSetting(environment, "LOG_LEVEL"),
    ffmpeg: readSetting(environment, "REELMILL_FFMPEG"),
    ffprobe: readSetting(environment, "REELMILL_FFPROBE"),
    ffmpegTimeoutMs: readSetting(environment, "REELMILL_FFMPEG_TIMEOUT_SECONDS") * 1000,
    untruncTimeoutMs: readSetting(environment, "UNTRUNC_TIMEOUT_SECONDS") * 1000,
    watch: readWatchConfig(environment),
  };
}

function readWatchConfig(environment: Environment): WatchConfig {
  const cloudApiUrl = readSetting(environment, "AWS_REPAIR_API_BASE_URL");
  const cloudApiKey = readSetting(environment, "AWS_API_KEY");
  if (cloudApiUrl !== undefined && cloudApiKey === undefined) {
    throw new ReelmillError(
      "CONFIG_INVALID",
      "AWS_REPAIR_API_BASE_URL is set, but AWS_API_KEY is not: set both, or none.",
    );
  }
  return {
    root: readSetting(environment, "HOST_SMB_ROOT"),
    ready: readSetting(environment, "READY_DIR"),
    export: readSetting(environment, "EXPORT_DIR"),
    quarantine: readSetting(environment, "QUARANTINE_DIR"),
    scanIntervalMs: readSetting(environment, "SCAN_INTERVAL_SECONDS") * 1000,
    minFileAgeMs: readSetting(environment, "MIN_FILE_AGE_SECONDS") * 1000,
    maxConcurrentJobs: readSetting(environment, "MAX_CONCURRENT_JOBS"),
    referenceStrategy: readSetting(environment, "REFERENCE_STRATEGY"),
    cloudApiUrl,
    cloudApiKey,
    cloudRetries: readSetting(environment, "AWS_FALLBACK_RETRIES"),
  };
}

/** Every setting with its notes, in a stable order; the reference page is made from it. */
export function describeSettings(): readonly (SettingNotes & { readonly name: string })[] {
  return Object.entries(SETTINGS).map(([name, { notes }]) => ({ name, ...notes }));
}
