import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chooseOutputs } from "./output-path.ts";

const NAMING = { suffix: "_repaired", deed: "repaired", ownAdvice: ", or use --in-place" };

let folder: string;
const at = (path: string): string => join(folder, path);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-output-"));
  for (const name of ["a", "b", "mended"]) mkdirSync(at(name));
  for (const name of ["a/x.mp4", "b/x.mp4", "a/y.mov", "a/y_repaired.mov"]) writeFileSync(at(name), "x");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("chooseOutputs", () => {
  const inputs = (...paths: string[]) => paths.map((path) => ({ path: at(path), relativePath: path.slice(2) }));

  it("takes a free name beside each input", () => {
    expect(chooseOutputs(inputs("a/x.mp4", "a/y.mov"), undefined, NAMING)).toEqual([
      at("a/x_repaired.mp4"),
      at("a/y_repaired-2.mov"),
    ]);
  });

  it("gives another extension, in a folder too", () => {
    const naming = { suffix: "_av1", extension: ".webm", deed: "converted" };
    expect(chooseOutputs(inputs("a/x.mp4"), undefined, naming)).toEqual([at("a/x_av1.webm")]);
    expect(chooseOutputs(inputs("a/x.mp4", "b/x.mp4"), at("mended"), naming)).toEqual([
      at("mended/x.webm"),
      at("mended/x_av1.webm"),
    ]);
  });

  it("cuts a name that has no room for more", () => {
    expect(chooseOutputs(inputs(`a/${"z".repeat(251)}.mp4`), undefined, NAMING)).toEqual([
      at(`a/${"z".repeat(242)}_repaired.mp4`),
    ]);
  });

  it("puts one input into a file or a folder", () => {
    expect(chooseOutputs(inputs("a/x.mp4"), at("new.mp4"), NAMING)).toEqual([at("new.mp4")]);
    expect(chooseOutputs(inputs("a/x.mp4"), at("mended"), NAMING)).toEqual([at("mended/x.mp4")]);
    expect(chooseOutputs(inputs("a/x.mp4"), `${at("new")}/`, NAMING)).toEqual([at("new/x.mp4")]);
  });

  it("keeps inputs of one name apart, and never puts one over itself", () => {
    expect(chooseOutputs(inputs("a/x.mp4", "b/x.mp4"), at("mended"), NAMING)).toEqual([
      at("mended/x.mp4"),
      at("mended/x_repaired.mp4"),
    ]);
    expect(chooseOutputs(inputs("a/x.mp4"), at("a"), NAMING)).toEqual([at("a/x_repaired.mp4")]);
  });

  it("refuses the input itself, and one file for several", () => {
    expect(() => chooseOutputs(inputs("a/x.mp4"), at("b/../a/x.mp4"), NAMING)).toThrow("use --in-place");
    expect(() => chooseOutputs(inputs("a/x.mp4", "a/y.mov"), at("b/x.mp4"), NAMING)).toThrow("give a folder");
  });
});
