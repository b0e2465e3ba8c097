import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";

/** The stacks, by what is in them. */
export type StackName = "State" | "Work" | "Interface" | "Operations";

/** All stacks. */
export const STACKS: readonly StackName[] = ["State", "Work", "Interface", "Operations"];

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

/** The template that the contract's numbers give, for all of its pipelines. */
export function readTemplate(stack: StackName): TemplateJson {
  const file = join(inject("assembly"), `Reelmill${stack}.template.json`);
  // Written by the CDK.
  return JSON.parse(readFileSync(file, "utf8")) as TemplateJson;
}

/** All resources of a type, in one stack, with their logical ids. */
export function resourcesOf(stack: StackName, type: string): readonly (readonly [id: string, resource: Resource])[] {
  return Object.entries(readTemplate(stack).Resources).filter(([, { Type }]) => Type === type);
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
