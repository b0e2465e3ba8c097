import { z } from "zod";
import type { Environment, WatchConfig } from "./config-defaults.ts";
import { ReelmillError } from "./errors.ts";
import { type Setting, wholeNumber } from "./setting.ts";

const MAX_WAIT_SECONDS = 7 * 24 * 3600;

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

/** Schema and notes of the watch folder's variables, in the order of the reference page. */
export const WATCH_SETTINGS = {
  HOST_SMB_ROOT: {
    schema: z.string().optional(),
    notes: {
      meaning:
        "The watch folder, on a local disk or a mounted share. A folder named on the command line goes before it; without either it is `watch` in the data folder.",
      allowed: "a path",
      unset: "watch in the data folder",
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
    schema: wholeNumber(1, MAX_WAIT_SECONDS).default(30),
    notes: {
      meaning: "How long to wait between two looks at the watch folder.",
      allowed: `a whole number of seconds from 1 to ${MAX_WAIT_SECONDS}`,
      unset: "30",
    },
  },
  MIN_FILE_AGE_SECONDS: {
    schema: wholeNumber(0, MAX_WAIT_SECONDS).default(60),
    notes: {
      meaning: "How long a file in the watch folder must not have changed before it is taken.",
      allowed: `a whole number of seconds from 0 to ${MAX_WAIT_SECONDS}`,
      unset: "60",
    },
  },
  MAX_CONCURRENT_JOBS: {
    schema: wholeNumber(1, 64).default(2),
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
    schema: wholeNumber(0, 100).default(3),
    notes: {
      meaning: "How often a request to the batch API that failed for a while is sent again.",
      allowed: "a whole number from 0 to 100",
      unset: "3",
    },
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** Reads one of the settings. */
type ReadSetting = <Name extends keyof typeof WATCH_SETTINGS>(
  environment: Environment,
  name: Name,
) => z.output<(typeof WATCH_SETTINGS)[Name]["schema"]>;

/** The watch folder's part of the configuration. Throws CONFIG_INVALID where a setting lacks the one that belongs to it. */
export function readWatchConfig(environment: Environment, read: ReadSetting): WatchConfig {
  const cloudApiUrl = read(environment, "AWS_REPAIR_API_BASE_URL");
  const cloudApiKey = read(environment, "AWS_API_KEY");
  if (cloudApiUrl !== undefined && cloudApiKey === undefined) {
    throw new ReelmillError(
      "CONFIG_INVALID",
      "AWS_REPAIR_API_BASE_URL is set, but AWS_API_KEY is not: set both, or none.",
    );
  }
  return {
    root: read(environment, "HOST_SMB_ROOT"),
    ready: read(environment, "READY_DIR"),
    export: read(environment, "EXPORT_DIR"),
    quarantine: read(environment, "QUARANTINE_DIR"),
    scanIntervalMs: read(environment, "SCAN_INTERVAL_SECONDS") * 1000,
    minFileAgeMs: read(environment, "MIN_FILE_AGE_SECONDS") * 1000,
    maxConcurrentJobs: read(environment, "MAX_CONCURRENT_JOBS"),
    referenceStrategy: read(environment, "REFERENCE_STRATEGY"),
    cloudApiUrl,
    cloudApiKey,
    cloudRetries: read(environment, "AWS_FALLBACK_RETRIES"),
  };
}
