import { describe, expect, it } from "vitest";
import { fillCommand, median } from "./run.ts";

describe("a command template", () => {
  it("quotes what it puts into a command", () => {
    expect(fillCommand("tool {bad} -o {out} {unknown}", { bad: "it's here", out: "/a-b/c.mp4" })).toBe(
      "tool 'it'\\''s here' -o /a-b/c.mp4 {unknown}",
    );
  });
});

describe("the median", () => {
  it("takes the middle of three", () => {
    expect(median([9, 1, 5])).toBe(5);
  });
});
