import { describe, expect, it } from "vitest";
import {
  formatAge,
  formatBitRate,
  formatBytes,
  formatClock,
  formatExact,
  formatFineShare,
  formatMoment,
  formatSeconds,
  formatShare,
  showMessage,
  showName,
  showWords,
} from "./formats.ts";

describe("formats", () => {
  it.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [999, "999 bytes"],
    [1000, "1.00 kB"],
    [999_999, "1.00 MB"],
    [1_273_000_000, "1.27 GB"],
    [45_600_000, "45.6 MB"],
    [-1, "unknown"],
    [Number.NaN, "unknown"],
    [Number.POSITIVE_INFINITY, "unknown"],
  ])("%d bytes", (bytes, shown) => expect(formatBytes(bytes)).toBe(shown));

  it.each([
    [0, "0 s"],
    [0.42, "0.4 s"],
    [59.7, "1 min 00 s"],
    [185, "3 min 05 s"],
    [3720, "1 h 02 min"],
    [183_600, "2 d 3 h"],
    [-3, "unknown"],
  ])("%d seconds", (seconds, shown) => expect(formatSeconds(seconds)).toBe(shown));

  it.each([
    [0, "0:00"],
    [5.99, "0:05"],
    [754, "12:34"],
    [3723, "1:02:03"],
    [-1, "unknown"],
  ])("%d seconds into a recording", (seconds, shown) => expect(formatClock(seconds)).toBe(shown));

  it.each([
    [0, "0 kbit/s"],
    [364_600, "365 kbit/s"],
    [999_499, "999 kbit/s"],
    [999_500, "1.00 Mbit/s"],
    [4_630_000, "4.63 Mbit/s"],
    [12_340_000, "12.3 Mbit/s"],
    [Number.NaN, "unknown"],
  ])("%d bit/s", (rate, shown) => expect(formatBitRate(rate)).toBe(shown));

  it.each([
    [0, "0 %"],
    [0.0004, "under 0.1 %"],
    [0.004, "0.4 %"],
    [0.426, "42 %"],
    [0.9999, "99.9 %"],
    [1, "100 %"],
    [7, "100 %"],
    [Number.NaN, "unknown"],
  ])("share %d: all only of what is whole, nothing only of nothing", (share, shown) =>
    expect(formatShare(share)).toBe(shown),
  );

  it("shares with a digit behind the point are never rounded up", () => {
    expect([0.9695, 0.99999, 1].map(formatFineShare)).toEqual(["96.9 %", "99.9 %", "100 %"]);
  });

  it("times that are no times are said to be unknown", () => {
    expect(formatAge("nonsense", 0)).toBe("unknown");
    expect(formatMoment("nonsense")).toBe("unknown");
    expect(formatExact(Number.NaN)).toBe("unknown");
    expect(formatAge("2026-01-01T00:00:00Z", Date.parse("2026-01-01T02:30:00Z"))).toBe("2 h ago");
  });

  it("characters that turn or hide text are shown", () => {
    expect(showName("a\u202egpj.exe\u0000\n")).toBe("a\\u{202e}gpj.exe\\u{0}\\u{a}");
    expect(showName("Größe 大.mp4")).toBe("Größe 大.mp4");
  });

  it("messages name files as the user did", () => {
    const key = `uploads/${"0af3".repeat(8)}/DJI 90.mp4`;
    expect(showMessage(`The reference ${key} does not fit.`)).toBe("The reference DJI 90.mp4 does not fit.");
    expect(showMessage("watch-e6fabd95e7ea/ready/healthy 2.mp4 is broken.")).toBe("healthy 2.mp4 is broken.");
    expect(showMessage("uploads/ready/a.mp4\u0007")).toBe("uploads/ready/a.mp4\\u{7}");
  });

  it("names of the interface are shown as words", () => {
    expect(["cloudFallbacks", "job.stage", "cut-packet"].map(showWords)).toEqual([
      "Cloud fallbacks",
      "Job stage",
      "Cut packet",
    ]);
  });
});
