import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { childrenOf } from "./process-tree.ts";
import { runMeasured } from "./run.ts";
import { createSlices } from "./slices.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-slices-"));
});
afterEach(() => {
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
    const first = spawn("sleep", ["60"]);
    const second = spawn("bash", ["-c", "sleep 60; true"]);
    await expect.poll(() => statesOf(second.pid)).toHaveLength(2);
    const member = slices.join(first.pid as number);
    slices.join(second.pid as number);
    await expect.poll(() => statesOf(second.pid)).toEqual(["T", "T"]);
    expect(statesOf(first.pid)).toEqual(["S"]);
    first.kill();
    await once(first, "exit");
    expect(member.leave()).toBeGreaterThan(0);
    await expect.poll(() => statesOf(second.pid)).toEqual(["S", "S"]);
    process.kill(childrenOf(second.pid as number)[0] as number);
    await once(second, "exit");
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
