import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepSecret } from "./secret-file.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-secret-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("keepSecret", () => {
  it("makes it once, for the owner alone, and leaves nothing else behind", () => {
    const path = join(folder, "secret");
    expect(keepSecret(path, () => "first")).toBe("first");
    expect(keepSecret(path, () => "second")).toBe("first");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["secret"]);
  });

  it("says that a folder which is not there cannot hold it", () => {
    const path = join(folder, "gone", "secret");
    expect(() => keepSecret(path, () => "x")).toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE" }));
  });
});
