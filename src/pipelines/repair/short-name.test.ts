import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shortName } from "./short-name.ts";

describe("shortName", () => {
  it.each([
    ["/card/a.mp4", ["/card/a.mp4", "/card/b.mp4"], "a.mp4"],
    ["/card/a.mp4", ["/disk/a.mp4"], "card/a.mp4"],
    ["/one/day/a.mp4", ["/one/day/a.mp4", "/two/day/a.mp4", "/one/night/a.mp4"], "one/day/a.mp4"],
    ["/a.mp4", ["/card/a.mp4"], "/a.mp4"],
    ["/card/a.mp4", ["/card/./a.mp4"], "a.mp4"],
  ])("tells %s from %j as %s", (path, among, name) => {
    expect(shortName(path, among)).toBe(name);
  });

  it("gives different files different names", () => {
    const folder = fc.constantFrom("a", "b", "c");
    const path = fc.array(folder, { minLength: 1, maxLength: 4 }).map((folders) => `/${folders.join("/")}`);
    fc.assert(
      fc.property(fc.uniqueArray(path, { minLength: 2, maxLength: 6 }), (paths) => {
        expect(new Set(paths.map((one) => shortName(one, paths))).size).toBe(paths.length);
      }),
    );
  });
});
