import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRecordingContext } from "../recording-context.fixture.ts";
import { connect } from "./connect.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-connect-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("connect", () => {
  it("goes to the loopback by default, else where the environment or, before it, the option says", async () => {
    const environment = { REELMILL_SERVER: "https://a.example/mill/" };
    expect((await connect({}, createRecordingContext())).server).toBe("http://127.0.0.1:8080");
    expect((await connect({}, createRecordingContext({ environment }))).server).toBe("https://a.example/mill");
    const named = await connect({ server: "http://b.example" }, createRecordingContext({ environment }));
    expect(named.server).toBe("http://b.example");
  });

  it("goes to the address and port that the settings give the server of this machine, unless that is any free one", async () => {
    const serverAt = async (environment: Readonly<Record<string, string>>) =>
      (await connect({}, createRecordingContext({ environment }))).server;
    expect(await serverAt({ REELMILL_PORT: "9090" })).toBe("http://127.0.0.1:9090");
    expect(await serverAt({ REELMILL_PORT: "0" })).toBe("http://127.0.0.1:8080");
    const guarded = { REELMILL_API_KEY: "k".repeat(32) };
    expect(await serverAt({ ...guarded, REELMILL_HOST: "0.0.0.0" })).toBe("http://127.0.0.1:8080");
    expect(await serverAt({ ...guarded, REELMILL_HOST: "192.0.2.7" })).toBe("http://192.0.2.7:8080");
    expect(await serverAt({ ...guarded, REELMILL_HOST: "::1" })).toBe("http://[::1]:8080");
  });

  it.each(["b.example", "ftp://b.example", "http://u:5ecret@b.example", "http://b.example/?key=5ecret", ""])(
    "refuses --server %s and shows no password",
    async (server) => {
      const complaint = { code: "USAGE", message: expect.not.stringContaining("5ecret") };
      await expect(connect({ server }, createRecordingContext())).rejects.toMatchObject(complaint);
    },
  );

  it.each([
    ["blanks", "5ecret word"],
    ["two lines", "5ecret\nx: y"],
    ["nothing", "\n"],
    ["too much", "5ecret".repeat(1000)],
  ])("refuses a key's file that holds %s and does not show it", async (_what, text) => {
    const apiKeyFile = join(folder, "key");
    writeFileSync(apiKeyFile, text);
    const complaint = { code: "USAGE", message: expect.not.stringContaining("5ecret") };
    await expect(connect({ apiKeyFile }, createRecordingContext())).rejects.toMatchObject(complaint);
  });

  it("says which key's file cannot be read", async () => {
    const apiKeyFile = join(folder, "none");
    await expect(connect({ apiKeyFile }, createRecordingContext())).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
  });
});
