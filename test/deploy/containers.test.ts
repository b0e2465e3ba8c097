import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { validate } from "dockerfile-utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readAwsHome } from "../../src/apps/aws-settings.ts";
import { createProgram } from "../../src/apps/cli/program.ts";
import { createRecordingContext } from "../../src/apps/cli/recording-context.fixture.ts";
import { describeSettings, loadConfig } from "../../src/base/config.ts";
import { ROOT, readPage } from "../support/documentation.ts";
import { copyFromCheckout, dockerfile, instructions, isLetIn, linkPackages, readCopy } from "./image.fixture.ts";

/** Those of the image itself, without the stages that it takes from. */
const last = instructions.slice(instructions.findLastIndex(({ name }) => name === "FROM"));
const restOf = (name: string): readonly string[] => last.filter((one) => one.name === name).map(({ rest }) => rest);

describe("the image", () => {
  let app: string;

  beforeAll(() => {
    app = mkdtempSync(join(tmpdir(), "reelmill-image-"));
  });
  afterAll(() => rmSync(app, { recursive: true }));

  it("is described without mistakes, and runs as nobody in particular", () => {
    expect(validate(dockerfile)).toEqual([]);
    expect(restOf("USER")).toEqual(["1001:1001"]);
    const bases = instructions.filter(({ name }) => name === "FROM").map(({ rest }) => rest.split(" ")[0]);
    expect(new Set(bases)).toEqual(new Set(["node:24-bookworm-slim"]));
    expect(dockerfile).not.toMatch(/secret|password|token|_KEY=/i);
  });

  it("copies what is there, and what is not kept out of it", () => {
    const copies = instructions.filter(({ name }) => name === "COPY").map(readCopy);
    for (const path of copies.flatMap(({ from, sources }) => (from === undefined ? sources : []))) {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
      expect(isLetIn(path), path).toBe(true);
    }
  });

  it("has all that its programs load: nothing of development", () => {
    for (const copy of last.filter(({ name }) => name === "COPY").map(readCopy)) {
      if (copy.from === undefined && !copy.into.startsWith("/")) copyFromCheckout(copy, app);
    }
    linkPackages(app);
    const loadAll = `
      import { globSync } from "node:fs";
      for (const path of globSync("src/apps/**/*.ts")) {
        if (!/(main|thread)\\.ts$/.test(path)) await import("./" + path);
      }`;
    writeFileSync(join(app, "load-all.ts"), loadAll);
    execFileSync(process.execPath, ["load-all.ts"], { cwd: app, stdio: "pipe" });
  });

  it("begins with programs that do what its steps ask of them", () => {
    const bin = join(app, "bin");
    mkdirSync(bin);
    const program = readFileSync(join(ROOT, "deploy/bin/reelmill"), "utf8");
    writeFileSync(join(bin, "reelmill"), program.replaceAll("/app/", `${app}/`), { mode: 0o755 });
    const PATH = `${bin}:${dirname(process.execPath)}:${process.env["PATH"]}`;
    const steps = restOf("RUN").filter((step) => step.startsWith("reelmill "));
    expect(steps).toHaveLength(1);
    const env = { PATH, NODE_OPTIONS: process.env["NODE_OPTIONS"] };
    for (const step of steps) execFileSync("sh", ["-c", step], { env, stdio: "pipe" });
    expect(restOf("ENTRYPOINT")).toEqual(['["reelmill"]']);
  });
});

/** As far as it is looked at here. */
interface Service {
  readonly build?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly volumes?: readonly string[];
}

const FILLED: Readonly<Record<string, string>> = {
  HOST_SMB_ROOT: "/share",
  REELMILL_API_KEY_SHA256: "0".repeat(64),
  STORE_PASSWORD: "password",
};

function fill(text: string): string {
  return text.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind: string, other: string) => {
    const value = FILLED[name];
    if (value === undefined && kind === "?") throw new Error(`${name} is needed.`);
    return value ?? (kind === "-" ? other : "");
  });
}

/** In values alone, as the engine does. */
function fillAll(value: unknown): unknown {
  if (typeof value === "string") return fill(value);
  if (Array.isArray(value)) return value.map(fillAll);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fillAll(inner)]));
}

describe.each(["deploy/edge.compose.yaml", "deploy/cluster.compose.yaml"])("%s", (path) => {
  const { services } = fillAll(parse(readPage(path), { merge: true })) as {
    services: Readonly<Record<string, Service>>;
  };
  const own = Object.entries(services).filter(([, { build }]) => build !== undefined);

  it("lets nobody in but by this machine's own address, and gives its containers no more than they need", () => {
    for (const [name, { ports = [], image = "" }] of Object.entries(services)) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
      if (image !== "") expect(image, name).toMatch(/:[\w.-]*\d[\w.-]*$/);
    }
    for (const [name, { read_only, cap_drop, security_opt }] of own) {
      const rights = { read_only, cap_drop, security_opt };
      expect(rights, name).toEqual({ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
    }
  });

  it("sets what Reelmill takes, and starts commands that there are", async () => {
    const known = new Set(describeSettings().map((setting) => setting.name));
    const ofAws = /^(AWS_(REGION|ACCESS_KEY_ID|SECRET_ACCESS_KEY)|S3_BUCKET|DYNAMODB_TABLE|SQS_QUEUE_URLS)$/;
    for (const [name, { environment = {}, command = [] }] of own) {
      for (const variable of Object.keys(environment)) {
        expect(known.has(variable) || ofAws.test(variable), `${name}: ${variable}`).toBe(true);
      }
      const texts = Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, String(value)]));
      const { server } = loadConfig(texts);
      if (server.backend === "aws") expect(readAwsHome(texts, server, "/work").queueUrls).not.toEqual({});
      const program = createProgram("0", createRecordingContext({}), () => undefined);
      const words = command.filter((word) => /^[a-z]/.test(word));
      let found = program.commands.find((candidate) => candidate.name() === words[0]);
      expect(found?.name(), name).toBe(words[0]);
      if (found !== undefined && found.commands.length > 0) {
        found = found.commands.find((candidate) => candidate.name() === words[1]);
        expect(found?.name(), name).toBe(words[1]);
      }
      const options = command.filter((word) => word.startsWith("--"));
      for (const option of options)
        expect(
          found?.options.map(({ long }) => long),
          name,
        ).toContain(option);
    }
  });
});
