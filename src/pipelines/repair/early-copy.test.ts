import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FileSource, openFileSource } from "../../base/file-source.ts";
import { beginEarlyCopy } from "./early-copy.ts";

let folder: string;
let source: FileSource;
const BYTES = Buffer.alloc(3_000_000, "reelmill");
const hooks = { signal: new AbortController().signal, onProgress: () => undefined };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-copy-"));
  writeFileSync(join(folder, "source.bin"), BYTES);
  source = openFileSource(join(folder, "source.bin"));
});

afterAll(() => {
  source.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("beginEarlyCopy", () => {
  it("copies the whole file, names that begin with a hyphen too", async () => {
    const target = join(folder, "-r copy.bin");
    const copy = beginEarlyCopy(source, target);
    expect(await copy.finish(hooks)).toBe(true);
    await copy.stop();
    expect(readFileSync(target).equals(BYTES)).toBe(true);
  });

  it("says that it failed: no such folder, no such program, a program that wrote nothing", async () => {
    expect(await beginEarlyCopy(source, join(folder, "no/such/folder")).finish(hooks)).toBe(false);
    expect(await beginEarlyCopy(source, join(folder, "a"), "reelmill-has-no-such-program").finish(hooks)).toBe(false);
    expect(await beginEarlyCopy(source, join(folder, "b"), "true").finish(hooks)).toBe(false);
  });

  it("ends when cancelled or stopped", async () => {
    const cancelled = beginEarlyCopy(source, join(folder, "c"));
    await expect(cancelled.finish({ ...hooks, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "ABORTED",
    });
    await cancelled.stop();
    await beginEarlyCopy(source, join(folder, "d")).stop();
  });
});
