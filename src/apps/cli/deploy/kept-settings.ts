import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { DeployedStack } from "../../../adapters/aws/account.ts";
import { OUTPUTS, STACK_NAMES } from "../../../adapters/aws/stack-names.ts";
import { ReelmillError } from "../../../base/errors.ts";
import { printableLine } from "../../../base/printable.ts";
import type { DeployOptions } from "./options.ts";

/** Settings of the stacks by name. */
export type NamedSettings = Readonly<Record<string, string>>;

const SETTING = /^([A-Za-z_]+)=(.+)$/;
const NAME = /^[A-Za-z_]+$/;
/** What `--image-tag` is for: the image that is pushed has to be the one that is run. */
const IMAGE_TAG = "image_tag";
/** As infra/src/settings.ts has it. */
const PREFIX = "reelmill:";

const VALUES = z.record(z.string().regex(NAME), z.union([z.string(), z.number()]).transform(String));

/** What the command line says about settings. */
export interface Wishes {
  readonly set: NamedSettings;
  readonly unset: ReadonlySet<string>;
}

/** Reads `--set` and `--unset`; of one that is set twice the last counts. Throws USAGE. */
export function readWishes({ set, unset }: Pick<DeployOptions, "set" | "unset">): Wishes {
  const values: Record<string, string> = {};
  for (const each of set) {
    const [, name, value] = SETTING.exec(each) ?? [];
    if (name === undefined || value === undefined) throw usage(`--set "${each}" must be name=value.`);
    if (name === IMAGE_TAG) throw usage(`--set "${each}": the image's tag is said by --image-tag.`);
    values[name] = value;
  }
  for (const name of unset) {
    if (!NAME.test(name)) throw usage(`--unset "${name}" must be the name of a setting.`);
    if (name === IMAGE_TAG) throw usage(`--unset "${name}": the image's tag is said by --image-tag.`);
    if (Object.hasOwn(values, name)) throw usage(`--set and --unset are both given for "${name}".`);
  }
  return { set: values, unset: new Set(unset) };
}

function usage(message: string): ReelmillError {
  return new ReelmillError("USAGE", printableLine(message));
}

/**
 * What the stacks were deployed with the last time, where that is not the default; undefined where there is no such note: nothing is deployed, or by
 * a version that made none. Throws CONFIG_INVALID.
 */
export function readKept(state: DeployedStack | undefined): NamedSettings | undefined {
  const text = state?.outputs[OUTPUTS.settings];
  if (text === undefined) return undefined;
  const parsed = VALUES.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const name = `${STACK_NAMES.state}.${OUTPUTS.settings}`;
  const message = `The output ${name} is ${printableLine(JSON.stringify(text.slice(0, 100)))}, but must be a JSON object of settings.`;
  throw new ReelmillError("CONFIG_INVALID", message);
}

/** What the checkout's own infra/cdk.json sets; the CDK reads it by itself. */
export function readSetByCheckout(root: string): NamedSettings {
  const path = join(root, "infra", "cdk.json");
  if (!existsSync(path)) return {};
  // The CDK complains of what is none.
  const { context = {} } = JSON.parse(readFileSync(path, "utf8")) as { readonly context?: Record<string, unknown> };
  const own = Object.entries(context).filter(([name]) => name.startsWith(PREFIX));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(PREFIX.length), String(value)]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One setting that is in effect, and who said so. */
export interface EffectiveSetting {
  readonly name: string;
  readonly value: string;
  readonly source: "--set" | "infra/cdk.json" | "kept";
}

/** What the stacks are made with besides the defaults, by name: the command line goes before the checkout, and that before what is kept. */
export function mergeSettings({ set, unset }: Wishes, ofCheckout: NamedSettings, kept: NamedSettings) {
  const merged = new Map<string, EffectiveSetting>();
  const add = (settings: NamedSettings, source: EffectiveSetting["source"]): void => {
    for (const [name, value] of Object.entries(settings)) merged.set(name, { name, value, source });
  };
  add(Object.fromEntries(Object.entries(kept).filter(([name]) => !unset.has(name))), "kept");
  add(ofCheckout, "infra/cdk.json");
  add(set, "--set");
  return [...merged.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** As the CDK is told them: without those that it reads by itself. */
export function toldSettings(settings: readonly EffectiveSetting[]): readonly string[] {
  return settings.filter(({ source }) => source !== "infra/cdk.json").map(({ name, value }) => `${name}=${value}`);
}

/**
 * The names that are unset, as the stacks' own program is told them, which refuses what is no setting. Without those that are kept: that is how one goes
 * that an earlier version had.
 */
export function toldUnset({ unset }: Wishes, kept: NamedSettings): readonly string[] {
  return [...unset].filter((name) => !Object.hasOwn(kept, name));
}

/** For people: what is in effect, what is no longer, and what nobody knows. Empty where there is nothing to be said. */
export function describeSettings(
  settings: readonly EffectiveSetting[],
  { unset }: Wishes,
  { kept, isDeployed }: { readonly kept: NamedSettings | undefined; readonly isDeployed: boolean },
): string {
  const lines = settings.map(({ name, value, source }) => `  ${name}=${value} (${source})`);
  const inEffect = new Set(settings.map(({ name }) => name));
  const gone = [...unset.difference(inEffect)].map((name) =>
    kept !== undefined && Object.hasOwn(kept, name)
      ? `  ${name}: the default again (was ${kept[name]})`
      : `  ${name}: nothing of that name is kept`,
  );
  const unknown = isDeployed && kept === undefined ? ["  What was set at earlier deployments is not known."] : [];
  const all = [...lines, ...gone, ...unknown].map((line) => `${printableLine(line)}\n`);
  return all.length === 0 ? "" : `Settings besides the defaults\n${all.join("")}`;
}
