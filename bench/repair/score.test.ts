import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeRecording } from "../../test/support/make-recording.ts";
import { analyseFile } from "./analyse.ts";
import { type Bench, evaluate, type Subject } from "./evaluate.ts";
import { readLayout } from "./layout.ts";
import { loopRecording } from "./loop.ts";
import { formatMarkdown, formatRow } from "./table.ts";
import { GENERATED_TARGETS } from "./targets.ts";

const X264 = "-c:v libx264 -preset veryfast -g 25 -b:v 400k -pix_fmt yuv420p -bf 2";
const RECIPE = { extension: "mp4", args: `${X264} -c:a aac -b:a 64k`, durationSeconds: 4 };
const PCM_RECIPE = { extension: "mov", args: `${X264} -c:a pcm_s16le`, durationSeconds: 2 };

let folder = "";
let bench: Bench;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "bench-score-"));
  bench = {
    workFolder: folder,
    cacheFolder: join(folder, "cache"),
    command: "cp {original} {out}",
    timeoutSeconds: 60,
    nodeFloorBytes: 0,
    keep: false,
    decodes: true,
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

function subjectOf(id: string, recipe: typeof RECIPE): Subject {
  const originalPath = join(folder, `${id}.${recipe.extension}`);
  writeFileSync(originalPath, makeRecording(join(tmpdir(), "reelmill-bench-tests"), recipe));
  const layout = readLayout(originalPath);
  return { id, originalPath, referencePath: originalPath, layout, isConstantRate: true, targets: GENERATED_TARGETS };
}

describe("a perfect repair", () => {
  it.each(["T30", "T100", "HOLE"] as const)("reaches every target after %s", async (damage) => {
    const row = await evaluate(subjectOf("perfect", RECIPE), damage, bench);
    expect(row.missed).toEqual([]);
    expect(row.tracks.map((track) => track.recovered)).toEqual(row.tracks.map((track) => track.recoverable));
    expect(row.timeErrorMs).toBe(0);
    expect(row.driftMs).toBe(0);
    expect(row.decoded?.recovered).toBe(row.decoded?.recoverable);
    expect(formatRow(row)).not.toContain("✗");
  });

  it("of PCM is found by its bytes, however they are grouped", async () => {
    const regroup = "ffmpeg -v error -i {original} -c copy -chunk_duration 400000 {out}";
    const row = await evaluate(subjectOf("pcm", PCM_RECIPE), "T60", { ...bench, command: regroup });
    const audio = row.tracks.find((track) => track.kind === "audio");
    expect(audio?.recoverable).toBeGreaterThan(20);
    expect(audio?.recovered).toBe(audio?.recoverable);
    expect(row.timeErrorMs).toBeLessThan(0.01);
  });
});

describe("a wrong repair", () => {
  it("that gives the damaged file back recovers nothing", async () => {
    const row = await evaluate(subjectOf("damaged", RECIPE), "T60", { ...bench, command: "cp {bad} {out}" });
    expect(row.tracks.every((track) => track.recovered === 0)).toBe(true);
    expect(row.tracks.every((track) => track.recoverable > 0)).toBe(true);
    expect(row.decoded?.recovered).toBe(0);
    expect(row.missed.join()).toMatch(/video 0\/.*audio 0\//);
  });

  it("that writes nothing and fails says so", async () => {
    const row = await evaluate(subjectOf("nothing", RECIPE), "T30", { ...bench, command: "exit 3" });
    expect(row.hasOutput).toBe(false);
    expect(row.missed).toContain("exit 3");
    expect(formatMarkdown([row])).toContain("| nothing | T30 | 0.0 | 0.0 | - | 0.0 |");
  });

  it("that shows everything 100 ms late has a time error of 100 ms and no drift", async () => {
    const late = "ffmpeg -v error -itsoffset 0.1 -i {original} -c copy -copyts {out}";
    const row = await evaluate(subjectOf("late", RECIPE), "T100", { ...bench, command: late });
    expect(row.timeErrorMs).toBeCloseTo(100, 0);
    expect(row.driftMs).toBeLessThan(1);
  });

  it("that delays the sound alone drifts", async () => {
    const command = "ffmpeg -v error -i {original} -itsoffset 0.2 -i {original} -map 0:v -map 1:a -c copy {out}";
    const row = await evaluate(subjectOf("drift", RECIPE), "T100", { ...bench, command });
    expect(row.driftMs).toBeCloseTo(200, -1);
    expect(row.missed.some((miss) => miss.startsWith("drift"))).toBe(true);
  });
});

describe("a loop", () => {
  it("holds every packet of its seed in every round, and plays on without a gap", async () => {
    const subject = subjectOf("seed", RECIPE);
    const looped = join(folder, "looped.mp4");
    loopRecording(subject.originalPath, looped, 3);
    const [once, thrice] = await Promise.all([analyseFile(subject.originalPath), analyseFile(looped)]);
    once.streams.forEach((stream, index) => {
      const hashes = stream.packets.map((packet) => packet.hash);
      const loopedPackets = thrice.streams[index]?.packets ?? [];
      expect(loopedPackets.map((packet) => packet.hash)).toEqual([...hashes, ...hashes, ...hashes]);
      const last = Math.max(...loopedPackets.map((packet) => packet.presentationSeconds ?? 0));
      expect(last).toBeGreaterThan(11.5);
      expect(last).toBeLessThan(12.3);
    });
  });
});
