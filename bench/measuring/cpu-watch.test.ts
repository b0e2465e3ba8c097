import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { watchCpu } from "./cpu-watch.ts";
import { quoteForShell, runMeasured } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-cpu-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function busy(mark: string, ms: number): string {
  const program = `const used = () => process.cpuUsage().user + process.cpuUsage().system; while (used() < ${ms * 1000});`;
  return `${quoteForShell(process.execPath)} -e ${quoteForShell(program)} -- ${mark}`;
}

describe("the processor time of some of a command's processes", () => {
  it("is that of those which are marked, wherever in the tree", async () => {
    const watch = watchCpu("the-mark");
    const { cpuSeconds } = await runMeasured(
      `${busy("another", 800)}; sh -c ${quoteForShell(`${busy("the-mark", 600)}; true`)}`,
      join(folder, "log"),
      60,
      { watch: watch.sample },
    );
    expect(cpuSeconds).toBeGreaterThan(1);
    expect(watch.cpuSeconds()).toBeGreaterThan(0.3);
    expect(watch.cpuSeconds()).toBeLessThan(cpuSeconds - 0.6);
    expect(watch.wallSeconds()).toBeGreaterThan(0);
  });

  it("is not a number where there is none", async () => {
    const watch = watchCpu("the-mark");
    await runMeasured("sleep 0.2; true", join(folder, "log"), 60, { watch: watch.sample });
    expect([watch.cpuSeconds(), watch.wallSeconds()]).toEqual([Number.NaN, Number.NaN]);
  });
});
