import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AwsAccount } from "../../../adapters/aws/account.ts";
import { OUTPUTS, STACK_NAMES } from "../../../adapters/aws/stack-names.ts";
import { loadConfig } from "../../../base/config.ts";
import type { Config } from "../../../base/config-defaults.ts";
import { ReelmillError } from "../../../base/errors.ts";
import { printableJson, printableLine } from "../../../base/printable.ts";
import { openAccount } from "../../account-wiring.ts";
import type { CliContext } from "../cli-context.ts";
import { readKey } from "../client/connect.ts";
import { type Place, readPlace, writePlace } from "../client/place.ts";
import { EXIT_OK } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import { imageTagOf } from "./image-tag.ts";
import {
  describeSettings,
  mergeSettings,
  type NamedSettings,
  readKept,
  readSetByCheckout,
  readWishes,
  toldSettings,
  toldUnset,
  type Wishes,
} from "./kept-settings.ts";
import { type Machine, requireEngine, requireStackPackages, runStep, type StepWorld } from "./machine.ts";
import type { DeployOptions } from "./options.ts";
import { bootstrapStep, buildStep, loginStep, pushStep, restStep, type Step, stateStep, synthStep } from "./steps.ts";
import { describePlace, placeOf, requireKeyFile } from "./use.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
/** What the CDK itself needs in an account, by the name that it gives it. */
const TOOLKIT_STACK = "CDKToolkit";
const NOBODY_IS_TOLD =
  "Alarms and the budget tell nobody: there is no alert_email. Set it with --set alert_email=you@example.com.\n";
const IMAGE_TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * Puts the stacks of the checkout at `root` and their image onto AWS, prints what came of it, and points the command line there. Gives 0. Throws USAGE,
 * CONFIG_INVALID, INPUT_UNREADABLE, STACK_PACKAGES_MISSING, CONTAINER_ENGINE_MISSING, AWS_NOT_CONFIGURED, DEPLOY_FAILED, STACK_NOT_FOUND,
 * STORE_REFUSED, STORE_UNAVAILABLE, OUTPUT_UNWRITABLE, ABORTED.
 */
export async function runDeployCommand(options: DeployOptions, context: CliContext, root = ROOT): Promise<number> {
  const { imageTag: tag, synthOnly, dryRun } = options;
  const wishes = readWishes(options);
  if (tag !== undefined && !IMAGE_TAG.test(tag)) {
    throw new ReelmillError("USAGE", `--image-tag "${tag}" must be 1 to 128 letters, digits, _, . and -.`);
  }
  const config = loadConfig(context.environment);
  if (dryRun) return showSteps(tag ?? imageTagOf(root), options, context, root);
  const machine = requireStackPackages(root);
  const imageTag = tag ?? imageTagOf(root);
  if (synthOnly) {
    await makeTemplates(imageTag, wishes, machine, options, context);
    return EXIT_OK;
  }
  const keyFile = options.apiKeyFile === undefined ? undefined : requireKeyFile(options.apiKeyFile);
  const account = await openAccount(config.client);
  try {
    const region = await account.requireRegion();
    const before = await look(account, imageTag);
    const keyHashes = keyHashesOf(config, keyFile, before.hasApi);
    const engine = before.hasImage ? undefined : await requireEngine(context);
    const settings = settingsFor(wishes, before, root, context);
    const synth = synthStep(imageTag, settings, toldUnset(wishes, before.kept ?? {}));
    await deploy({ machine, engine, region, context }, { account, before, imageTag, keyHashes, synth });
    const outputs = await readOutputs(account);
    const stack = STACK_NAMES.interface;
    const place = placeOf(
      { stack, region, keyFile: keyFile ?? notedKeyFile(context, stack, region) },
      await account.getStack(stack),
    );
    writePlace(context.environment, place);
    showOutcome({ imageTag, outputs, place }, options, context);
    return EXIT_OK;
  } finally {
    account.close();
  }
}

/** By what the command line says alone. */
function synthAlone(imageTag: string, wishes: Wishes): Step {
  return synthStep(imageTag, toldSettings(mergeSettings(wishes, {}, {})), toldUnset(wishes, {}));
}

/** Makes the templates with what the command line and the checkout say alone: nobody is asked what is kept. */
async function makeTemplates(
  imageTag: string,
  wishes: Wishes,
  machine: Machine,
  { json }: DeployOptions,
  context: CliContext,
): Promise<void> {
  const synth = synthAlone(imageTag, wishes);
  await tellAndRun(synth, { machine, engine: undefined, region: undefined, context });
  const templates = join(machine.root, "infra", "out");
  context.writeOutput(
    json ? `${printableJson({ schema: 1, imageTag, templates })}\n` : `Templates: ${printableLine(templates)}\n`,
  );
}

/** What the CDK is told, `name=value` each; says what is in effect. */
function settingsFor(wishes: Wishes, before: Before, root: string, { writeError }: CliContext): readonly string[] {
  const settings = mergeSettings(wishes, readSetByCheckout(root), before.kept ?? {});
  writeError(describeSettings(settings, wishes, before));
  if (!settings.some(({ name }) => name === "alert_email")) writeError(NOBODY_IS_TOLD);
  return toldSettings(settings);
}

/** The file whose key was noted for that place the last time. */
function notedKeyFile({ environment }: CliContext, stack: string, region: string): string | undefined {
  const noted = readPlace(environment);
  return noted?.stack === stack && noted.region === region ? noted.apiKeyFile : undefined;
}

/**
 * The SHA-256 of each key that the API is to take, as the stack's parameter has them; undefined: those that it has. The key that a client shows is
 * taken for the first deployment alone: others may use the API with other keys by now. Throws CONFIG_INVALID where there is no API yet and no key.
 */
