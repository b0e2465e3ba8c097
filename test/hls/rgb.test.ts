import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { colourTags, middlePixel, tonedGreen } from "../support/pixels.ts";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();
const LADDER = { rungs: [180, 90].map((height) => ({ height, kbps: 2 * height })) };

/** Green of RGB in MKV. */
function green(name: string, codec: string, filters = ""): string {
  const path = join(packages.root, name);
  const pictures = ["-f", "lavfi", "-i", `color=c=0x00FF00:s=320x180:r=10:d=1${filters}`];
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...pictures, "-c:v", ...codec.split(" "), path]);
  return path;
}

function expectNear(path: string, wanted: readonly number[]): void {
  const pixel = middlePixel(path);
  for (const [index, value] of wanted.entries()) {
    expect(Math.abs((pixel[index] ?? 0) - value), `${path}: ${pixel}`).toBeLessThanOrEqual(2);
  }
}

it("pictures of red, green and blue become BT.709 in rungs of all codecs, and BT.601 in stills, which know nothing else", async () => {
  const input = green("rgb.mkv", "libx264rgb -preset ultrafast -pix_fmt rgb24");
  const settings = { ladder: LADDER, codecs: ["h264", "hevc", "av1"], preset: undefined, speed: "fast" };
  const { folder, main, failed, report } = await packages.make(input, { ...settings, preview: true });
  expect(failed).toEqual([]);
  expect(report.findings).toContain("The pictures are RGB (gbrp): the matrix of BT.709 made YUV of them.");
  const rungs = main.variants.filter(({ resolution }) => resolution !== undefined);
  expect(new Set(rungs.flatMap(({ codecs }) => codecs?.map((codec) => codec.slice(0, 4)) ?? []))).toEqual(
    new Set(["avc1", "hvc1", "av01"]),
  );
  const media = rungs.map(({ uri }) => join(folder, uri, "..", "media.mp4"));
  for (const path of [...media, join(folder, "preview", "preview.mp4")]) {
    expectNear(path, [173, 42, 26]);
    expect(colourTags(path), path).toEqual({ color_space: "bt709", color_primaries: "bt709", color_range: "tv" });
  }
  // JFIF: BT.601, full range.
  for (const path of ["poster.jpg", "thumbnails/sheet-001.jpg"]) expectNear(join(folder, path), [150, 44, 21]);
});

it("of high dynamic range, HEVC rungs have the matrix of BT.2020", async () => {
  const colours = "colorprim=bt2020:transfer=smpte2084:colormatrix=gbr";
  const input = green(
    "high.mkv",
    `libx265 -preset ultrafast -x265-params log-level=error:${colours} -pix_fmt gbrp10le`,
    ",format=gbrp10le,setparams=color_primaries=bt2020:color_trc=smpte2084",
  );
  const settings = { ladder: LADDER, codecs: ["h264", "hevc"], thumbnails: false };
  const { folder, main, failed } = await packages.make(input, settings);
  expect(failed).toEqual([]);
  for (const { uri, videoRange, resolution } of main.variants) {
    if (resolution === undefined) continue;
    const path = join(folder, uri, "..", "media.mp4");
    expectNear(path, videoRange === "PQ" ? [165, 47, 25] : tonedGreen(input));
    expect(colourTags(path)["color_space"]).toBe(videoRange === "PQ" ? "bt2020nc" : "bt709");
  }
});
