import { expect, it } from "vitest";
import { createReplacer } from "./replace-texts.ts";

it("takes the longest, literally, and looks for nothing in what it put in", () => {
  const replace = createReplacer(
    new Map([
      ["/a", "b"],
      ["/a/x.mp4", "/a"],
      ["b", "c$&"],
    ]),
  );
  expect(replace("/a/x.mp4, /a/y, b, /axmp4")).toBe("/a, b/y, c$&, bxmp4");
});

it("leaves all as it is where nothing is to be replaced", () => {
  expect(createReplacer(new Map())("a/b")).toBe("a/b");
});
