import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readParams } from "./submit-params.ts";

const SCHEMA = {
  type: "object",
  properties: {
    inputs: { type: "array", items: { type: "string" } },
    marks: { type: "array", items: { $ref: "#/$defs/mark" } },
    codecs: { type: "array", items: { type: "string", enum: ["h264", "hevc"] } },
    tracks: {
      anyOf: [
        { type: "string", const: "all" },
        { type: "array", items: { type: "integer" } },
      ],
    },
    quality: { anyOf: [{ type: "integer" }, { type: "null" }] },
    factor: { type: "number" },
    faststart: { type: "boolean" },
    engine: { enum: ["auto", "native"] },
    title: { type: "string" },
    sizes: { type: "object" },
    circle: { $ref: "#/$defs/circle" },
  },
  $defs: { mark: { type: "number" }, circle: { $ref: "#/$defs/circle" } },
  additionalProperties: false,
};

const read = (...param: readonly string[]) => readParams({ param }, SCHEMA);

describe("readParams", () => {
  it.each([
    ["inputs=a", { inputs: ["a"] }],
    ['inputs=["a","b"]', { inputs: ["a", "b"] }],
    ["inputs=a,b.mp4", { inputs: ["a,b.mp4"] }],
    ["marks=1.5", { marks: [1.5] }],
    ["marks=1, 2", { marks: [1, 2] }],
    ["codecs=h264,hevc", { codecs: ["h264", "hevc"] }],
    ["tracks=all", { tracks: "all" }],
    ["tracks=0,2", { tracks: [0, 2] }],
    ["quality=23", { quality: 23 }],
    ["quality=null", { quality: null }],
    ["factor=-.5e1", { factor: -5 }],
    ["faststart=true", { faststart: true }],
    ["engine=native", { engine: "native" }],
    ["title=12=true", { title: "12=true" }],
    ["title=", { title: "" }],
    ['sizes={"w":1}', { sizes: { w: 1 } }],
    ["circle=x", { circle: "x" }],
  ])("reads %s as the schema wants it", (text, params) => {
    expect(read(text)).toEqual(params);
  });

  it("makes a list of what is given several times", () => {
    expect(read("inputs=a", "inputs=b", "marks=1", "marks=2")).toEqual({ inputs: ["a", "b"], marks: [1, 2] });
  });

  it.each([
    ["quality", "not of the form name=value"],
    ["=x", "not of the form name=value"],
    ["qualty=1", 'no parameter "qualty". It has: inputs, marks'],
    ["constructor=1", "no parameter"],
    ["quality=high", 'is "high", but must be: integer or null'],
    ["factor=0x10", "must be: number"],
    ["faststart=yes", "must be: boolean"],
    ["sizes={", "must be JSON"],
    ["inputs=[", "must be a JSON array"],
  ])("refuses %s", (text, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "USAGE" }));
    expect(() => read(text)).toThrow(message);
  });

  it("refuses two values where one is wanted", () => {
    expect(() => read("title=a", "title=b")).toThrow("takes one value");
  });

  it("reads a file, which options overrule", () => {
    const folder = mkdtempSync(join(tmpdir(), "reelmill-params-"));
    const paramsFile = join(folder, "p.json");
    try {
      writeFileSync(paramsFile, '{"title":"a","factor":2}');
      expect(readParams({ param: ["title=b"], paramsFile }, SCHEMA)).toEqual({ title: "b", factor: 2 });
      for (const text of ["[1]", "{", '{"frob":1}']) {
        writeFileSync(paramsFile, text);
        expect(() => readParams({ param: [], paramsFile }, SCHEMA)).toThrow(expect.objectContaining({ code: "USAGE" }));
      }
      expect(() => readParams({ param: [], paramsFile: join(folder, "q") }, SCHEMA)).toThrow("cannot be read");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
