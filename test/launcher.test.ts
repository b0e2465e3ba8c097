import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-launcher-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ending {
  readonly status: number | null;
  readonly output: string;
  readonly error: string;
}

function run(program: string, args: readonly string[], cwd: string): Promise<Ending> {
  return new Promise((settle) => {
    const child = execFile(program, args, { cwd }, (_error, output, error) => {
      settle({ status: child.exitCode, output, error });
    });
  });
}

describe("./reelmill", () => {
  it("works through symbolic links, relative and absolute, from any folder, without a word of its own", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    await symlink(join(ROOT, "reelmill"), join(folder, "absolute"));
    await symlink("absolute", join(folder, "relative"));
    const expected = { status: 0, output: `${version}\n`, error: "" };
    expect(await run(join(ROOT, "reelmill"), ["--version"], ROOT)).toEqual(expected);
    expect(await run("./relative", ["--version"], folder)).toEqual(expected);
    expect(await run(join(folder, "absolute"), ["--version"], "/")).toEqual(expected);
  });

  it("passes the exit status on", async () => {
    const ending = await run(join(ROOT, "reelmill"), ["no-such-command"], folder);
    expect(ending).toMatchObject({ status: 2, output: "" });
    expect(ending.error).toContain("unknown command");
  });

  it("stops its work on SIGTERM and leaves no process behind", async () => {
    const pidFile = join(folder, "pid");
    const stuck = join(folder, "stuck-ffmpeg");
    await writeFile(stuck, `#!/bin/sh\necho $$ >> ${pidFile}\nexec sleep 60\n`, { mode: 0o755 });
    const environment = { ...process.env, REELMILL_FFMPEG: stuck };
    const child = spawn(join(ROOT, "reelmill"), ["doctor"], { env: environment, stdio: "ignore" });
    const ended = new Promise((settle) => child.once("exit", settle));
    while (!existsSync(pidFile) || readFileSync(pidFile, "utf8") === "") await sleep(20);
    child.kill("SIGTERM");
    expect(await ended).toBe(143);
    for (const pid of readFileSync(pidFile, "utf8").trim().split("\n")) {
      expect(() => process.kill(Number(pid), 0)).toThrow();
    }
  });
});
