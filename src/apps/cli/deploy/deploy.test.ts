import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readPlace } from "../client/place.ts";
import { createRecordingContext } from "../recording-context.fixture.ts";
import { runDeployCommand } from "./deploy.ts";
import { type FakeAccount, REGISTRY_PASSWORD, startFakeAccount, stubCredentials } from "./fake-aws.fixture.ts";
import { imageTagOf } from "./image-tag.ts";
import type { DeployOptions } from "./options.ts";

const KEY = "5ecret";
const HASH = createHash("sha256").update(KEY).digest("hex");
const API = "https://abc.execute-api.eu-central-1.amazonaws.com";
const REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/image";

/** A checkout as far as deploying looks at it, with programs that write down how they are called. */
let root: string;
let log: string;
let account: FakeAccount;
let environment: Record<string, string>;

beforeEach(async () => {
  stubCredentials();
  root = mkdtempSync(join(tmpdir(), "reelmill-deploy-"));
  log = join(root, "log");
  write("package.json", '{"version":"1.2.3"}');
  write("Dockerfile", "FROM x\n");
  write(".dockerignore", "*\n!package.json\n!src\n**/*.test.ts\n");
  write("src/a.ts", "1\n");
  write("infra/package.json", '{"dependencies":{"aws-cdk":"2.0.0"}}');
  write("infra/node_modules/aws-cdk/package.json", '{"version":"2.0.0"}');
  writeProgram(
    "infra/node_modules/.bin/cdk",
    `echo "cdk $* in $(basename "$PWD")" >> ${log}; echo "$(command -v node) $CDK_DISABLE_CLI_TELEMETRY $AWS_REGION $REELMILL_API_KEY" >> ${log}.environment`,
  );
  writeProgram(
    "bin/docker",
    `[ "$1" = version ] || echo "docker $*" >> ${log}; [ "$1" != login ] || cat > ${log}.password`,
  );
  account = await startFakeAccount(deployWhatWasAskedFor);
  environment = {
    PATH: [join(root, "bin"), "/usr/bin", "/bin"].join(delimiter),
    XDG_CONFIG_HOME: join(root, "config"),
    REELMILL_CLOUDFORMATION_ENDPOINT: account.endpoint,
    REELMILL_ECR_ENDPOINT: account.endpoint,
    REELMILL_API_KEY: KEY,
  };
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await account.close();
  rmSync(root, { recursive: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function writeProgram(path: string, script: string): void {
  write(path, `#!/bin/sh\n${script}\n`);
  chmodSync(join(root, path), 0o755);
}

function calls(): readonly string[] {
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
}

/** What the templates were made with, as the stacks' own program puts it into an output: all but the image's tag. */
function settingsIn(call: string): Readonly<Record<string, string>> {
  const told = [...call.matchAll(/--context reelmill:(\w+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value]);
  return Object.fromEntries(told.filter(([name]) => name !== "image_tag"));
}

/** The account has what the programs were asked to bring there. */
function deployWhatWasAskedFor({ stacks, images }: FakeAccount): void {
  let made: Readonly<Record<string, string>> = {};
  for (const call of calls()) {
    if (/^cdk bootstrap/.test(call)) stacks.set("CDKToolkit", {});
    if (/^cdk synth /.test(call)) made = settingsIn(call);
    if (/^cdk deploy .* ReelmillState /.test(call)) {
      stacks.set("ReelmillState", { RegistryUri: REGISTRY, Settings: JSON.stringify(made) });
    }
    if (/^cdk deploy .* --all/.test(call)) {
      stacks.set("ReelmillInterface", { ApiUrl: API, ExportsOutputRefX: "internal" });
    }
    const [, tag] = /^docker push .*:(.*)$/.exec(call) ?? [];
    if (tag !== undefined) images.add(tag);
  }
}

async function deploy(options: Partial<DeployOptions> = {}) {
  const context = createRecordingContext({ environment });
  const exitCode = await runDeployCommand(
    { set: [], unset: [], synthOnly: false, dryRun: false, json: false, ...options },
    context,
    root,
  );
  return { exitCode, ...context.written };
}

const DEPLOY = "cdk deploy --app out --require-approval never --progress events";

describe("deploy", () => {
  it("makes templates, prepares the account, deploys, pushes the image in between, and uses what there is then", async () => {
    const { output, error } = await deploy({ set: ["batch_max_vcpus=64"] });
    const tag = imageTagOf(root);
    const host = REGISTRY.slice(0, REGISTRY.indexOf("/"));
    const context = `--context reelmill:image_tag=${tag} --context reelmill:batch_max_vcpus=64`;
    expect(calls()).toEqual([
      `cdk synth --quiet --output out ${context} in infra`,
      "cdk bootstrap --app out in infra",
      `${DEPLOY} ReelmillState in infra`,
      `docker build --platform linux/amd64 --tag ${REGISTRY}:${tag} ${root}`,
      `docker login --username AWS --password-stdin ${host}`,
      `docker push ${REGISTRY}:${tag}`,
      `${DEPLOY} --all --parameters ReelmillInterface:ApiKeyHash=${HASH} in infra`,
    ]);
    expect(readFileSync(`${log}.password`, "utf8")).toBe(REGISTRY_PASSWORD);
    expect(new Set(readFileSync(`${log}.environment`, "utf8").trim().split(/ *\n/))).toEqual(
      new Set([`${join(dirname(process.execPath), "node")} true eu-central-1`]),
    );
    expect(output).toContain(API);
    expect(output).not.toContain("internal");
    expect(readPlace(environment)).toEqual({ stack: "ReelmillInterface", region: "eu-central-1", server: API });
    for (const secret of [KEY, HASH, REGISTRY_PASSWORD]) expect(output + error).not.toContain(secret);
  });

  it("takes the key from a file, and notes where that is", async () => {
    delete environment["REELMILL_API_KEY"];
    write("key", `${KEY}\n`);
    await deploy({ apiKeyFile: join(root, "key") });
    expect(calls().at(-1)).toContain(`ApiKeyHash=${HASH}`);
    expect(readPlace(environment)).toMatchObject({ apiKeyFile: join(root, "key") });
  });

  it("does again only what has changed, and asks neither for an engine nor for a key then", async () => {
    await deploy();
    writeFileSync(log, "");
    rmSync(join(root, "bin"), { recursive: true });
    delete environment["REELMILL_API_KEY"];
    expect(JSON.parse((await deploy({ json: true })).output)).toMatchObject({
      schema: 1,
      outputs: { ReelmillInterface: { ApiUrl: API } },
      place: { server: API },
    });
    expect(calls().map((call) => call.replace(/ --context.*/, ""))).toEqual([
      "cdk synth --quiet --output out",
      `${DEPLOY} ReelmillState in infra`,
      `${DEPLOY} --all in infra`,
    ]);
  });

  it("keeps the keys that the API takes and the file that was noted, whatever key a client shows", async () => {
    const file = join(root, "key");
    writeFileSync(file, KEY);
    await deploy({ apiKeyFile: file });
    writeFileSync(log, "");
    environment["REELMILL_API_KEY"] = "another-key-that-the-API-takes-by-now";
    await deploy();
    expect(calls().filter((call) => call.includes("--parameters"))).toEqual([]);
    expect(readPlace(environment)).toMatchObject({ server: API, apiKeyFile: file });
  });

  it("keeps what was set, until it is set otherwise or not any more, and says what is in effect", async () => {
    const settings = async (options: Partial<DeployOptions>) => {
      writeFileSync(log, "");
      const { error } = await deploy(options);
      return { told: settingsIn(calls().find((call) => call.startsWith("cdk synth")) ?? ""), error };
    };
    const email = { alert_email: "ops@example.com" };
    const job = { object_made_job: '{"pipeline":"convert"}' };
    const first = await settings({ set: ["alert_email=ops@example.com", "workers_reach=internet"] });
    expect(first).toMatchObject({ told: { ...email, workers_reach: "internet" } });
    expect(await settings({})).toEqual({
      told: { ...email, workers_reach: "internet" },
      error: expect.stringContaining(
        "Settings besides the defaults\n  alert_email=ops@example.com (kept)\n  workers_reach=internet (kept)\n",
      ),
    });
    const more = await settings({ set: ["workers_reach=endpoints", `object_made_job=${job.object_made_job}`] });
    expect(more.told).toEqual({ ...email, ...job, workers_reach: "endpoints" });
    const less = await settings({ unset: ["workers_reach", "job_vcpus"] });
    expect(less.told).toEqual({ ...email, ...job });
    expect(less.error).toContain("workers_reach: the default again (was endpoints)");
    expect(less.error).not.toContain("tell nobody");
    expect(less.error).toContain("job_vcpus: nothing of that name is kept");
    // The CDK reads the checkout's by itself, and what it is told goes before that.
    write("infra/cdk.json", '{"context":{"reelmill:alert_email":"dev@example.com"}}');
    const own = await settings({});
    expect(own.told).toEqual(job);
    expect(own.error).toContain("alert_email=dev@example.com (infra/cdk.json)");
  });

  it("tells which names are unset to what knows the settings, but for those that are kept, which an earlier version may have had", async () => {
    const synth = () => calls().find((call) => call.startsWith("cdk synth"));
    await deploy({ set: ["of_old=1", "workers_reach=internet"] });
    expect(synth()).not.toContain("unset");
    writeFileSync(log, "");
    await deploy({ unset: ["of_old", "nonsense", "job_vcpu"] });
    expect(synth()).toMatch(
      / --context reelmill:workers_reach=internet --context reelmill-unset=nonsense,job_vcpu in infra$/,
    );
    writeFileSync(log, "");
    await deploy({ unset: ["workers_reach"], synthOnly: true });
    expect(synth()).toContain(" --context reelmill-unset=workers_reach in infra");
    expect((await deploy({ unset: ["nonsense"], dryRun: true })).output).toContain("--context reelmill-unset=nonsense");
  });

  it("says that it does not know what a version has set that kept nothing", async () => {
    await deploy();
    writeFileSync(log, "");
    account.stacks.set("ReelmillState", { RegistryUri: REGISTRY });
    const { error } = await deploy();
    expect(error).toContain("What was set at earlier deployments is not known.");
    expect(error).toContain("Alarms and the budget tell nobody: there is no alert_email.");
  });

  it("stops at a step that fails, says what its program said last, and notes nothing", async () => {
    writeProgram("bin/docker", '[ "$1" = version ] || { echo "no space left" >&2; exit 3; }');
    const message = '"Build the image" ended with status 3: no space left';
    await expect(deploy()).rejects.toMatchObject({ code: "DEPLOY_FAILED", message });
    expect(calls().at(-1)).toContain("ReelmillState");
    expect(readPlace(environment)).toBeUndefined();
  });

  it("shows each step and does none", async () => {
    rmSync(join(root, "infra"), { recursive: true });
    environment["PATH"] = "";
    const { output } = await deploy({ dryRun: true });
    expect(output.match(/^ {2}\S+ \S+/gm)).toEqual([
      "  infra/node_modules/.bin/cdk synth",
      "  infra/node_modules/.bin/cdk bootstrap",
      "  infra/node_modules/.bin/cdk deploy",
      "  docker build",
      "  docker login",
      "  docker push",
      "  infra/node_modules/.bin/cdk deploy",
    ]);
    expect(output).not.toContain(KEY);
    expect(output).not.toContain(HASH);
    expect(account.asked).toEqual([]);
    expect(calls()).toEqual([]);
  });

  it("makes the templates alone without an account", async () => {
    vi.stubEnv("AWS_REGION", undefined);
    expect((await deploy({ synthOnly: true })).output).toContain(join(root, "infra/out"));
    expect(calls()).toHaveLength(1);
    expect(account.asked).toEqual([]);
  });
});

describe("deploy begins nothing", () => {
  const noDocker = (): void => rmSync(join(root, "bin"), { recursive: true });
  const silentDocker = (): void => writeProgram("bin/docker", 'echo "is the daemon running?" >&2; exit 1');
  const oldCdk = (): void => write("infra/node_modules/aws-cdk/package.json", '{"version":"1.0.0"}');
  const noPackages = (): void => rmSync(join(root, "infra/node_modules"), { recursive: true });
  const noKey = (): void => void delete environment["REELMILL_API_KEY"];

  it.each([
    ["no engine", noDocker, "CONTAINER_ENGINE_MISSING", /docker, podman.*Install/],
    ["an engine that does not answer", silentDocker, "CONTAINER_ENGINE_MISSING", /is the daemon running\?/],
    ["no packages of the stacks", noPackages, "STACK_PACKAGES_MISSING", /aws-cdk 2\.0\.0.*npm ci --prefix .*infra/],
    ["other packages of the stacks", oldCdk, "STACK_PACKAGES_MISSING", /aws-cdk 2\.0\.0/],
    ["no region", () => vi.stubEnv("AWS_REGION", undefined), "AWS_NOT_CONFIGURED", /AWS_REGION/],
    ["no credentials", () => vi.stubEnv("AWS_ACCESS_KEY_ID", undefined), "AWS_NOT_CONFIGURED", /AWS_PROFILE/],
    ["no API key", noKey, "CONFIG_INVALID", /--api-key-file/],
  ])("with %s, and says what to do", async (_what, spoil, code, message) => {
    spoil();
    await expect(deploy()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(calls()).toEqual([]);
    expect(readPlace(environment)).toBeUndefined();
  });

  it.each([
    [{ set: ["batch_max_vcpus"] }, /--set "batch_max_vcpus"/],
    [{ imageTag: "a b" }, /--image-tag "a b"/],
    [{ set: ["image_tag=1"] }, /--image-tag/],
    [{ unset: ["a=b"] }, /--unset "a=b"/],
    [{ unset: ["image_tag"] }, /--unset "image_tag": .*--image-tag/],
    [{ set: ["job_vcpu=2"], unset: ["job_vcpu"] }, /both given for "job_vcpu"/],
  ])("with %j", async (options, message) => {
    await expect(deploy(options)).rejects.toMatchObject({ code: "USAGE", message: expect.stringMatching(message) });
    expect(calls()).toEqual([]);
  });
});

it("an image's tag follows from what is copied into it, and from nothing else", () => {
  const before = imageTagOf(root);
  expect(before).toMatch(/^1\.2\.3-[0-9a-f]{12}$/);
  write("src/a.test.ts", "2\n");
  write("README.md", "2\n");
  expect(imageTagOf(root)).toBe(before);
  write("src/a.ts", "2\n");
  expect(imageTagOf(root)).not.toBe(before);
});
