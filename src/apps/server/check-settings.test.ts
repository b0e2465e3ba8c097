import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createRecordingContext } from "../cli/recording-context.fixture.ts";
import { createAccess } from "./access.ts";
import { requireDataFolder } from "./check-settings.ts";
import { createSessions } from "./sessions.ts";
import { runUp } from "./up.ts";
import { VIEWS } from "./view-schemas.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-settings-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const up = (environment: Readonly<Record<string, string>>, options: Parameters<typeof runUp>[0] = {}): Promise<void> =>
  runUp({ port: 0, watch: false, ...options }, createRecordingContext({ environment }));

describe("runUp", () => {
  it.each([
    ["a port that is refused", "http://example.com:9/5ecret", "false", "port 9"],
    ["a private network", "https://a.example/,http://10.0.0.1/5ecret", "false", "REELMILL_WEBHOOK_PRIVATE_NETWORKS"],
    ["a metadata service", "http://169.254.169.254/5ecret", "true", "never"],
  ])("refuses a webhook to %s by the setting's name, and makes no folder", async (_what, urls, isPrivate, words) => {
    const data = join(folder, "data");
    const refused = await up(
      { REELMILL_DATA: data, REELMILL_WEBHOOK_URLS: urls, REELMILL_WEBHOOK_PRIVATE_NETWORKS: isPrivate },
      {},
    ).catch((error) => error);
    expect(refused).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining(words) });
    expect(refused.message).toContain("REELMILL_WEBHOOK_URLS");
    expect(refused.message).not.toContain("5ecret");
    expect(statSync(data, { throwIfNoEntry: false })).toBeUndefined();
  });

  it("refuses a folder of keys that is not there", async () => {
    const keys = join(folder, "keys");
    const environment = { REELMILL_DATA: join(folder, "data"), REELMILL_HLS_KEY_FOLDER: keys };
    const message = `REELMILL_HLS_KEY_FOLDER is "${keys}", but no folder is there that this user may use.`;
    await expect(up(environment)).rejects.toMatchObject({ code: "CONFIG_INVALID", message });
  });

  it("refuses a data folder that is a file, by the name of what says so", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    for (const path of [file, join(file, "below")]) {
      const message = expect.stringContaining(`is "${path}", but must be a folder`);
      await expect(up({ REELMILL_DATA: path })).rejects.toMatchObject({ code: "CONFIG_INVALID", message });
      await expect(up({ REELMILL_DATA: path })).rejects.toThrow("REELMILL_DATA");
      await expect(up({}, { data: path })).rejects.toMatchObject({ code: "USAGE", message });
    }
  });

  it("tells with its settings that no folder is watched", async () => {
    const stop = new AbortController();
    const context = createRecordingContext({
      environment: { REELMILL_DATA: join(folder, "data") },
      signal: stop.signal,
    });
    const ended = runUp({ port: 0, watch: false }, context);
    await expect.poll(() => context.written.output).toContain("http://");
    const [url = ""] = /http:\/\/\S+/.exec(context.written.output) ?? [];
    const { settings } = VIEWS.system.parse(await (await fetch(`${url}/v1/system`)).json());
    expect(settings.find(({ name }) => name === "HOST_SMB_ROOT")).toMatchObject({
      value: "no watch folder",
      source: "command line",
    });
    stop.abort("SIGTERM");
    await ended;
  });

  it("says that an address is not this machine's", async () => {
    const started = up(
      { REELMILL_DATA: join(folder, "data"), REELMILL_API_KEY_SHA256: "0".repeat(64) },
      { host: "203.0.113.7" },
    );
    await expect(started).rejects.toMatchObject({
      code: "ADDRESS_UNUSABLE",
      message: expect.stringContaining("this machine has no such address"),
    });
  });
});

it("takes a key by the digest that the guide's commands make of it", () => {
  const guide = readFileSync(new URL("../../../docs/guide/settings.md", import.meta.url), "utf8");
  const [, commands = ""] = /```bash\n(.*?)```/s.exec(guide) ?? [];
  const [key = "", digest = ""] = execFileSync("bash", ["-ec", `${commands}\nprintf '%s' "$KEY"`], { encoding: "utf8" })
    .split("\n")
    .reverse();
  const access = createAccess({ apiKeyHashes: [digest], createSessions: () => createSessions(systemClock) });
  expect([key.length, access.isKey(key), access.isKey(`${key}\n`)]).toEqual([64, true, false]);
});

describe("requireDataFolder", () => {
  it("makes a folder where there is none", () => {
    const path = join(folder, "a", "b");
    requireDataFolder(path, undefined);
    expect(statSync(path).isDirectory()).toBe(true);
  });
});
