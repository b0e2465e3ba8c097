import { describe, expect, it } from "vitest";
import { isObjectKey, requireKeyPrefix, requireObjectKey } from "./object-key.ts";

const refused = expect.objectContaining({ code: "OBJECT_KEY_INVALID" });

describe("requireObjectKey", () => {
  it.each([
    "a",
    "watch/ready/a b.mp4",
    "...",
    "..a/b..",
    ".hidden",
    ".reelmill",
    "ü/日本/👩‍👩‍👧.mov",
    "a:b*?",
    "x".repeat(255),
    ["x".repeat(255), "x".repeat(255), "x".repeat(255), "x".repeat(255)].join("/"),
  ])("takes %j", (key) => {
    expect(requireObjectKey(key)).toEqual(key.split("/"));
    expect(isObjectKey(key)).toBe(true);
  });

  it.each([
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/./b",
    "a/../b",
    "../a",
    "a/..",
    "a\0b",
    "a\nb",
    "a\u007fb",
    "a\u0085b",
    "a\\b",
    "..\\a",
    "\ud800",
    "a/\udfff",
    "x".repeat(256),
    "ü".repeat(128),
    ["x".repeat(255), "x".repeat(255), "x".repeat(255), "x".repeat(255), "y"].join("/"),
    ".reelmill-tmp/a",
    "a/.reelmill-x",
    "a/.Reelmill-tmp",
    ".reel\u200dmill-tmp",
    ".ｒeelmill-tmp",
  ])("refuses %j", (key) => {
    expect(() => requireObjectKey(key)).toThrow(refused);
    expect(isObjectKey(key)).toBe(false);
  });

  it("shows what is hostile escaped and cut", () => {
    expect(() => requireObjectKey("a\u001b[2Jb")).toThrow("a\\u001b[2Jb");
    expect(() => requireObjectKey("x".repeat(100_000))).toThrow(/^.{0,400}$/);
  });
});

describe("requireKeyPrefix", () => {
  it.each(["", "a", "a/", "a/b", ".", "a/..", "a/.reelmill-"])("takes %j", (prefix) => {
    expect(() => requireKeyPrefix(prefix)).not.toThrow();
  });

  it.each(["/", "a//", "../", "./a", "a/../", "a\n", "a\\", "\ud800", ".reelmill-tmp/", "x".repeat(1025)])(
    "refuses %j",
    (prefix) => expect(() => requireKeyPrefix(prefix)).toThrow(refused),
  );
});
