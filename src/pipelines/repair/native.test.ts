import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFileSource } from "./file-source.ts";
import { repairNatively } from "./native.ts";
import type { RepairTask } from "./plan.ts";
import type { ReferencePool } from "./references.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-native-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const signal = new AbortController().signal;
const hooks = { signal, onProgress: () => undefined };
/** Has no reference to offer, for a file that kept an index. */
const EMPTY_POOL: ReferencePool = {
  isNamed: false,
  hasIndex: () => true,
  choose: () => ({ paths: [], notices: [] }),
  unlike: () => [],
};

function taskFor(input: string): RepairTask {
  const options = { dryRun: true, faststart: false, verify: "none", signal, environment: {} };
  return { input, output: undefined, makesFolder: false, options, references: EMPTY_POOL } as unknown as RepairTask;
}

describe("repairNatively", () => {
  it("reads a file that tells nothing by itself once, where nothing lies near it", async () => {
    const path = join(folder, "clip.mp4");
    const noise = Uint8Array.from({ length: 200_000 }, (_, index) => Math.imul(index + 1, 2654435761) >>> 11);
    noise.set(Buffer.from("\0\0\0\x14ftypisom\0\0\x02\0isom\0\0\0\0mdat", "latin1"));
    writeFileSync(path, noise);
    const damaged = openFileSource(path);
    let searches = 0;
    const counted: typeof damaged = {
      ...damaged,
      read: (offset, target) => {
        if (offset === 0 && target.length > 1000) searches++;
        return damaged.read(offset, target);
      },
    };
    try {
      const run = { task: taskFor(path), damaged: counted, hooks, notices: [] };
      await expect(repairNatively(run)).rejects.toMatchObject({ code: "REFERENCE_REQUIRED" });
      const once = searches;
      searches = 0;
      const withoutIndex = { ...run.task, references: { ...EMPTY_POOL, hasIndex: () => false } };
      await expect(repairNatively({ ...run, task: withoutIndex })).rejects.toMatchObject({
        code: "REFERENCE_REQUIRED",
      });
      expect(once).toBe(searches);
    } finally {
      damaged.close();
    }
  });
});
