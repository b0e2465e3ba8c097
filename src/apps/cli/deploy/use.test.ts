import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { connect } from "../client/connect.ts";
import { runProgram } from "../program.ts";
import { createRecordingContext } from "../recording-context.fixture.ts";
import { type FakeAccount, startFakeAccount, stubCredentials } from "./fake-aws.fixture.ts";

const API = "https://abc.execute-api.eu-central-1.amazonaws.com";

let folder: string;
let account: FakeAccount;
let environment: Record<string, string>;

beforeEach(async () => {
  stubCredentials();
  folder = mkdtempSync(join(tmpdir(), "reelmill-use-"));
  account = await startFakeAccount();
  account.stacks.set("ReelmillInterface", { ApiUrl: API });
  environment = { XDG_CONFIG_HOME: folder, REELMILL_CLOUDFORMATION_ENDPOINT: account.endpoint };
  writeFileSync(join(folder, "key"), "5ecret\n");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await account.close();
  rmSync(folder, { recursive: true });
});

async function run(...args: readonly string[]) {
  const context = createRecordingContext({ environment });
  return { exitCode: await runProgram(args, "0", context), ...context.written };
}

async function serverOf(options: { readonly server?: string } = {}): Promise<string> {
  return (await connect(options, createRecordingContext({ environment }))).server;
}

it("points the commands that talk to a server at a stack's API, and back at this machine", async () => {
  expect(await run("use")).toMatchObject({ exitCode: 0, output: "This machine: http://127.0.0.1:8080\n" });
  expect(await run("use", "ReelmillInterface")).toMatchObject({
    output: `ReelmillInterface in eu-central-1: ${API}\n`,
  });
  expect(await serverOf()).toBe(API);
  expect(JSON.parse((await run("use", "--json")).output)).toEqual({
    schema: 1,
    place: { stack: "ReelmillInterface", region: "eu-central-1", server: API },
  });
  expect((await run("config")).output).toMatch(new RegExp(`^REELMILL_SERVER +reelmill use +${API}$`, "m"));
  expect(await serverOf({ server: "http://b.example" })).toBe("http://b.example");
  expect(await run("use", "local")).toMatchObject({ exitCode: 0, output: "This machine: http://127.0.0.1:8080\n" });
  expect(await serverOf()).toBe("http://127.0.0.1:8080");
  expect(account.asked).toEqual(["DescribeStacks"]);
  environment["REELMILL_PORT"] = "9090";
  expect(await run("use")).toMatchObject({ output: "This machine: http://127.0.0.1:9090\n" });
  expect((await run("config")).output).toMatch(/^REELMILL_SERVER +default +http:\/\/127\.0\.0\.1:9090$/m);
});

it("goes behind the environment, and says so", async () => {
  environment["REELMILL_SERVER"] = "http://a.example";
  expect((await run("use", "ReelmillInterface")).error).toBe("REELMILL_SERVER goes before it: http://a.example\n");
  expect(await serverOf()).toBe("http://a.example");
});

it("notes the path of the key's file, for its owner alone, and shows the key to that server alone", async () => {
  const keyFile = join(folder, "key");
  await run("use", "ReelmillInterface", "--api-key-file", keyFile);
  const note = join(folder, "reelmill", "place.json");
  expect(JSON.parse(readFileSync(note, "utf8"))).toMatchObject({ apiKeyFile: keyFile });
  expect(readFileSync(note, "utf8")).not.toContain("5ecret");
  expect(statSync(note).mode & 0o777).toBe(0o600);

  const keys: unknown[] = [];
  const fetched = vi.spyOn(globalThis, "fetch").mockImplementation(async (_url, init) => {
    keys.push(new Headers(init?.headers).get("x-api-key"));
    return new Response(null, { status: 204 });
  });
  for (const options of [{}, { server: "http://b.example" }]) {
    await (await connect(options, createRecordingContext({ environment }))).tell("/", {});
  }
  fetched.mockRestore();
  expect(keys).toEqual(["5ecret", null]);
});

it.each([
  [["use", "Reelmill"], "STACK_NOT_FOUND", /no stack "Reelmill" in eu-central-1/],
  [["use", "CDKToolkit"], "STACK_NOT_FOUND", /no output ApiUrl.*ReelmillInterface/],
  [["use", "local", "--api-key-file", "key"], "USAGE", /--api-key-file goes with/],
  [["use", "ReelmillInterface", "--api-key-file", "/none"], "INPUT_UNREADABLE", /none/],
])("notes nothing for %j", async (args, code, message) => {
  account.stacks.set("CDKToolkit", { BucketName: "b" });
  await expect(run(...args)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  expect(await serverOf()).toBe("http://127.0.0.1:8080");
});

it.each([
  ["AWS_REGION", /No region/],
  ["AWS_SECRET_ACCESS_KEY", /No credentials/],
])("says that %s is missing, and what to do", async (name, message) => {
  vi.stubEnv(name, undefined);
  const complaint = { code: "AWS_NOT_CONFIGURED", message: expect.stringMatching(message) };
  await expect(run("use", "ReelmillInterface")).rejects.toMatchObject(complaint);
  expect(account.asked).toEqual([]);
});

it("complains of a note that is none, and forgets it", async () => {
  await run("use", "ReelmillInterface");
  const note = join(folder, "reelmill", "place.json");
  for (const text of ["{", "{}", "null", '{"schema":2}']) {
    writeFileSync(note, text);
    await expect(serverOf()).rejects.toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining(note) });
  }
  await run("use", "local");
  expect(await serverOf()).toBe("http://127.0.0.1:8080");
});
