import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createJobStore } from "../../src/adapters/aws/job-store.ts";
import { createS3ObjectStore } from "../../src/adapters/aws/object-store.ts";
import { systemClock } from "../../src/base/clock.ts";
import { makeRecordings } from "../e2e/recordings.fixture.ts";
import { API_HEADERS, apiEvent } from "../lambda/events.fixture.ts";
import { runFunction } from "../lambda/runtime.fixture.ts";
import { environmentOf, openStores, type Stores } from "../support/aws.ts";
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

/** Builds the stages, and puts together what the image takes of them; the folder that stands for the image's. */
function makeImage(): string {
  const built = join(folder, "built");
  // Node finds packages by a file's real path, and so those of this checkout's.
  make(stageOf("built"), built, () => symlinkSync(join(ROOT, "node_modules"), join(built, "node_modules")));
  const packages = join(folder, "packages");
  make(stageOf("packages"), packages, () => linkPackages(packages));

  const image = join(folder, "image");
  mkdirSync(image);
  const copies = stageOf(undefined).instructions.filter(({ name }) => name === "COPY");
  for (const copy of copies.map(readCopy)) {
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
  return image;
}

let made: string | undefined;

/** The image of this file's tests, whichever of them comes first. */
function imageOnce(): string {
  made ??= makeImage();
  return made;
}

it("each stage builds from what it copies, and has what the image takes of it", () => {
  const image = imageOnce();
  expect(readFileSync(join(image, "web/dist/index.html"), "utf8")).toMatch(/src="\/assets\/[^"]+\.js"/);
  const steps = stageOf(undefined)
    .instructions.filter(({ name, rest }) => name === "RUN" && rest.startsWith("node "))
    .map(({ rest }) => rest);
  expect(steps).toEqual([expect.stringContaining("dist/apps/lambda")]);
  for (const step of steps) runIn(image, step);
});

describe("the functions of the image", () => {
  const KEY = "k".repeat(32);
  let stores: Stores;

  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores.close());

  /** Starts the image's own program for functions, with what the image has and no more. */
  async function call(name: string, events: readonly unknown[]): Promise<readonly unknown[]> {
    const image = imageOnce();
    const program = join(folder, "reelmill-lambda");
    const script = readFileSync(join(ROOT, "deploy/bin/reelmill-lambda"), "utf8");
    writeFileSync(program, script.replaceAll(`${WORKDIR}/`, `${image}/`), { mode: 0o755 });
    const environment = {
      ...environmentOf(stores),
      PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`,
      REELMILL_DATA: join(folder, "work"),
      REELMILL_API_KEY_SHA256: createHash("sha256").update(KEY).digest("hex"),
    };
    const told = await runFunction(name, events, environment, [program]);
    return told.map(({ body }) => body);
  }

  it("start the thread that reads recordings: a batch finds its reference, and its recording is repaired", async () => {
    const { damaged, reference } = makeRecordings(join(folder, "recordings"));
    const objects = createS3ObjectStore({ bucket: stores.bucket, workFolder: join(folder, "lent") });
    await objects.put("uploads/day/damaged.mp4", createReadStream(damaged));
    await objects.put("uploads/day/reference.mp4", createReadStream(reference));

    const headers = { ...API_HEADERS, "x-api-key": KEY, "content-type": "application/json" };
    const request = { headers, body: JSON.stringify({ input_prefix: "day" }) };
    const [answer] = await call("api", [apiEvent("POST", "/submit-batch", request)]);
    const { statusCode, body } = answer as { readonly statusCode: number; readonly body: string };
    const submitted = JSON.parse(Buffer.from(body, "base64").toString()) as Readonly<Record<string, string>>;
    expect([statusCode, submitted]).toMatchObject([
      202,
      { reference_file: expect.stringMatching(/reference\.mp4$/), file_count: 1 },
    ]);

    const jobId = submitted["batch_job_id"];
    const stages = ["plan", "work", "finish"].map((stage) => ({ jobId, stage, index: 0 }));
    expect(await call("state", stages)).toEqual([
      { jobId, status: "running", tasks: [0] },
      { jobId, status: "running" },
      { jobId, status: "succeeded" },
    ]);
    const store = createJobStore(stores.table, systemClock);
    const [task] = await store.listTasks(String(jobId), "work");
    expect(task?.output).toMatchObject({ status: "repaired", report: { engine: "native" } });
    expect(await objects.head("outputs/day/damaged.mp4")).toBeDefined();
  });
});
