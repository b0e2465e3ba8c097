import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFileSource } from "./file-source.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-source-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("openFileSource", () => {
  it("reads what is there, and less only at the end", () => {
    const path = join(folder, "a.bin");
    writeFileSync(path, Uint8Array.of(1, 2, 3, 4, 5));
    const source = openFileSource(path);
    const target = new Uint8Array(4);
    expect(source.sizeBytes).toBe(5);
    expect(source.read(1, target)).toBe(4);
    expect([...target]).toEqual([2, 3, 4, 5]);
    expect(source.read(3, target)).toBe(2);
    expect(source.read(5, target)).toBe(0);
    expect(source.read(500, target)).toBe(0);
    source.close();
  });

  it("names what is wrong with a path", () => {
    const at = (name: string): string => join(folder, name);
    mkdirSync(at("folder"));
    writeFileSync(at("empty"), "");
    symlinkSync("loop-b", at("loop-a"));
    symlinkSync("loop-a", at("loop-b"));
    execFileSync("mkfifo", [at("pipe")]);
    const codes = ["missing", "empty/x", "folder", "empty", "loop-a", "pipe"].map((name) => {
      try {
        openFileSource(at(name)).close();
        return "opened";
      } catch (error) {
        return (error as { code: unknown }).code;
      }
    });
    expect(codes).toEqual([
      "INPUT_NOT_FOUND",
      "INPUT_NOT_FOUND",
      "INPUT_IS_DIRECTORY",
      "INPUT_EMPTY",
      "INPUT_SYMLINK_LOOP",
      "INPUT_UNREADABLE",
    ]);
    expect(() => openFileSource(at("pipe"))).toThrow("is a pipe");
    expect(() => openFileSource("/dev/zero")).toThrow("is a device");
  });
});
