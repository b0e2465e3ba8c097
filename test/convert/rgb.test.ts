import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { detectFeatures } from "../../src/ffmpeg/features.ts";
import { requireFfmpeg } from "../../src/ffmpeg/programs.ts";
import { chooseMetric } from "../../src/ffmpeg/score.ts";
import { reelmill } from "../e2e/workplace.fixture.ts";
import { colourTags, middlePixel, tonedGreen } from "../support/pixels.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-rgb-"));
const at = (name: string): string => join(folder, name);
const GREEN = "color=c=0x00FF00:s=320x180:r=10:d=0.5";
/** Pure green in limited range; by BT.601 it would be 145, 54, 34. */
const BT709_GREEN = [173, 42, 26];
const BT2020_GREEN = [165, 47, 25];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Makes a recording of one colour, converts it, and gives what the result shows and says. */
async function convert(name: string, graph: string, codec: string, to: string, ...switches: string[]) {
  const [source, output] = [at(name), at(`${name}-${to}.${/vp9|av1/.test(to) ? "webm" : "mp4"}`)];
  const inputs = ["-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i", graph, "-c:v", ...codec.split(" ")];
  execFileSync("ffmpeg", [...inputs, source]);
  const args = ["convert", source, "--to", to, "--speed", "fast", ...switches, "-o", output];
  const { status, output: said, error } = await reelmill(args);
  expect({ status, error }).toEqual({ status: 0, error: "" });
  return { said, pixel: middlePixel(output), tags: colourTags(output) };
}

function expectNear(pixel: readonly number[], wanted: readonly number[]): void {
  for (const [index, value] of wanted.entries()) {
    expect(Math.abs((pixel[index] ?? 0) - value), `${pixel}, not ${wanted}`).toBeLessThanOrEqual(2);
  }
}

describe("pictures of red, green and blue", () => {
  const bt709 = { color_space: "bt709", color_primaries: "bt709", color_range: "tv" };

  it.each(["h264", "hevc", "vp9", "av1"])("become BT.709 as %s, and say so", async (to) => {
    const made = await convert(`${to}.mkv`, `${GREEN},format=gbrp`, "libx264rgb -preset ultrafast", to);
    expectNear(made.pixel, BT709_GREEN);
    expect(made.tags).toEqual(bt709);
    expect(made.said).toContain("The pictures are RGB (gbrp): the matrix of BT.709 made YUV of them.");
    expect(made.said).not.toContain("warning");
  });

  it("become BT.709 where they come with a palette", async () => {
    const made = await convert("palette.mov", `${GREEN},format=rgb24`, "qtrle -pix_fmt rgb24", "h264");
    expectNear(made.pixel, BT709_GREEN);
    const palette = await convert("palette.mkv", `${GREEN},format=rgb24`, "png -pix_fmt pal8", "h264");
    expect(palette.said).toContain("RGB (pal8)");
    expectNear(palette.pixel, BT709_GREEN);
  });

  it("become BT.709 before anything else is done to them", async () => {
    const switches = ["--width", "100", "--deinterlace", "on", "--frame-rate", "5", "--score"];
    const made = await convert("filtered.mkv", `${GREEN},format=bgr0`, "ffv1", "h264", ...switches);
    expectNear(made.pixel, BT709_GREEN);
    expect(made.tags).toEqual(bt709);
    const { filters } = await detectFeatures(await requireFfmpeg(process.env));
    expect(made.said).toMatch(
      chooseMetric(filters) === "ssim" ? /score passed: SSIM 0\.99/ : /score passed: XPSNR 100/,
    );
  });

  const high = `${GREEN},format=gbrp10le,setparams=color_primaries=bt2020:color_trc=smpte2084`;
  const pq =
    "libx265 -preset ultrafast -x265-params log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=gbr";

  it("keep high dynamic range, by the matrix of BT.2020", async () => {
    const { pixel, tags } = await convert("high.mkv", high, pq, "hevc");
    expectNear(pixel, BT2020_GREEN);
    expect(tags).toEqual({
      ...{ color_space: "bt2020nc", color_transfer: "smpte2084", color_primaries: "bt2020", color_range: "tv" },
    });
  });

  it("are toned as they would be without the way over YUV", async () => {
    const { pixel, tags } = await convert("toned.mkv", high, pq, "h264", "--tone-map");
    expectNear(pixel, tonedGreen(at("toned.mkv")));
    expect(tags).toMatchObject({ ...bt709, color_transfer: "bt709" });
  });

  it("keep the transfer that they tell", async () => {
    const codec = "libx264rgb -preset ultrafast -x264-params transfer=iec61966-2-1";
    const { tags } = await convert("srgb.mkv", `${GREEN},format=gbrp`, codec, "h264");
    expect(tags).toEqual({ ...bt709, color_transfer: "iec61966-2-1" });
  });
});

describe("grey, and YUV that says nothing of its colours", () => {
  it.each([
    ["gray", [145, 128, 128]],
    ["yuv420p", [145, 54, 34]],
  ])("stay as they are: %s", async (pixelFormat, wanted) => {
    const made = await convert(`${pixelFormat}.mkv`, `${GREEN},format=rgb24,format=${pixelFormat}`, "ffv1", "h264");
    expectNear(made.pixel, wanted);
    expect(made.said).not.toContain("matrix");
    expect(made.tags["color_space"]).toBeUndefined();
  });
});
