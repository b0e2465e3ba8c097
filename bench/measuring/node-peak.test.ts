import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { watchNodePeak } from "./node-peak.ts";
import { quoteForShell, runMeasured } from "./run.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-peak-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function peakOf(command: string): Promise<number> {
  const peak = watchNodePeak();
  const { exitCode } = await runMeasured(command, join(folder, "log"), 60, { watch: peak.sample });
  expect(exitCode).toBe(0);
  return peak.peakBytes();
}

describe("the peak of a command's Node processes", () => {
  it("counts them wherever in the tree they are", async () => {
    const program = "Buffer.alloc(2e8, 1); setTimeout(() => {}, 500)";
    const nested = `${quoteForShell(process.execPath)} -e ${quoteForShell(program)}`;
    expect(await peakOf(`sh -c ${quoteForShell(`${nested}; true`)}`)).toBeGreaterThan(2e8);
  });

  it("leaves the programs aside that they start", async () => {
    expect(await peakOf("sleep 0.3; true")).toBeNaN();
  });
});
