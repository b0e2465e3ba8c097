import type { Node } from "constructs";
import { readUploadJob, SECRET_ARN } from "../../src/apps/lambda/lambda-settings.ts";
import { paramsForUpload, UPLOADS } from "../../src/apps/lambda/upload-params.ts";
import { ReelmillError } from "../../src/base/errors.ts";
import { createRegistry } from "../../src/pipelines/registry.ts";
import { NUMBERS, type NumberName, type NumberSetting } from "./numbers.ts";
import { PIPELINES } from "./pipelines.ts";

/** What a Reelmill on AWS is made with. */
export interface Settings extends Readonly<Record<NumberName, number>> {
  /** Tag of the image in the stack's own registry, which all roles run; amd64. Tags there are never given twice. */
  readonly image_tag: string;
  /** Takes alarms and news of the budget; undefined: they are told to the topic alone. */
  readonly alert_email: string | undefined;
  /**
   * How workers get to AWS: by interface endpoints in a network without any way out, which cost the same by day and night; or by public
   * addresses that they have while they run, with nothing let in, which cost nothing while nothing runs.
   */
  readonly workers_reach: "endpoints" | "internet";
  /**
   * The collector that traces are sent to, without `v1/traces`; workers speak TLS alone, at its own port. X-Ray's of the stack's region, such as
   * `https://xray.eu-central-1.amazonaws.com`, needs no other collector. Undefined: nothing is traced by Reelmill itself.
   */
  readonly otlp_endpoint: string | undefined;
  /** The job that is submitted for each upload, as JSON of `pipeline` and `params` without the one for the upload; undefined: none. */
  readonly object_made_job: string | undefined;
  /** ARN, whole, of the secret in Secrets Manager that holds what webhooks are signed with; undefined: jobs may name no webhook. */
  readonly webhook_secrets_arn: string | undefined;
}

/** A setting that is unknown or out of its range; the message says all that whoever set it has to know. */
export class SettingError extends Error {}

const TEXTS = {
  image_tag: /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/,
  alert_email: /^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>"]+$/,
  workers_reach: /^(endpoints|internet)$/,
  otlp_endpoint: /^https:\/\/[A-Za-z0-9.-]+(\/[A-Za-z0-9._/-]*)?$/,
  object_made_job: /^\{.*\}$/s,
  webhook_secrets_arn: SECRET_ARN,
} as const;

/** Stands for the object that was uploaded. */
const ANY_UPLOAD = `${UPLOADS}recording.mp4`;

/** Context keys that are settings begin with this, such as `-c reelmill:batch_max_vcpus=32`. */
const PREFIX = "reelmill:";

/** The context key of the names that `reelmill deploy --unset` has, with commas between: nothing is made of them, but they are to be settings. */
const UNSET = "reelmill-unset";

/** The contract's values. */
export function defaultSettings(): Settings {
  const numbers = Object.fromEntries(Object.entries(NUMBERS).map(([name, { value }]) => [name, value]));
  // Has every name of NUMBERS.
  const known = numbers as Record<NumberName, number>;
  return {
    ...known,
    image_tag: "0.1.0",
    alert_email: undefined,
    workers_reach: "endpoints",
    otlp_endpoint: undefined,
    object_made_job: undefined,
    webhook_secrets_arn: undefined,
  };
}

/** The contract's values with those in place of them that the context has. Throws where one is unknown or out of its range. */
export function readSettings(node: Node): Settings {
  const changed: Record<string, unknown> = {};
  // Typed as any by the library.
  const context: Readonly<Record<string, unknown>> = node.getAllContext();
  for (const [key, value] of Object.entries(context)) {
    if (!key.startsWith(PREFIX)) continue;
    const name = key.slice(PREFIX.length);
    if (isNumberName(name)) changed[name] = parseNumber(name, value);
    else if (isTextName(name)) changed[name] = parseText(name, value);
    else throw noSetting(name);
  }
  requireSettings(context[UNSET]);
  // Each value was parsed for its name.
  const settings = { ...defaultSettings(), ...(changed as Partial<Settings>) };
  requireTogether(settings);
  return settings;
}

/** Refuses names that are none of a setting. */
function requireSettings(names: unknown): void {
  if (typeof names !== "string") return;
  const unknown = names.split(",").find((name) => !isNumberName(name) && !isTextName(name));
  if (unknown !== undefined) throw noSetting(unknown);
}

function noSetting(name: string): SettingError {
  return new SettingError(`There is no setting "${name}". There are: ${settingNames().join(", ")}.`);
}

/** What is allowed each by itself, but not together: the first must be at most the second. */
const BOUNDED: readonly (readonly [NumberName, NumberName])[] = [
  ["gpu_on_demand_base_capacity", "gpu_max_capacity"],
  // A job that is larger than all jobs together may be waits for ever.
  ["job_vcpu", "batch_max_vcpus"],
  ["convert_vcpu", "batch_max_vcpus"],
];

function requireTogether(settings: Settings): void {
  for (const [name, bound] of BOUNDED) {
    if (settings[name] <= settings[bound]) continue;
    throw new SettingError(`${name} must be at most ${bound}, which is ${settings[bound]}, not ${settings[name]}.`);
  }
}

/** What is not the default, by name; without the image's tag, which is another one for each version. */
export function changedSettings(settings: Settings): Readonly<Record<string, string | number>> {
  const byDefault: Readonly<Record<string, unknown>> = { ...defaultSettings() };
  const changed = Object.entries(settings).filter(([name, value]) => name !== "image_tag" && value !== byDefault[name]);
  return Object.fromEntries(changed);
}

function settingNames(): readonly string[] {
  return [...Object.keys(NUMBERS), ...Object.keys(TEXTS)];
}

function isNumberName(name: string): name is NumberName {
  return Object.hasOwn(NUMBERS, name);
}

function isTextName(name: string): name is keyof typeof TEXTS {
  return Object.hasOwn(TEXTS, name);
}

function parseNumber(name: NumberName, value: unknown): number {
  const { min, max, meaning, isFraction }: NumberSetting = NUMBERS[name];
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  const isFitting = typeof number === "number" && number >= min && number <= max;
  if (isFitting && (isFraction || Number.isInteger(number))) return number;
  const kind = isFraction ? "a number" : "a whole number";
  throw new SettingError(`${name} must be ${kind} from ${min} to ${max} (${meaning}), not ${JSON.stringify(value)}.`);
}

function parseText(name: keyof typeof TEXTS, value: unknown): string {
  if (typeof value !== "string" || !TEXTS[name].test(value)) {
    throw new SettingError(`${name} must match ${String(TEXTS[name])}, not ${JSON.stringify(value)}.`);
  }
  if (name === "object_made_job") requireUploadJob(value);
  return value;
}

/** What the function would refuse when it starts, or its job at each upload, is refused here. */
function requireUploadJob(value: string): void {
  try {
    const job = readUploadJob({ OBJECT_MADE_JOB: value });
    if (job === undefined) return;
    if (!PIPELINES.includes(job.pipeline)) {
      const given = JSON.stringify(job.pipeline);
      throw new SettingError(`object_made_job must name a pipeline of ${PIPELINES.join(", ")}, not ${given}.`);
    }
    const pipelines = createRegistry();
    pipelines.get(job.pipeline).parseParams(paramsForUpload(pipelines, job, ANY_UPLOAD));
  } catch (error) {
    if (!(error instanceof ReelmillError)) throw error;
    throw new SettingError(`object_made_job is refused: ${error.message}`);
  }
}
