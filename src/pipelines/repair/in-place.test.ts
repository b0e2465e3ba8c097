import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openFileSource } from "../../base/file-source.ts";
import type { OutputLayout } from "../../repair/write/layout.ts";
import { type InPlaceStep, repairInPlace } from "./in-place.ts";
import { journalPathOf, undoUnfinishedRepair } from "./undo-journal.ts";

let folder: string;
let path: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-in-place-"));
  path = join(folder, "clip.mp4");
});

beforeEach(() => rmSync(journalPathOf(path), { force: true }));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STEPS: readonly InPlaceStep[] = ["journal-written", "truncated", "head-written", "tail-written", "verified"];

function layoutOf(head: Uint8Array, truncateAt: number, tail: Uint8Array): OutputLayout {
  return { parts: [], inPlace: { head, truncateAt, tail } };
}

const BYTES = Uint8Array.from({ length: 5000 }, (_, index) => (index * 31) % 251);
const LAYOUT = layoutOf(Uint8Array.of(9, 9, 9, 9), 4000, new Uint8Array(300).fill(7));

/** Leaves file and journal as a process that died at the step would, by saving both and letting the undoing run after. */
async function crashAt(step: InPlaceStep, layout: OutputLayout): Promise<void> {
  const source = openFileSource(path);
  let left: readonly Buffer[] = [];
  const run = repairInPlace(
    source,
    layout,
    () => Promise.resolve(),
    (reached) => {
      if (reached === step) left = [readFileSync(path), readFileSync(journalPathOf(path))];
    },
  );
  await run.finally(() => source.close());
  const [file, journal] = left;
  if (file === undefined || journal === undefined) throw new Error(`The step ${step} was not reached.`);
  writeFileSync(path, file);
  writeFileSync(journalPathOf(path), journal);
}

describe("repairInPlace", () => {
  it("changes the file and leaves no journal", async () => {
    writeFileSync(path, BYTES);
    const source = openFileSource(path);
    expect(await repairInPlace(source, LAYOUT, () => Promise.resolve("fine"))).toBe("fine");
    source.close();
    const changed = readFileSync(path);
    expect(changed.length).toBe(4300);
    expect([...changed.subarray(0, 5)]).toEqual([9, 9, 9, 9, BYTES[4]]);
    expect(changed.subarray(4, 4000).equals(BYTES.subarray(4, 4000))).toBe(true);
    expect(changed.subarray(4000).every((byte) => byte === 7)).toBe(true);
    expect(existsSync(journalPathOf(path))).toBe(false);
  });

  it.each(STEPS)("can be undone after a crash at the step %s", async (step) => {
    writeFileSync(path, BYTES);
    await crashAt(step, LAYOUT);
    expect(undoUnfinishedRepair(path, false)).toContain("was undone");
    expect(readFileSync(path).equals(BYTES)).toBe(true);
    expect(existsSync(journalPathOf(path))).toBe(false);
  });

  it("brings back any file from any step, a tail of zeros included", async () => {
    const recordings = fc.record({
      data: fc.uint8Array({ minLength: 1, maxLength: 400 }),
      zeros: fc.nat({ max: 300 }),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
      head: fc.uint8Array({ maxLength: 64 }),
      tail: fc.uint8Array({ maxLength: 200 }),
      step: fc.constantFrom(...STEPS),
    });
    await fc.assert(
      fc.asyncProperty(recordings, async ({ data, zeros, cut, head, tail, step }) => {
        const bytes = Buffer.concat([data, Buffer.alloc(zeros)]);
        const truncateAt = Math.floor(cut * bytes.length);
        writeFileSync(path, bytes);
        await crashAt(step, layoutOf(head.subarray(0, truncateAt), truncateAt, tail));
        undoUnfinishedRepair(path, false);
        expect(readFileSync(path).equals(bytes)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("undoes everything when the result does not pass, or a step fails", async () => {
    writeFileSync(path, BYTES);
    const source = openFileSource(path);
    const refused = repairInPlace(source, LAYOUT, () => Promise.reject(new Error("nothing decodes")));
    await expect(refused).rejects.toThrow("nothing decodes");
    expect(readFileSync(path).equals(BYTES)).toBe(true);
    const failing = repairInPlace(
      source,
      LAYOUT,
      () => Promise.resolve(),
      (step) => {
        if (step === "head-written") throw Object.assign(new Error("write"), { code: "ENOSPC" });
      },
    );
    await expect(failing).rejects.toMatchObject({ code: "NO_SPACE" });
    expect(readFileSync(path).equals(BYTES)).toBe(true);
    expect(existsSync(journalPathOf(path))).toBe(false);
    source.close();
  });

  it("takes an unfinished journal for what it is: the file was not touched yet", async () => {
    writeFileSync(path, BYTES);
    await crashAt("journal-written", LAYOUT);
    truncateSync(journalPathOf(path), statSync(journalPathOf(path)).size - 1);
    undoUnfinishedRepair(path, false);
    expect(readFileSync(path).equals(BYTES)).toBe(true);
    expect(existsSync(journalPathOf(path))).toBe(false);
  });

  it("only says so in a dry run", async () => {
    writeFileSync(path, BYTES);
    await crashAt("tail-written", LAYOUT);
    expect(undoUnfinishedRepair(path, true)).toContain("broken off");
    expect(statSync(path).size).toBe(4300);
    expect(existsSync(journalPathOf(path))).toBe(true);
  });

  it("leaves a repair alone that another process is at", async () => {
    writeFileSync(path, BYTES);
    await crashAt("tail-written", LAYOUT);
    const [line = "", ...rest] = readFileSync(journalPathOf(path), "latin1").split("\n");
    const header = JSON.parse(line);
    const { hostname } = await import("node:os");
    const parent = readFileSync(`/proc/${process.ppid}/stat`, "latin1");
    const startTicks = parent.slice(parent.lastIndexOf(")") + 2).split(" ")[19];
    header.owner = { pid: process.ppid, host: hostname(), startTicks };
    writeFileSync(journalPathOf(path), [JSON.stringify(header), ...rest].join("\n"), "latin1");
    expect(() => undoUnfinishedRepair(path, false)).toThrow("is being mended in place by process");
    header.owner = { ...header.owner, startTicks: "1" };
    writeFileSync(journalPathOf(path), [JSON.stringify(header), ...rest].join("\n"), "latin1");
    undoUnfinishedRepair(path, false);
    expect(readFileSync(path).equals(BYTES)).toBe(true);
  });

  it("refuses a file whose data would have to move", async () => {
    writeFileSync(path, BYTES);
    const source = openFileSource(path);
    await expect(repairInPlace(source, { parts: [] }, () => Promise.resolve())).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
    });
    source.close();
  });
});
