import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RepairDocument } from "../../src/pipelines/repair/index.ts";
import { copyOf } from "./recordings.fixture.ts";
import { countPackets, createWorkplace, hashOf, reelmill, repairAsJson, type Workplace } from "./workplace.fixture.ts";

let place: Workplace;

beforeAll(() => {
  place = createWorkplace();
});

beforeEach(() => place.renew());

afterAll(() => place.remove());

describe("repairing one file", () => {
  it("writes a file that plays, and a table of what was recovered", async () => {
    const before = hashOf(place.files.damaged);
    const output = join(place.folder, "mended.mp4");
    const { status, output: text } = await reelmill([
      "repair",
      place.files.damaged,
      "-r",
      place.files.reference,
      "-o",
      output,
    ]);
    expect(status).toBe(0);
    expect(text).toMatch(/^.*damaged\.mp4: repaired → .*mended\.mp4 \(/);
    expect(text).toMatch(/video +h264 +\d+/);
    expect(text).toContain("decode passed");
    expect(countPackets(output)).toBeGreaterThan(100);
    expect(hashOf(place.files.damaged)).toBe(before);
    expect(place.listAdded()).toEqual(["mended.mp4"]);
  });

  it("names the output after the input and takes no name twice", async () => {
    const [first, second] = [
      await repairAsJson(place.files.damaged, "-r", place.files.reference),
      await repairAsJson(place.files.damaged, "-r", place.files.reference),
    ];
    expect(first.files[0]?.output).toBe(join(place.folder, "damaged_repaired.mp4"));
    expect(second.files[0]?.output).toBe(join(place.folder, "damaged_repaired-2.mp4"));
  });

  it("needs no reference where the index is left, and chooses one where it is not", async () => {
    const kept = await repairAsJson(place.files.indexCut);
    expect(kept.files[0]).toMatchObject({ status: "repaired", references: [], report: { diagnosis: "index-cut" } });
    const chosen = await repairAsJson(place.files.damaged);
    expect(chosen.files[0]).toMatchObject({ status: "repaired" });
    expect(chosen.files[0]?.references).toEqual([place.files.reference]);
    expect(chosen.files[0]?.notices.join()).toMatch(
      /No reference was named\. Learnt from reference\.mp4, .* found near it/,
    );
  });

  it("takes no reference of its own accord whose data are damaged", async () => {
    const alone = join(place.folder, "alone");
    mkdirSync(alone);
    const bad = copyOf(place.files.damaged, "alone/bad.mp4");
    const bytes = readFileSync(place.files.reference);
    bytes.fill(0, bytes.length >> 2, bytes.length >> 1);
    writeFileSync(join(alone, "holed.mp4"), bytes);
    const { files } = await repairAsJson(bad);
    expect(files[0]?.error?.code).toBe("REFERENCE_REQUIRED");
  });

  it("puts the index in front on request", async () => {
    const { files: results } = await repairAsJson(place.files.damaged, "-r", place.files.reference, "--faststart");
    const bytes = readFileSync(results[0]?.output ?? "", "latin1");
    expect(bytes.indexOf("moov")).toBeLessThan(bytes.indexOf("mdat"));
  });

  it("mends in place and leaves nothing beside the file", async () => {
    const { files: results } = await repairAsJson(
      place.files.damaged,
      "-r",
      place.files.reference,
      "--in-place",
      "--verify",
      "full",
    );
    expect(results[0]).toMatchObject({ status: "repaired", output: place.files.damaged });
    expect(results[0]?.checks.map((check) => check.status)).toEqual(["passed", "passed", "passed"]);
    expect(countPackets(place.files.damaged)).toBeGreaterThan(100);
    expect(place.listAdded()).toEqual([]);
  });

  it("writes nothing in a dry run", async () => {
    const { exit, files: results } = await repairAsJson(place.files.damaged, "-r", place.files.reference, "--dry-run");
    expect([exit, results[0]?.status, results[0]?.output]).toEqual([0, "repairable", null]);
    expect(results[0]?.report?.tracks).toHaveLength(2);
    expect(place.listAdded()).toEqual([]);
  });

  it("leaves a healthy file alone", async () => {
    const before = hashOf(place.files.reference);
    const { status, output } = await reelmill(["repair", place.files.reference]);
    expect([status, output]).toEqual([0, expect.stringContaining("healthy, nothing to repair")]);
    expect(hashOf(place.files.reference)).toBe(before);
    expect(place.listAdded()).toEqual([]);
  });

  it("writes the report to a file, without a picture or a sound in it", async () => {
    const report = join(place.folder, "report.json");
    await reelmill(["repair", place.files.damaged, "-r", place.files.reference, "--report", report]);
    const document = JSON.parse(readFileSync(report, "utf8")) as RepairDocument;
    expect(document).toMatchObject({ schema: 1, dryRun: false, summary: { repaired: 1, failed: 0 } });
    expect(document.files[0]?.report?.engine).toBe("native");
  });
});

describe("repairing many files", () => {
  it("walks a folder, keeps its shape, and chooses references among the healthy files", async () => {
    const card = join(place.folder, "card");
    mkdirSync(join(card, "day2"), { recursive: true });
    for (const [from, to] of [
      [place.files.reference, "good.mp4"],
      [place.files.damaged, "bad.mp4"],
      [place.files.damaged, "day2/bad.mp4"],
      [place.files.foreign, "day2/other.mov"],
    ] as const) {
      copyOf(from, `card/${to}`);
    }
    writeFileSync(join(card, "empty.mp4"), "");
    const mended = join(place.folder, "mended");
    const { exit, summary, files: results } = await repairAsJson(card, "-o", mended);
    expect([exit, summary]).toEqual([1, { repaired: 2, repairable: 0, healthy: 2, failed: 1 }]);
    expect(results.find((file) => file.error)?.error?.code).toBe("INPUT_EMPTY");
    expect(readdirSync(mended, { recursive: true }).sort()).toEqual(["bad.mp4", "day2", "day2/bad.mp4"]);
  });

  it("goes on after a path that cannot be read, and prints the sum", async () => {
    const { status, output, error } = await reelmill(["repair", join(place.folder, "gone.mp4"), place.files.indexCut]);
    expect(status).toBe(1);
    expect(error).toContain("INPUT_NOT_FOUND");
    expect(output).toMatch(/1 repaired, 0 healthy, 1 failed\n$/);
  });
});

describe("inspecting", () => {
  it("shows boxes, tracks and damage", async () => {
    const { status, output } = await reelmill(["inspect", place.files.indexCut]);
    expect(status).toBe(0);
    expect(output).toMatch(/^ftyp @0 /m);
    expect(output).toMatch(/vide +h264 +75/);
    expect(output).toMatch(/samples per chunk/);
    expect(output).toMatch(/^damage: \d+ of 75 samples of track 1 lie beyond its end$/m);
  });

  it("says what was looked at, and sees that a Matroska file was cut", async () => {
    const whole = await reelmill(["inspect", place.files.matroska]);
    expect(whole.output).toMatch(/no damage found\nchecked: the sizes in its headers .* were not read\n$/);
    const cut = await reelmill(["inspect", place.files.matroskaCut]);
    expect(cut.output).toMatch(/^damage: it was cut off: its segment at byte \d+ claims \d+ bytes, \d+ are there$/m);
    const mp4 = await reelmill(["inspect", place.files.reference]);
    expect(mp4.output).toMatch(/no damage found\nchecked: its boxes .* were not read\n$/);
  });

  it("shows Matroska by ffprobe, and prints JSON", async () => {
    const { output } = await reelmill(["inspect", place.files.matroska, "--json"]);
    const inspection = JSON.parse(output);
    expect(inspection).toMatchObject({ schema: 1, container: "matroska", notes: [] });
    expect(inspection.tracks.map((track: { codec: string }) => track.codec)).toEqual(["h264", "aac"]);
  });

  it.each([
    ["text", "Notes of the day.\n"],
    ["nothing known", Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * at * 73 + 5) & 0xff))],
  ])("says that a file is no recording, and what it looks like: %s", async (what, content) => {
    writeFileSync(join(place.folder, "notes.mp4"), content);
    const { status, output } = await reelmill(["inspect", join(place.folder, "notes.mp4")]);
    expect(status).toBe(0);
    expect(output).toContain(`notes.mp4: no recording of a known kind, `);
    expect(output).toContain(`damage: it is no recording in MP4 or MOV (it looks like: ${what})\n`);
    expect(output).not.toContain("its index");
  });

  it("needs a single file", async () => {
    const { status, error } = await reelmill(["inspect", place.folder]);
    expect([status, error]).toEqual([1, expect.stringContaining("INPUT_IS_DIRECTORY")]);
  });
});
