import { describe, expect, it } from "vitest";
import { printableJson, printableLine, printableText } from "./printable.ts";

describe("printableText", () => {
  it.each([
    ["a\u001b[2Jb", "a\\u001b[2Jb"],
    ["bell\u0007, tab\t, C1 \u009b31m", "bell\\u0007, tab\\u0009, C1 \\u009b31m"],
    ["mp4\u202e4pm", "mp4\\u202e4pm"],
    ["Zürich 東京 🎥\nnext", "Zürich 東京 🎥\nnext"],
  ])("shows %j as %j", (text, shown) => {
    expect(printableText(text)).toBe(shown);
  });
});

describe("printableLine", () => {
  it("keeps a name on its line", () => {
    expect(printableLine("a\nb.mp4")).toBe("a\\u000ab.mp4");
  });
});

describe("printableJson", () => {
  it("gives the same value back", () => {
    const value = { name: "a\u001b\u009b\n\u202e.mp4" };
    const json = printableJson(value);
    for (const character of ["\u001b", "\u009b", "\u202e"]) expect(json).not.toContain(character);
    expect(JSON.parse(json)).toEqual(value);
  });
});