function keyHashesOf({ server, client }: Config, keyFile: string | undefined, hasApi: boolean): string | undefined {
  if (keyFile === undefined && server.apiKeyHashes.length > 0) return server.apiKeyHashes.join(",");
  const key = keyFile === undefined ? (hasApi ? undefined : client.apiKey) : readKey(keyFile);
  if (key !== undefined) return createHash("sha256").update(key).digest("hex");
  if (hasApi) return undefined;
  throw new ReelmillError("CONFIG_INVALID", "No API key is named that the API is to take.", {
    advice:
      "Write one into a file, such as by `(umask 077; od -An -tx1 -N32 /dev/urandom | tr -d ' \\n' > key)`, and name it with --api-key-file, or set REELMILL_API_KEY_SHA256 to its SHA-256.",
  });
}

/** What is there before the first step. */
interface Before {
  readonly isPrepared: boolean;
  readonly hasImage: boolean;
  readonly hasApi: boolean;
  /** Whether anything was deployed before. */
  readonly isDeployed: boolean;
  /** What it was deployed with; undefined: not known. */
  readonly kept: NamedSettings | undefined;
}

async function look(account: AwsAccount, imageTag: string): Promise<Before> {
  const [toolkit, state, api] = [
    await account.getStack(TOOLKIT_STACK),
    await account.getStack(STACK_NAMES.state),
    await account.getStack(STACK_NAMES.interface),
  ];
  const registryUri = state?.outputs[OUTPUTS.registryUri];
  const hasImage = registryUri !== undefined && (await account.hasImage(registryUri, imageTag));
  return {
    isPrepared: toolkit !== undefined,
    hasImage,
    // One that could not be made has no outputs, and is made anew.
    hasApi: api?.outputs[OUTPUTS.apiUrl] !== undefined,
    isDeployed: registryUri !== undefined,
    kept: readKept(state),
  };
}

/** What is to be deployed, and where. */
interface Deployment {
  readonly account: AwsAccount;
  readonly before: Before;
  readonly imageTag: string;
  readonly keyHashes: string | undefined;
  readonly synth: Step;
}

async function deploy(world: StepWorld, { account, before, imageTag, keyHashes, synth }: Deployment): Promise<void> {
  const run = (step: Step, input?: string): Promise<void> => tellAndRun(step, world, input);
  await run(synth);
  if (!before.isPrepared) await run(bootstrapStep());
  await run(stateStep());
  if (!before.hasImage) {
    const registryUri = (await account.getStack(STACK_NAMES.state))?.outputs[OUTPUTS.registryUri];
    if (registryUri === undefined) {
      throw new ReelmillError("STACK_NOT_FOUND", `${STACK_NAMES.state} has no output ${OUTPUTS.registryUri}.`);
    }
    await run(buildStep(registryUri, imageTag, world.machine.root));
    // Good for hours, so not before the build.
    const { user, password } = await account.logIn();
    await run(loginStep(registryUri, user), password);
    await run(pushStep(registryUri, imageTag));
  }
  await run(restStep(keyHashes));
}

function describeStep({ title, program, shown }: Step): string {
  const words = [program === "cdk" ? "infra/node_modules/.bin/cdk" : "docker", ...shown].map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word),
  );
  return `${title}\n  ${printableLine(words.join(" "))}\n`;
}

async function tellAndRun(step: Step, world: StepWorld, input?: string): Promise<void> {
  world.context.writeError(describeStep(step));
  await runStep(step, world, input);
}

/** All steps as they would be where nothing is there yet. */
function showSteps(
  imageTag: string,
  { set, unset, synthOnly, json }: DeployOptions,
  context: CliContext,
  root: string,
): number {
  const registryUri = `<${OUTPUTS.registryUri} of ${STACK_NAMES.state}>`;
  const all = [
    synthAlone(imageTag, readWishes({ set, unset })),
    bootstrapStep(),
    stateStep(),
    buildStep(registryUri, imageTag, root),
    loginStep(registryUri, "AWS"),
    pushStep(registryUri, imageTag),
    restStep("<SHA-256 of the API key>"),
  ];
  const steps = synthOnly ? all.slice(0, 1) : all;
  const shown = steps.map(({ title, program, shown: args }) => ({ title, program, args }));
  context.writeOutput(
    json ? `${printableJson({ schema: 1, imageTag, steps: shown })}\n` : steps.map(describeStep).join(""),
  );
  return EXIT_OK;
}

/** Of each stack, what it says of itself. */
type Outputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

async function readOutputs(account: AwsAccount): Promise<Outputs> {
  const outputs: Record<string, Readonly<Record<string, string>>> = {};
  for (const name of Object.values(STACK_NAMES)) outputs[name] = (await account.getStack(name))?.outputs ?? {};
  return outputs;
}

function showOutcome(
  { imageTag, outputs, place }: { readonly imageTag: string; readonly outputs: Outputs; readonly place: Place },
  { json }: DeployOptions,
  context: CliContext,
): void {
  if (json) {
    context.writeOutput(`${printableJson({ schema: 1, imageTag, outputs, place })}\n`);
    return;
  }
  const rows = Object.entries(outputs).flatMap(([stack, named]) =>
    Object.entries(named)
      // What one stack hands to another one is for nobody else.
      .filter(([name]) => !name.startsWith("ExportsOutput"))
      .map(([name, value]) => [stack, name, value]),
  );
  context.writeOutput(formatTable([{ title: "stack" }, { title: "output" }, { title: "value" }], rows));
  context.writeOutput(`${describePlace(place)}\n`);
}
