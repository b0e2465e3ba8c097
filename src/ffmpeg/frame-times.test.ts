import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { lastDurationOf, listFrameTimes, requireContinuous } from "./frame-times.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-times-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Packet {
  readonly at: number;
  readonly flags?: string;
}

/** What is made of these packets, decoded when they are shown, by a stand-in for ffprobe: files that have them are hard to make. */
async function list(packets: readonly Packet[]) {
  const lines = packets.map(({ at, flags = "K_" }) => `pts=${at}|dts=${at}|duration=40|size=9|flags=${flags}`);
  const ffprobePath = join(folder, "ffprobe");
  writeFileSync(ffprobePath, `#!/bin/sh\ncat <<'END'\n${lines.join("\n")}\nEND\n`, { mode: 0o755 });
  return await listFrameTimes({ ffmpegPath: ffprobePath, ffprobePath, timeoutMs: 10_000 }, "any.ts", 0);
}

const MS = { numerator: 1, denominator: 1000 };
const run = (start: number, count: number): readonly Packet[] =>
  Array.from({ length: count }, (_, index) => ({ at: start + 40 * index }));

it("refuses times that jump back and stay there", async () => {
  const times = await list([...run(0, 100), ...run(10, 100)]);
  expect(() => requireContinuous(times, "any.ts", MS)).toThrow(
    expect.objectContaining({
      code: "INPUT_DISCONTINUOUS",
      message: expect.stringMatching(/^The times of any\.ts jump back by 3\.87 s/),
    }),
  );
});

it.each([
  ["one that is wrong, too early", [...run(0, 50), { at: -5000 }, ...run(2040, 50)]],
  ["one that is wrong, too late", [...run(0, 50), { at: 90_000 }, ...run(2040, 50)]],
  [
    "those that an edit list hides",
    [...run(0, 50), ...run(80, 30).map(({ at }) => ({ at, flags: "KD" })), ...run(2040, 50)],
  ],
])("takes %s", async (_what, packets) => {
  const times = await list(packets);
  expect(() => requireContinuous(times, "any.ts", MS)).not.toThrow();
});

it.each([
  ["as it is told, between pictures that stand for seconds", [0, 40, 4520, 4560], 40, 40],
  ["as it is told, behind pictures that all stand for seconds", [0, 2700, 5400, 8100], 33, 33],
  ["a mean step where nobody knew", [0, 40, 80, 120], 1, 40],
  ["a mean step where nothing is told", [0, 40, 80, 120], 0, 40],
  ["as it is told of a single one", [7], 5000, 5000],
])("has the last picture last %s", (_what, ticks, lastDurationTicks, expected) => {
  const stored = { timeBase: MS, tellsDurations: true };
  expect(lastDurationOf({ ticks: Float64Array.from(ticks), lastDurationTicks }, stored)).toBe(expected);
});

it("has the last picture last a mean step where what is told is a guess by the codec's rate", () => {
  const times = { ticks: Float64Array.from([0, 1000, 2000]), lastDurationTicks: 40 };
  expect(lastDurationOf(times, { timeBase: MS, tellsDurations: false })).toBe(1000);
});
