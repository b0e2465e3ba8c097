import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { planMatrix, planRange } from "./picture-filters.ts";

const UNTOLD = { range: undefined, matrix: undefined, transfer: undefined, primaries: undefined };
const FORMATS = execFileSync("ffmpeg", ["-v", "error", "-pix_fmts"], { encoding: "utf8" })
  .split("\n")
  .map((line) => line.split(/\s+/)[1] ?? "");

const planFor = (pixelFormat: string) => planMatrix({ pixelFormat, bitDepth: 8, colour: UNTOLD, isHdr: false });

it("leaves what has a matrix, and grey, alone, of all that this ffmpeg knows", () => {
  const kept = FORMATS.filter((name) => /yuv|yuyv|uyvy|yvyu|uyyvyy|vuy|^nv|^p[024]1|^y2|^xv|gray|^ya|mono/.test(name));
  expect(kept.length).toBeGreaterThan(80);
  for (const name of kept)
    expect(planFor(name)).toEqual({ filters: [], colour: UNTOLD, pixelFormat: name, findings: [] });
});

it("chooses a matrix for every format of red, green and blue", () => {
  const others = FORMATS.filter((name) => /rgb|bgr|gbr|pal8|bayer|xyz/.test(name));
  expect(others.length).toBeGreaterThan(50);
  for (const name of others) {
    expect(planFor(name).colour, name).toEqual({ ...UNTOLD, range: "tv", matrix: "bt709", primaries: "bt709" });
  }
});

it.each([
  "gbrp",
  "rgb24",
  "bgr0",
  "argb",
  "bgra",
  "pal8",
  "rgb8",
  "bgr8",
  "rgb4_byte",
  "rgb48le",
  "x2rgb10le",
  "rgb565le",
])("makes BT.709 green of %s", (pixelFormat) => {
  const filters = [`format=${pixelFormat}`, ...planFor(pixelFormat).filters, "format=yuv420p"].join(",");
  const green = ["-f", "lavfi", "-i", "color=c=0x00FF00:s=16x16:d=0.04,format=rgb24", "-frames:v", "1"];
  const pixels = execFileSync("ffmpeg", ["-v", "error", ...green, "-vf", filters, "-f", "rawvideo", "pipe:1"]);
  // Of palettes of 256 colours, none is quite this green; BT.601's is 145, 54, 34.
  for (const [at, wanted] of [173, 42, 26].entries()) {
    expect(Math.abs((pixels[[0, 256, 320][at] ?? 0] ?? 0) - wanted), `${at}`).toBeLessThanOrEqual(2);
  }
});

it("keeps what the source tells of primaries and transfer, and takes the matrix of BT.2020 for its primaries", () => {
  const colour = { ...UNTOLD, matrix: "gbr", transfer: "iec61966-2-1", primaries: "smpte170m" };
  const told = planMatrix({ pixelFormat: "gbrp", bitDepth: 8, colour, isHdr: false });
  expect(told.colour).toEqual({ ...colour, range: "tv", matrix: "bt709" });
  expect(told.filters.join()).not.toContain("color_primaries");
  const wide = { ...UNTOLD, transfer: "smpte2084", primaries: "bt2020" };
  const high = planMatrix({ pixelFormat: "gbrp10le", bitDepth: 10, colour: wide, isHdr: true });
  expect(high.colour.matrix).toBe("bt2020nc");
  expect(high.filters.join()).toContain("yuv444p10le");
});

it.each([
  ["yuv420p", "pc", ["scale=out_range=tv", "format=yuv420p"]],
  ["yuv444p", "pc", ["scale=out_range=tv", "format=yuv444p"]],
  ["yuvj420p", "pc", ["scale=out_range=tv", "format=yuv420p"]],
  // Becomes the encoder's format by itself.
  ["gray", "pc", []],
])("brings full range of %s (%s) to the limited one, and says so", (pixelFormat, range, filters) => {
  const made = planRange({ pixelFormat, bitDepth: 8, colour: { ...UNTOLD, range } });
  expect(made).toEqual({ filters, findings: [expect.stringMatching(/full range .* becomes the limited one/)] });
});

it.each([
  ["yuv420p", "tv", 8],
  ["yuv420p", undefined, 8],
  ["yuv420p10le", "pc", 10],
  ["gbrp", "pc", 8],
] as const)("leaves %s of range %s in %i bits as it is", (pixelFormat, range, bitDepth) => {
  expect(planRange({ pixelFormat, bitDepth, colour: { ...UNTOLD, range } })).toEqual({ filters: [], findings: [] });
});
