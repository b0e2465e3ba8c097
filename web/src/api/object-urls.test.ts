import { expect, it } from "vitest";
import { baseName, downloadUrl, objectUrl } from "./object-urls.ts";

it("escapes each part of a key", () => {
  expect(objectUrl("uploads/a b/?x=1#y/%2e.mp4")).toBe("/v1/objects/uploads/a%20b/%3Fx%3D1%23y/%252e.mp4");
  expect(downloadUrl("o/a.mp4")).toBe("/v1/objects/o/a.mp4?download=1");
});

it("refuses parts that browsers would resolve", () => {
  expect(() => objectUrl("uploads/../../v1/session")).toThrow(RangeError);
  expect(() => objectUrl("./a")).toThrow(RangeError);
});

it("names an object by its last part", () => {
  expect(["a/b/c.mp4", "c.mp4", ""].map(baseName)).toEqual(["c.mp4", "c.mp4", ""]);
});
