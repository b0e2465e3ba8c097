import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatBytes, formatCount, formatElapsedMs, formatMediaSeconds, parseBytes } from "./units.ts";

describe("formatCount", () => {
  it.each([
    [formatCount(1, "packet"), "1 packet"],
    [formatCount(0, "packet"), "0 packets"],
    [formatCount(2, "box", "boxes"), "2 boxes"],
  ])("writes %s", (text, expected) => {
    expect(text).toBe(expected);
  });
});

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [12_345, "12.3 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [2_261_000_000, "2.26 GB"],
    [-1500, "-1.50 kB"],
  ])("writes %d as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it("never shows more than three digits below a petabyte", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_000_000_000_000 }), (bytes) => {
        expect(formatBytes(bytes)).toMatch(/^(\d{1,3}|\d\.\d\d|\d\d\.\d) (B|kB|MB|GB|TB)$/);
      }),
    );
  });
});

describe("formatMediaSeconds", () => {
  it.each([
    [0, "0:00.000"],
    [59.9996, "1:00.000"],
    [61.5, "1:01.500"],
    [3723.004, "1:02:03.004"],
    [-1.25, "-0:01.250"],
    [-0.0001, "0:00.000"],
  ])("writes %d as %s", (seconds, text) => {
    expect(formatMediaSeconds(seconds)).toBe(text);
  });
});

describe("formatElapsedMs", () => {
  it.each([
    [12.4, "12 ms"],
    [999.6, "1.0 s"],
    [3400, "3.4 s"],
    [59_960, "1 min 0 s"],
    [125_000, "2 min 5 s"],
    [3_840_000, "1 h 4 min"],
  ])("writes %d as %s", (elapsedMs, text) => {
    expect(formatElapsedMs(elapsedMs)).toBe(text);
  });
});

describe("parseBytes", () => {
  it.each([
    ["700MB", 700_000_000],
    ["700 MB", 700_000_000],
    ["1.5g", 1_500_000_000],
    ["650MiB", 681_574_400],
    ["4k", 4000],
    ["25000000", 25_000_000],
    ["12B", 12],
    ["2TB", 2_000_000_000_000],
  ])("reads %s", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(["", "MB", "-1MB", "1e9", "0", "0.5", "1,5MB", "1 million", "99999999TB", "1MB "])("refuses %j", (text) => {
    expect(parseBytes(text)).toBeUndefined();
  });
});
