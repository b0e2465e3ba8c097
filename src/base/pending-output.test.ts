import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createPendingOutput, type PendingOutput } from "./pending-output.ts";

const disk = vi.hoisted(() => ({ refusesUnlink: false }));
// No real folder lets a name be added but not removed, to root at least.
vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  const unlinkSync: typeof fs.unlinkSync = (path) => {
    if (disk.refusesUnlink) throw Object.assign(new Error("busy"), { code: "EBUSY" });
    fs.unlinkSync(path);
  };
  return { ...fs, unlinkSync };
});

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-pending-"));
});

afterEach(() => {
  disk.refusesUnlink = false;
  rmSync(folder, { recursive: true, force: true });
});

/** An output whose content is there. */
function prepare(): PendingOutput {
  const pending = createPendingOutput(join(folder, "out"));
  writeFileSync(pending.path, "repaired");
  return pending;
}

describe("createPendingOutput", () => {
  it("publishes under the name, and leaves no other", () => {
    prepare().publish();
    expect(readFileSync(join(folder, "out"), "utf8")).toBe("repaired");
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  it("replaces nothing, and leaves nothing of itself then", () => {
    writeFileSync(join(folder, "out"), "mine");
    const pending = prepare();
    expect(() => pending.publish()).toThrow(expect.objectContaining({ code: "OUTPUT_EXISTS" }));
    expect(readFileSync(join(folder, "out"), "utf8")).toBe("mine");
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  it("has published when the temporary name cannot be removed", () => {
    disk.refusesUnlink = true;
    const pending = prepare();
    pending.publish();
    expect(existsSync(pending.path)).toBe(true);
    expect(readFileSync(join(folder, "out"), "utf8")).toBe("repaired");
  });
});
