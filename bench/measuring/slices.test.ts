import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { childrenOf } from "./process-tree.ts";
import { runMeasured } from "./run.ts";
import { createSlices } from "./slices.ts";

let folder: string;
const begun: ChildProcess[] = [];

function begin(command: string): ChildProcess {
  const child = spawn("bash", ["-c", command]);
  begun.push(child);
  return child;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-slices-"));
});
afterEach(() => {
  for (const { pid } of begun.splice(0)) {
    for (const each of [...childrenOf(pid ?? 0), pid ?? 0]) spawnSync("kill", ["-KILL", String(each)]);
  }
  rmSync(folder, { recursive: true });
});

/** Of a process and its child, where it has one: S asleep, T stopped. */
function statesOf(pid: number | undefined): readonly string[] {
  return [pid ?? 0, ...childrenOf(pid ?? 0)].map(
    (each) => /\) (\w)/.exec(readFileSync(`/proc/${each}/stat`, "utf8"))?.[1] ?? "",
  );
}

describe("slices", () => {
  it("stop all processes of a command while another has its turn", async () => {
    const slices = createSlices(3600);
    const first = begin("exec sleep 60");
    const second = begin("sleep 60; true");
    await expect.poll(() => statesOf(second.pid)).toHaveLength(2);
    const member = slices.join(first.pid as number);
    slices.join(second.pid as number);
    await expect.poll(() => statesOf(second.pid)).toEqual(["T", "T"]);
    await expect.poll(() => statesOf(first.pid)).toEqual(["S"]);
    first.kill();
    await once(first, "exit");
    expect(member.leave()).toBeGreaterThan(0);
    await expect.poll(() => statesOf(second.pid)).toEqual(["S", "S"]);
  });

  it("ends all where the benchmark is interrupted", async () => {
    const program = join(folder, "program.ts");
    const slices = JSON.stringify(join(import.meta.dirname, "slices.ts"));
    writeFileSync(
      program,
      `import { createSlices } from ${slices};
const { join } = createSlices(3600);
for (const pid of process.argv.slice(2)) join(Number(pid));
console.log("joined");
setInterval(() => undefined, 1000);`,
    );
    const commands = [begin("exec sleep 60"), begin("exec sleep 60")];
    const bench = spawn(process.execPath, [program, ...commands.map(({ pid }) => String(pid))]);
    begun.push(bench);
    await once(bench.stdout, "data");
    await expect.poll(() => commands.map(({ pid }) => statesOf(pid))).toEqual([["S"], ["T"]]);
    bench.kill("SIGINT");
    await once(bench, "exit");
    await expect.poll(() => commands.map(({ signalCode }) => signalCode)).toEqual(["SIGKILL", "SIGKILL"]);
  });

  it("give each command the time in which it ran", async () => {
    const slices = createSlices(0.05);
    const command = "for ((count = 0; count < 20000; count++)); do :; done";
    const startedAt = performance.now();
    const runs = await Promise.all(
      ["a", "b", "c"].map((name) => runMeasured(command, join(folder, name), 60, { slices })),
    );
    const allSeconds = (performance.now() - startedAt) / 1000;
    for (const run of runs) expect(run).toMatchObject({ exitCode: 0, timedOut: false });
    const sum = runs.reduce((seconds, run) => seconds + run.wallSeconds, 0);
    expect(sum).toBeLessThanOrEqual(allSeconds);
    for (const run of runs) expect(run.wallSeconds).toBeGreaterThan(0);
  });
});
