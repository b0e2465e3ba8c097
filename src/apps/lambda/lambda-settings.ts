import { z } from "zod";
import type { Environment } from "../../base/config-defaults.ts";
import type { Json } from "../../base/json.ts";
import { JSON_TEXT, readSettings, type Setting, type SettingNotes } from "../../base/setting.ts";

/** The job that is submitted for each upload. */
export interface UploadJob {
  readonly pipeline: string;
  /** Besides the one for what it works on. */
  readonly params: Readonly<Record<string, Json>>;
}

const UPLOAD_JOB = JSON_TEXT.pipe(
  z.strictObject({ pipeline: z.string().min(1), params: z.record(z.string(), z.json()).default({}) }),
);

/** The whole ARN of a secret. With the six characters that Secrets Manager puts behind a name: a right without them would be one to whatever begins so. */
export const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]{1,505}-[A-Za-z0-9]{6}$/;

const SETTINGS = {
  OBJECT_MADE_JOB: {
    schema: UPLOAD_JOB.optional(),
    notes: {
      meaning:
        "The job that `reelmill-lambda object-made` submits for each object below `uploads/`; its input is that object. Not set: none.",
      allowed: 'a JSON object of `pipeline` and `params`, such as {"pipeline":"convert","params":{"to":"vp9"}}',
      unset: "",
    },
  },
  WEBHOOK_SECRETS_ARN: {
    schema: z.string().regex(SECRET_ARN).optional(),
    notes: {
      meaning:
        "The secret in Secrets Manager whose text is what `REELMILL_WEBHOOK_SECRETS` would be, in place of that; read once by each instance of a function, when it starts.",
      allowed:
        "the whole ARN of a secret, such as arn:aws:secretsmanager:eu-central-1:123456789012:secret:reelmill/webhooks-AbCdEf",
      unset: "",
    },
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** What is to be done about uploads; undefined: nothing. Throws CONFIG_INVALID. */
export function readUploadJob(environment: Environment): UploadJob | undefined {
  return readSettings(environment, SETTINGS).OBJECT_MADE_JOB as UploadJob | undefined;
}

/** The secret that webhooks are signed with, by its ARN; undefined: none is named. Throws CONFIG_INVALID. */
export function readWebhookSecretsArn(environment: Environment): string | undefined {
  return readSettings(environment, SETTINGS).WEBHOOK_SECRETS_ARN;
}

/** The variables of the functions with their notes; the reference page is made from it. */
export function describeLambdaSettings(): readonly (SettingNotes & { readonly name: string })[] {
  return Object.entries(SETTINGS).map(([name, { notes }]) => ({ name, ...notes }));
}
