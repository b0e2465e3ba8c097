import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runProcess } from "./process.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-process-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A shell script: it stands for a program that does what ffmpeg only does when it is broken. */
async function script(name: string, body: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

/** A zombie still has a process id until its parent takes note, so its state is read. */
async function isRunning(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return state !== "" && !/\) Z /.test(state);
}

async function readPid(name: string): Promise<number> {
  return Number(await readFile(join(folder, name), "utf8"));
}

describe("runProcess", () => {
  it("gives output, exit status and the end of standard error", async () => {
    const path = await script("plain", "echo out; echo bad >&2; exit 3");
    const result = await runProcess(path, [], { timeoutMs: 10_000 });
    expect(result).toMatchObject({ exitCode: 3, errorTail: "bad\n" });
    expect(result.output.toString()).toBe("out\n");
  });

  it("keeps at most 16 KiB of standard error", async () => {
    const path = await script("noisy", "head -c 1000000 /dev/zero | tr '\\0' x >&2; echo end >&2");
    const { errorTail } = await runProcess(path, [], { timeoutMs: 10_000 });
    expect(errorTail).toHaveLength(16 * 1024);
    expect(errorTail).toMatch(/end\n$/);
  });

  it("passes arguments untouched by any shell", async () => {
    const path = await script("args", 'printf "%s|" "$@"');
    const args = ["$(id)", "a b", "; rm -rf x", "*"];
    expect((await runProcess(path, args, { timeoutMs: 10_000 })).output.toString()).toBe(`${args.join("|")}|`);
  });

  it("tells the program no secret and none of this process's own settings", async () => {
    const withheld = [
      "AWS_SECRET_ACCESS_KEY",
      "REELMILL_WEBHOOK_SECRETS",
      "MALLOC_ARENA_MAX",
      "NODE_OPTIONS",
      "OTEL_EXPORTER_OTLP_HEADERS",
      "VENDOR_TOKEN",
    ];
    for (const name of [...withheld, "LIBVA_DRIVER_NAME"]) vi.stubEnv(name, "");
    const path = await script("environment", "env");
    const names = (await runProcess(path, [], { timeoutMs: 10_000 })).output.toString().split("\n");
    vi.unstubAllEnvs();
    const given = names.map((line) => line.split("=")[0]);
    expect(given.filter((name) => withheld.includes(name ?? ""))).toEqual([]);
    expect(given).toEqual(expect.arrayContaining(["LIBVA_DRIVER_NAME", "PATH"]));
  });

  it("runs a dozen at a time without a warning of Node's", async () => {
    const path = await script("short", "sleep 0.3");
    const warned = vi.fn();
    process.on("warning", warned);
    await Promise.all(Array.from({ length: 12 }, () => runProcess(path, [], { timeoutMs: 10_000 })));
    process.off("warning", warned);
    expect(warned).not.toHaveBeenCalled();
    expect(process.listeners("exit").map(({ name }) => name)).not.toContain("endAll");
  });

  it("ends the whole group on time-out, and by force when asking does not help", async () => {
    const path = await script(
      "deaf",
      `trap '' TERM; sh -c "trap '' TERM; echo \\$\\$ > ${folder}/pid; sleep 60" & wait; sleep 60`,
    );
    const run = runProcess(path, [], { timeoutMs: 500, graceMs: 200 });
    await expect(run).rejects.toMatchObject({ code: "FFMPEG_TIMEOUT", retryable: true });
    expect(await isRunning(await readPid("pid"))).toBe(false);
  });

  it.runIf(process.platform === "linux")("ends with a process that is killed and can end nothing itself", async () => {
    const path = await script("endless", `echo $$ > "${join(folder, "endless.pid")}"; exec sleep 600`);
    const module = JSON.stringify(join(import.meta.dirname, "process.ts"));
    const code = `const { runProcess } = await import(${module}); await runProcess(${JSON.stringify(path)}, [], { timeoutMs: 600_000 });`;
    const owner = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "ignore" });
    await vi.waitFor(async () => expect(await isRunning(await readPid("endless.pid"))).toBe(true), 10_000);
    owner.kill("SIGKILL");
    await once(owner, "exit");
    await vi.waitFor(async () => expect(await isRunning(await readPid("endless.pid"))).toBe(false), 5000);
  });

  it("ends on abort, and does not begin when aborted before", async () => {
    const path = await script("slow", "sleep 60");
    const controller = new AbortController();
    const run = runProcess(path, [], { timeoutMs: 60_000, signal: controller.signal });
    setTimeout(() => controller.abort(), 100);
    await expect(run).rejects.toMatchObject({ code: "ABORTED" });
    await expect(runProcess(path, [], { timeoutMs: 1000, signal: controller.signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });

  it("ends a program that prints without end", async () => {
    const path = await script("endless", "exec yes");
    const run = runProcess(path, [], { timeoutMs: 60_000, maxOutputBytes: 100_000 });
    await expect(run).rejects.toMatchObject({
      code: "FFMPEG_FAILED",
      message: expect.stringContaining("100000 bytes"),
    });
  });

  it("ends the run when the taker of output fails, and passes its failure on", async () => {
    const path = await script("talker", "exec yes");
    const onOutput = (): void => {
      throw new Error("cannot read this");
    };
    await expect(runProcess(path, [], { timeoutMs: 60_000, onOutput })).rejects.toThrow("cannot read this");
  });

  it("asks for input as the program reads it, and for no more once that has ended", async () => {
    let given = 0;
    function* endless(): Iterable<Uint8Array> {
      for (;;) yield new Uint8Array(65_536).fill(++given);
    }
    const path = await script("reader", "head -c 100000 | wc -c");
    const { output } = await runProcess(path, [], { timeoutMs: 10_000, inputs: [endless()] });
    expect(Number(output.toString())).toBe(100_000);
    const atEnd = given;
    await new Promise((settle) => setTimeout(settle, 20));
    expect([atEnd < 20, given - atEnd]).toEqual([true, 0]);
  });

  it("gives each of several inputs at a descriptor of its own", async () => {
    const path = await script("two-readers", "cat <&4; cat <&3; cat");
    const inputs = ["first", "second", "third"].map((text) => [Buffer.from(text)]);
    expect((await runProcess(path, [], { timeoutMs: 10_000, inputs })).output.toString()).toBe("thirdsecondfirst");
  });

  it("ends the run when the input cannot be had, and passes that failure on", async () => {
    function* broken(): Iterable<Uint8Array> {
      yield Uint8Array.of(1);
      throw new Error("cannot give this");
    }
    const path = await script("waiter", "cat; sleep 60");
    await expect(runProcess(path, [], { timeoutMs: 60_000, inputs: [broken()] })).rejects.toThrow("cannot give this");
  });

  it.each([
    ["KILL", { code: "PROGRAM_KILLED", retryable: true }],
    ["SEGV", { code: "FFMPEG_FAILED", retryable: false, advice: expect.stringContaining("another encoder") }],
  ])("takes what a program said before SIG%s for no result", async (signal, error) => {
    const path = await script(`hit-${signal}`, `echo half; kill -${signal} $$`);
    await expect(runProcess(path, [], { timeoutMs: 10_000 })).rejects.toMatchObject({
      ...error,
      message: expect.stringContaining(`SIG${signal}`),
    });
  });

  it("says so when the program does not exist", async () => {
    const run = runProcess(join(folder, "none"), [], { timeoutMs: 1000 });
    await expect(run).rejects.toMatchObject({ code: "FFMPEG_MISSING" });
  });
});
