import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collectInputs, listFolder } from "./inputs.ts";

let folder: string;

const NAMES = [
  "b.mp4",
  "a.MOV",
  "notes.txt",
  "._b.mp4",
  ".b.mp4.reelmill-0a1b2c3d.part",
  "b.mp4.reelmill-undo",
  "deep/er/c.mkv",
  ".Trash/d.mp4",
];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-inputs-"));
  for (const path of ["card/deep/er", "card/.Trash", "empty"]) mkdirSync(join(folder, path), { recursive: true });
  for (const name of NAMES) writeFileSync(join(folder, "card", name), "x");
  symlinkSync("..", join(folder, "card/deep/up"));
  symlinkSync("b.mp4", join(folder, "card/same.mp4"));
  symlinkSync("round.mp4", join(folder, "card/round.mp4"));
  mkdirSync(join(folder, "elsewhere"));
  writeFileSync(join(folder, "elsewhere/private.mp4"), "x");
  symlinkSync("../../elsewhere", join(folder, "card/deep/out"));
  symlinkSync("../elsewhere/private.mp4", join(folder, "card/out.mp4"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("collectInputs", () => {
  it("walks folders by name, once each, past links that lead round, hidden and unfinished files", () => {
    const { files, failures } = collectInputs([join(folder, "card")]);
    expect(files.map((file) => file.relativePath)).toEqual(["a.MOV", "b.mp4", "deep/er/c.mkv"]);
    expect(failures.map(({ path, error }) => [path, (error as { code: string }).code])).toEqual([
      [join(folder, "card/round.mp4"), "INPUT_SYMLINK_LOOP"],
    ]);
  });

  it("never leaves a folder by a link, and says what it left out", () => {
    const { skipped } = collectInputs([join(folder, "card")]);
    expect(skipped.map(({ path }) => path)).toEqual([join(folder, "card/deep/out"), join(folder, "card/out.mp4")]);
    expect(skipped[0]?.reason).toBe(`it is a link that leads out of ${join(folder, "card")}`);
    expect(listFolder(join(folder, "card"))).toEqual([join(folder, "card/a.MOV"), join(folder, "card/b.mp4")]);
  });

  it("takes a file named by itself whatever its name, and none twice", () => {
    const paths = ["card/notes.txt", "card/b.mp4", "card/same.mp4", "card"].map((path) => join(folder, path));
    const { files } = collectInputs(paths);
    expect(files.map((file) => file.relativePath)).toEqual(["notes.txt", "b.mp4", "a.MOV", "deep/er/c.mkv"]);
  });

  it("reports a folder without recordings, and a path that is not there, each for itself", () => {
    const { files, failures } = collectInputs([join(folder, "empty"), join(folder, "gone.mp4"), join(folder, "card")]);
    expect(files).toHaveLength(3);
    expect(failures.map(({ error }) => (error as { code: string }).code)).toEqual([
      "INPUT_FOLDER_EMPTY",
      "INPUT_NOT_FOUND",
      "INPUT_SYMLINK_LOOP",
    ]);
  });
});
