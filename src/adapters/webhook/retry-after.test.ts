import { describe, expect, it } from "vitest";
import { parseRetryAfter } from "./retry-after.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

describe("parseRetryAfter", () => {
  it.each([
    [undefined, null],
    ["", null],
    ["0", 0],
    ["120", 120_000],
    ["-1", null],
    ["1.5", null],
    ["1e9", null],
    ["9999999999", null],
    ["soon", null],
    ["Fri, 02 Jan 2026 03:05:05 GMT", 60_000],
    ["Friday, 02-Jan-26 03:05:05 GMT", 60_000],
    ["Fri, 02 Jan 2026 03:00:00 GMT", 0],
    ["2026-01-02", null],
  ])("reads %j as %j", (value, expected) => {
    expect(parseRetryAfter(value, NOW_MS)).toBe(expected);
  });
});
