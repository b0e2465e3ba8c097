import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";

/** The stacks, by what is in them. */
export type StackName = "State" | "Work" | "Interface" | "Operations";

/** All stacks. */
export const STACKS: readonly StackName[] = ["State", "Work", "Interface", "Operations"];

/** Which templates: those that the contract's numbers give, for all of its pipelines; or those of `OTHER_SETTINGS`, for the pipelines that there are. */
export type TemplateKind = "assembly" | "otherwise";

/** Both. */
export const TEMPLATE_KINDS: readonly TemplateKind[] = ["assembly", "otherwise"];

/** Whatever adds something to the stacks, or has workers reach AWS another way. */
export const OTHER_SETTINGS = {
  alert_email: "night@example.com",
  job_retention_days: 7,
  object_made_job: '{"pipeline":"convert","params":{"to":"vp9"}}',
  otlp_endpoint: "https://xray.eu-central-1.amazonaws.com",
  webhook_secrets_arn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reelmill/webhooks-AbCdEf",
  workers_reach: "internet",
} as const;

/** Anything that JSON has. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A resource as a template has it. */
export interface Resource {
  readonly Type: string;
  readonly Properties?: { readonly [name: string]: Json };
  readonly DeletionPolicy?: string;
}

/** A template. */
export interface TemplateJson {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: Json }>>;
}

/** The template of a stack. */
export function readTemplate(stack: StackName, kind: TemplateKind = "assembly"): TemplateJson {
  const file = join(inject(kind), `Reelmill${stack}.template.json`);
  // Written by the CDK.
  return JSON.parse(readFileSync(file, "utf8")) as TemplateJson;
}

/** All resources of a type, in one stack, with their logical ids. */
export function resourcesOf(
  stack: StackName,
  type: string,
  kind: TemplateKind = "assembly",
): readonly (readonly [id: string, resource: Resource])[] {
  return Object.entries(readTemplate(stack, kind).Resources).filter(([, { Type }]) => Type === type);
}

/** The properties of the one resource of the type whose logical id begins so. */
export function propertiesOf(stack: StackName, type: string, idPrefix = ""): { readonly [name: string]: Json } {
  const found = resourcesOf(stack, type).filter(([id]) => id.startsWith(idPrefix));
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(`${found.length} resources of the type ${type} begin with "${idPrefix}" in ${stack}.`);
  }
  return first[1].Properties ?? {};
}
