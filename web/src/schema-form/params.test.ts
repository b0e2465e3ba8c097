import { describe, expect, it } from "vitest";
import { type Field, parseFields } from "./fields.ts";
import { readParams } from "./params.ts";

const fields = parseFields({
  type: "object",
  properties: {
    engine: { type: "string", enum: ["native", "auto"], default: "auto" },
    inputs: { type: "array", items: { type: "string" }, minItems: 1, maxItems: 2, description: "What is broken." },
    crf: { anyOf: [{ type: "integer", minimum: 0, maximum: 63 }, { type: "null" }] },
    limit: { type: "integer", minimum: -9007199254740991, maximum: 9007199254740991 },
    faststart: { type: "boolean", default: false },
    tags: { type: "array", items: { type: "string" } },
    clips: { type: "array", items: { type: "object" } },
    title: { type: "string", title: "Name of the clip" },
    speed: { anyOf: [{ const: "slow" }, { const: "fast" }] },
  },
  required: ["inputs", "engine", "title"],
});

const field = (name: string): Field | undefined => fields.find((one) => one.name === name);

describe("fields of a form", () => {
  it("are read from the schema, files first, then what is needed", () => {
    expect(fields.slice(0, 2).map(({ name }) => name)).toEqual(["inputs", "title"]);
    expect(field("inputs")).toMatchObject({ hint: "What is broken.", input: { kind: "files", fewest: 1, most: 2 } });
    expect(field("title")?.label).toBe("Name of the clip");
    expect(field("tags")?.input.kind).toBe("lines");
    expect(field("clips")?.input.kind).toBe("json");
    expect(field("speed")?.input).toEqual({ kind: "choice", options: ["slow", "fast"] });
  });

  it("with a default are not needed, whatever the schema of the outcome says", () => {
    expect(field("engine")?.isRequired).toBe(false);
  });

  it("that may be null, or have the bounds of all integers, are plain numbers", () => {
    expect(field("crf")?.input).toEqual({ kind: "number", isInteger: true, min: 0, max: 63 });
    expect(field("limit")?.input).toEqual({ kind: "number", isInteger: true });
  });

  it("of what is no schema are none", () => {
    expect(parseFields(null)).toEqual([]);
    expect(parseFields([1, 2])).toEqual([]);
  });
});

describe("parameters of a form", () => {
  it("hold what was answered, and nothing else", () => {
    const answers = { title: " x ", crf: "23", faststart: false, tags: "a\n b ", clips: '[{"a":1}]', engine: "" };
    expect(readParams(fields, answers, { inputs: ["uploads/1/a.mp4"] })).toEqual({
      params: {
        inputs: ["uploads/1/a.mp4"],
        title: "x",
        crf: 23,
        faststart: false,
        tags: ["a", "b"],
        clips: [{ a: 1 }],
      },
    });
  });

  it.each([
    [{ title: "" }, ["k"], "title"],
    [{ title: "x" }, [], "inputs"],
    [{ title: "x" }, ["k", "l", "m"], "inputs"],
    [{ title: "x", crf: "64" }, ["k"], "crf"],
    [{ title: "x", crf: "1.5" }, ["k"], "crf"],
    [{ title: "x", crf: "much" }, ["k"], "crf"],
    [{ title: "x", clips: "{" }, ["k"], "clips"],
  ])("%j with files %j: what is wrong is said beside %s", (answers, inputs, name) => {
    const outcome = readParams(fields, answers, { inputs });
    expect("errors" in outcome && Object.keys(outcome.errors)).toEqual([name]);
  });
});
