import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();
const LADDER = { rungs: [180, 90].map((height) => ({ height, kbps: 2 * height })) };

/** The first picture of a rung, as ffprobe describes it. */
function firstPicture(folder: string, uri: string) {
  const path = join(folder, uri, "..", "media.mp4");
  const entries = ["-show_entries", "frame=pix_fmt,color_transfer,color_primaries,color_space:frame_side_data"];
  const text = execFileSync("ffprobe", ["-v", "error", "-read_intervals", "%+#1", ...entries, "-of", "json", path]);
  const { frames } = JSON.parse(text.toString()) as {
    readonly frames: readonly [Readonly<Record<string, unknown>> & { readonly side_data_list?: readonly object[] }];
  };
  return frames[0];
}

describe("rungs of a recording with high dynamic range", () => {
  it("keep it in HEVC, with what the mastering display was, and have standard range in H.264", async () => {
    const input = packages.source("hdr-hevc");
    const settings = { ladder: LADDER, codecs: ["h264", "hevc"] };
    const { folder, main, failed, report } = await packages.make(input, settings);
    expect(failed).toEqual([]);
    expect(report.findings).toContain(
      "HEVC rungs keep high dynamic range (10 bits); for h264 it was turned into BT.709 (hable).",
    );
    const rungs = main.variants.filter(({ resolution }) => resolution !== undefined);
    const high = rungs.filter(({ videoRange }) => videoRange === "PQ");
    const standard = rungs.filter(({ videoRange }) => videoRange === "SDR");
    expect([high.length, standard.length]).toEqual([2, 2]);
    for (const { uri, codecs } of high) {
      expect(codecs?.join()).toMatch(/hvc1\.2\./);
      const picture = firstPicture(folder, uri);
      expect(picture).toMatchObject({
        ...{ pix_fmt: "yuv420p10le", color_transfer: "smpte2084", color_primaries: "bt2020", color_space: "bt2020nc" },
      });
      expect(picture.side_data_list).toContainEqual(expect.objectContaining({ max_luminance: "10000000/10000" }));
      expect(picture.side_data_list).toContainEqual(expect.objectContaining({ max_content: 1000, max_average: 400 }));
    }
    for (const { uri, codecs } of standard) {
      expect(codecs?.join()).toMatch(/avc1/);
      expect(firstPicture(folder, uri)).toMatchObject({ pix_fmt: "yuv420p", color_transfer: "bt709" });
    }
  });

  it.each([
    [{ codecs: ["hevc"] }, /BT\.709 \(hable\); beside rungs of H\.264, those of HEVC would keep it/],
    [{ codecs: ["h264", "hevc"], hdr: "off" }, /turned into BT\.709 \(hable\)\./],
  ])("have standard range alone with %j", async (settings, finding) => {
    const input = packages.source("hdr-hevc");
    const { main, failed, report } = await packages.make(input, { ladder: LADDER, thumbnails: false, ...settings });
    expect(failed).toEqual([]);
    expect(report.findings.join(" ")).toMatch(finding);
    expect(new Set(main.variants.flatMap(({ resolution, videoRange }) => (resolution ? [videoRange] : [])))).toEqual(
      new Set(["SDR"]),
    );
  });
});
