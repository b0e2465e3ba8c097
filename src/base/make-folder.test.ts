import { existsSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder, makeFolderSync } from "./make-folder.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-make-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe.each([
  ["makeFolderSync", async (path: string, mode?: number) => makeFolderSync(path, mode)],
  ["makeFolder", makeFolder],
])("%s", (_name, make) => {
  it("makes what is missing, with the mode, and is content with what is there", async () => {
    await make(join(folder, "a", "b", "c"), 0o700);
    expect((await stat(join(folder, "a", "b", "c"))).mode & 0o777).toBe(0o700);
    await make(join(folder, "a", "b", "c"));
    await symlink(join(folder, "a"), join(folder, "link"));
    await make(join(folder, "link", "b"));
  });

  it("refuses what a file stands in the way of", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(make(join(folder, "file"))).rejects.toMatchObject({ code: "EEXIST" });
    await expect(make(join(folder, "file", "below"))).rejects.toMatchObject({ code: "ENOTDIR" });
    await symlink(join(folder, "nowhere"), join(folder, "dangling"));
    await expect(make(join(folder, "dangling"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.skipIf(!existsSync("/proc/self"))("comes to an end where the file system makes no folders", async () => {
    await expect(make("/proc/reelmill/data")).rejects.toMatchObject({ code: "ENOENT" });
  });
});
