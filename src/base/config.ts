import { z } from "zod";
import type { Config, Environment } from "./config-defaults.ts";
import { ReelmillError } from "./errors.ts";
import { isSecretName } from "./secret-names.ts";
import { readClientConfig, readServerConfig, SERVER_SETTINGS } from "./server-settings.ts";
import { type Setting, type SettingNotes, wholeNumber } from "./setting.ts";
import { readWatchConfig, WATCH_SETTINGS } from "./watch-settings.ts";

const MAX_TIMEOUT_SECONDS = 7 * 24 * 3600;

const WHOLE_SECONDS = wholeNumber(1, MAX_TIMEOUT_SECONDS);

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
  REELMILL_METRICS: {
    schema: z.enum(["none", "emf"]).default("none"),
    notes: {
      meaning:
        "Whether workers and functions write what work took to standard output, as lines in CloudWatch's embedded metric format.",
      allowed: "none or emf",
      unset: "none",
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
  REELMILL_HLS_KEY_FOLDER: {
    schema: z.string().optional(),
    notes: {
      meaning:
        "Where the AES-128 keys lie that jobs of the pipeline hls name: `<name>.key`, 16 bytes each. Nothing hands them out.",
      allowed: "a folder that only the server may read",
      unset: "",
    },
  },
  REELMILL_PRICES: {
    schema: z.string().optional(),
    notes: {
      meaning:
        "A file of prices that `reelmill cost` and the server's estimates take in place of those of the table that Reelmill comes with; what it leaves out stays.",
      allowed: "the path of a JSON file in the form of the shipped table",
      unset: "",
    },
  },
  ...WATCH_SETTINGS,
  ...SERVER_SETTINGS,
} as const satisfies Readonly<Record<string, Setting>>;

type SettingName = keyof typeof SETTINGS;

/** Variables that Reelmill's own tests and benchmarks read; never settings. */
const TOOLING_PREFIX = /^REELMILL_(TEST|BENCH)_/;

function readSetting<Name extends SettingName>(
  environment: Environment,
  name: Name,
): z.output<(typeof SETTINGS)[Name]["schema"]> {
  const { schema, notes }: Setting = SETTINGS[name];
  // An empty variable is what a shell leaves for "not set".
  const parsed = schema.safeParse(environment[name] || undefined);
  if (!parsed.success) {
    const found = notes.isSecret ? "has a value that is not allowed; it" : `is "${environment[name]}", but`;
    throw new ReelmillError("CONFIG_INVALID", `${name} ${found} must be ${notes.allowed}.`);
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
    metrics: readSetting(environment, "REELMILL_METRICS"),
    ffmpeg: readSetting(environment, "REELMILL_FFMPEG"),
    ffprobe: readSetting(environment, "REELMILL_FFPROBE"),
    ffmpegTimeoutMs: readSetting(environment, "REELMILL_FFMPEG_TIMEOUT_SECONDS") * 1000,
    untruncTimeoutMs: readSetting(environment, "UNTRUNC_TIMEOUT_SECONDS") * 1000,
    hlsKeyFolder: readSetting(environment, "REELMILL_HLS_KEY_FOLDER"),
    priceFile: readSetting(environment, "REELMILL_PRICES"),
    watch: readWatchConfig(environment, readSetting),
    server: readServerConfig(environment, readSetting),
    client: readClientConfig(environment, readSetting),
  };
}

/** One setting as it is in effect. */
export interface EffectiveSetting {
  readonly name: string;
  /** As written in the variable or as the default would be; `set` or `unset` for a secret; empty where there is none. */
  readonly value: string;
  readonly source: "default" | "environment" | "command line";
  readonly isSecret: boolean;
}

/**
 * Every setting with the value in effect and where it came from, in the order of the reference page. Secrets are not shown.
 * `commandLine` holds what options set, by the variables that they override. Throws CONFIG_INVALID as `loadConfig` does.
 */
export function explainConfig(
  environment: Environment,
  commandLine: Readonly<Record<string, string | undefined>> = {},
): readonly EffectiveSetting[] {
  loadConfig(environment);
  return describeSettings().map(({ name, unset, isSecret = false }) => {
    const option = commandLine[name];
    const given = option ?? (environment[name] || undefined);
    const value = isSecret ? (given === undefined ? "unset" : "set") : (given ?? unset);
    const source = option !== undefined ? "command line" : given !== undefined ? "environment" : "default";
    return { name, value, source, isSecret };
  });
}

/** What the AWS SDK goes by: keys, tokens, and where such are to be had. */
const OF_AWS = /^AWS_/;

/** The environment for work at hostile files, which needs no secret, nor anything of AWS. */
export function withoutSecrets(environment: Environment): Environment {
  return pick(environment, (name) => !isSecretName(name) && !OF_AWS.test(name));
}

/** The environment for programs that need no secret, but what the AWS SDK goes by. */
export function withoutOwnSecrets(environment: Environment): Environment {
  const own: ReadonlySet<string> = new Set(Object.keys(SETTINGS));
  return pick(environment, (name) => !isSecretName(name) || (OF_AWS.test(name) && !own.has(name)));
}

function pick(environment: Environment, isWanted: (name: string) => boolean): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => isWanted(name)));
}

/** Every setting with its notes, in a stable order; the reference page is made from it. */
export function describeSettings(): readonly (SettingNotes & { readonly name: string })[] {
  return Object.entries(SETTINGS).map(([name, { notes }]) => ({ name, ...notes }));
}
