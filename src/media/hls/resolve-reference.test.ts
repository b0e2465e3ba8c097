import { describe, expect, it } from "vitest";
import { resolveReference } from "./resolve-reference.ts";

describe("a reference in a playlist", () => {
  it.each([
    ["main.m3u8", "v1/index.m3u8", "v1/index.m3u8"],
    ["v1/index.m3u8", "seg%200.m4s", "v1/seg 0.m4s"],
    ["v1/index.m3u8", "../audio/a.m4s", "audio/a.m4s"],
    ["v1/index.m3u8", "./a//b/../c.ts", "v1/a/c.ts"],
  ])("in %s, %s leads to %s", (playlist, reference, path) => {
    expect(resolveReference(playlist, reference)).toEqual({ path });
  });

  it.each([
    ["http://example.com/a.ts", /scheme/],
    ["file:a.ts", /scheme/],
    ["data:text/plain,a", /scheme/],
    ["//example.com/a.ts", /absolute/],
    ["/etc/passwd", /absolute/],
    ["\\\\server\\share", /absolute/],
    ["../../a.ts", /leads out/],
    ["%2e%2e/%2e%2e/a.ts", /leads out/],
    ["..%2f..%2fa.ts", /encoded slash/],
    ["a%5c..%5cb.ts", /encoded slash/],
    ["a%00.ts", /control character/],
    ["a%zz.ts", /percent sign/],
    ["a.ts?key=1", /query/],
    ["", /names no file/],
    ["..", /names no file|leads out/],
    ["a/", /names no file/],
  ])("%s is refused", (reference, problem) => {
    expect(resolveReference("v1/index.m3u8", reference)).toEqual({ problem: expect.stringMatching(problem) });
  });
});
