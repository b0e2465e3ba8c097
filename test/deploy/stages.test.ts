import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT } from "../support/documentation.ts";
import { copyFromCheckout, linkPackages, readCopy, type Stage, stages } from "./image.fixture.ts";

/** Where every stage works. */
const WORKDIR = "/app";
/** What a stage takes besides: the files that npm reads, and no script of a package's, so that nothing else has to be there yet. */
const INSTALL = /^npm ci --ignore-scripts /;

/** Stands for the folders of all stages. */
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-stages-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function stageOf(name: string | undefined): Stage {
  const found = stages.find((stage) => stage.name === name);
  if (found === undefined) throw new Error(`The Dockerfile has no stage ${name}.`);
  return found;
}

/** Runs a step of a stage in the folder that stands for the stage's. */
function runIn(app: string, step: string): void {
  const PATH = `${dirname(process.execPath)}:${process.env["PATH"]}`;
  const env = { PATH, HOME: folder, npm_config_update_notifier: "false" };
  try {
    execFileSync("sh", ["-c", step.replaceAll(`${WORKDIR}/`, `${app}/`)], { cwd: app, env, stdio: "pipe" });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { readonly stdout?: Buffer; readonly stderr?: Buffer };
    throw new Error(`${step}\n${String(stdout)}${String(stderr)}`, { cause: error });
  }
}

/** What npm is asked to install is named by files that are there by then. */
function expectManifests(app: string): void {
  const { workspaces } = JSON.parse(readFileSync(join(app, "package.json"), "utf8")) as { workspaces: string[] };
  for (const path of ["package-lock.json", ...workspaces.map((name) => `${name}/package.json`)]) {
    expect(existsSync(join(app, path)), path).toBe(true);
  }
}

/** Does the stage's instructions in their order, from nothing but what it copies; `install` stands for what npm fetches. */
function make({ instructions }: Stage, app: string, install: () => void): void {
  mkdirSync(app);
  for (const instruction of instructions) {
    const { name, rest } = instruction;
    if (name === "COPY") copyFromCheckout(readCopy(instruction), app);
    else if (name === "WORKDIR") expect(rest).toBe(WORKDIR);
    else if (name !== "RUN") throw new Error(`${name} is unknown here.`);
    else if (INSTALL.test(rest)) {
      expectManifests(app);
      install();
    } else runIn(app, rest);
  }
}

it("each stage builds from what it copies, and has what the image takes of it", () => {
  const built = join(folder, "built");
  // Node finds packages by a file's real path, and so those of this checkout's.
  make(stageOf("built"), built, () => symlinkSync(join(ROOT, "node_modules"), join(built, "node_modules")));
  const packages = join(folder, "packages");
  make(stageOf("packages"), packages, () => linkPackages(packages));

  const image = join(folder, "image");
  mkdirSync(image);
  const { instructions } = stageOf(undefined);
  for (const instruction of instructions.filter(({ name }) => name === "COPY")) {
    const copy = readCopy(instruction);
    if (copy.into.startsWith("/")) continue;
    if (copy.from === undefined) {
      copyFromCheckout(copy, image);
      continue;
    }
    for (const source of copy.sources) {
      const from = source.replace(WORKDIR, join(folder, copy.from));
      expect(existsSync(from), `${copy.from}: ${source}`).toBe(true);
      cpSync(from, join(image, copy.into), { recursive: true, verbatimSymlinks: true });
    }
  }
  expect(readFileSync(join(image, "web/dist/index.html"), "utf8")).toMatch(/src="\/assets\/[^"]+\.js"/);
  const steps = instructions
    .filter(({ name, rest }) => name === "RUN" && rest.startsWith("node "))
    .map(({ rest }) => rest);
  expect(steps).toEqual([expect.stringContaining("dist/apps/lambda")]);
  for (const step of steps) runIn(image, step);
});
