import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { withoutOwnSecrets } from "../../../base/config.ts";
import type { Environment } from "../../../base/config-defaults.ts";
import { ReelmillError } from "../../../base/errors.ts";
import { printableLine, printableText } from "../../../base/printable.ts";
import { type ProcessOptions, runProcess } from "../../../ffmpeg/process.ts";
import { programEnvironment } from "../../../ffmpeg/program-environment.ts";
import { findProgram } from "../../../ffmpeg/programs.ts";
import type { CliContext } from "../cli-context.ts";
import type { Step } from "./steps.ts";

/** Programs that build images with the same words, in the order of preference. */
const ENGINES = ["docker", "podman"] as const;
const ANSWER_TIMEOUT_MS = 30_000;
/** A step that takes longer hangs: an image is built in minutes, the stacks are made in half an hour. */
const STEP_TIMEOUT_MS = 4 * 3600_000;

/** Programs that steps are done by. */
export interface Machine {
  /** Root of the checkout. */
  readonly root: string;
  readonly cdk: string;
}

/** The stacks' own CDK. Throws STACK_PACKAGES_MISSING where packages of infra/ are missing or not of the versions that it names. */
export function requireStackPackages(root: string): Machine {
  const infra = join(root, "infra");
  const manifest = readManifest(infra);
  if (manifest === undefined) {
    throw new ReelmillError("STACK_PACKAGES_MISSING", `There is no ${infra}: deploying needs a checkout of Reelmill.`);
  }
  const cdk = join(infra, "node_modules", ".bin", "cdk");
  const stale = Object.entries(manifest.dependencies ?? {}).filter(
    ([name, version]) => readManifest(join(infra, "node_modules", name))?.version !== version,
  );
  if (stale.length === 0 && existsSync(cdk)) return { root, cdk };
  const names = stale.map(([name, version]) => `${name} ${version}`).join(", ") || "cdk";
  throw new ReelmillError("STACK_PACKAGES_MISSING", `infra/ lacks packages that it needs: ${names}.`, {
    advice: `Run: npm ci --prefix ${infra}`,
  });
}

function readManifest(folder: string) {
  const path = join(folder, "package.json");
  if (!existsSync(path)) return undefined;
  return JSON.parse(readFileSync(path, "utf8")) as {
    readonly version?: string;
    readonly dependencies?: Readonly<Record<string, string>>;
  };
}

/** The path of a container engine that answers. Throws CONTAINER_ENGINE_MISSING, ABORTED. */
export async function requireEngine({ environment, signal }: CliContext): Promise<string> {
  const complaints: string[] = [];
  for (const name of ENGINES) {
    const path = await findProgram(name, environment);
    if (path === undefined) continue;
    const options = { timeoutMs: ANSWER_TIMEOUT_MS, signal, environment: programEnvironment(environment) };
    const { exitCode, errorTail } = await running(name, () => runProcess(path, ["version"], options));
    if (exitCode === 0) return path;
    complaints.push(`${name} does not answer (${lastLineOf(errorTail)})`);
  }
  const found = complaints.join("; ") || `none of ${ENGINES.join(", ")} is on the PATH`;
  throw new ReelmillError("CONTAINER_ENGINE_MISSING", `The image cannot be built: ${found}.`, {
    advice: "Install and start Docker or Podman, or name an image that is in the registry with --image-tag.",
  });
}

/** What a step is done with. */
export interface StepWorld {
  readonly machine: Machine;
  /** Undefined where no step of it comes. */
  readonly engine: string | undefined;
  /** Where the account was asked; undefined where it is not. */
  readonly region: string | undefined;
  readonly context: CliContext;
}

/** Has a step done; what its program says goes to standard error. Throws DEPLOY_FAILED, ABORTED. */
export async function runStep({ title, program, args }: Step, world: StepWorld, input?: string): Promise<void> {
  const { machine, engine, region, context } = world;
  const { environment, signal, writeError } = context;
  const path = program === "cdk" ? machine.cdk : engine;
  if (path === undefined) throw new ReelmillError("INTERNAL", `No container engine is there for "${title}".`);
  const tell = (piece: Buffer): void => writeError(printableText(piece.toString("utf8")));
  const options: ProcessOptions = {
    timeoutMs: STEP_TIMEOUT_MS,
    signal,
    folder: program === "cdk" ? join(machine.root, "infra") : machine.root,
    environment: program === "cdk" ? forCdk(environment, region) : forEngine(environment),
    onOutput: tell,
    onErrorOutput: tell,
    maxOutputBytes: Number.POSITIVE_INFINITY,
    ...(input === undefined ? {} : { inputs: [[Buffer.from(input)]] }),
  };
  const { exitCode, errorTail } = await running(title, () => runProcess(path, args, options));
  if (exitCode === 0) return;
  throw new ReelmillError("DEPLOY_FAILED", `"${title}" ended with status ${exitCode}: ${lastLineOf(errorTail)}`);
}

/** The CDK and the stacks' program are run by `node`, which has to be this one. What is deployed is told to nobody but the account. */
function forCdk(environment: Environment, region: string | undefined): Environment {
  const PATH = [dirname(process.execPath), environment["PATH"] ?? ""].join(delimiter);
  // The CDK looks for a region in more places than the SDK does, and must not find another one.
  const place = region === undefined ? {} : { AWS_REGION: region };
  return { ...withoutOwnSecrets(environment), ...place, PATH, CDK_DISABLE_CLI_TELEMETRY: "true" };
}

/** Lambda takes no image that has an attestation beside it. */
function forEngine(environment: Environment): Environment {
  return { ...programEnvironment(environment), BUILDX_NO_DEFAULT_ATTESTATIONS: "1" };
}

/** The room of ffmpeg has its own words for what becomes of a process. */
async function running<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code === "ABORTED") throw error;
    throw new ReelmillError("DEPLOY_FAILED", `"${what}": ${error.message}`, { cause: error });
  }
}

function lastLineOf(text: string): string {
  return printableLine(text.trim().split("\n").at(-1) || "it gave no reason");
}
