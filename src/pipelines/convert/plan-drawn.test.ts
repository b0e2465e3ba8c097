import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolder, plan } from "./plan.fixture.ts";

/** Hard edges that move. */
const DRAWN = "cellauto=s=320x180:r=10:rule=110:random_seed=7,scale=640:360:flags=neighbor";
const PLAIN = "-c:v libsvtav1 -crf 32 -g 240 -preset 6 -svtav1-params lp=1";
const SCREEN = "-c:v libsvtav1 -crf 46 -g 240 -preset 8 -svtav1-params lp=1:scm=1";

describe("fast AV1", () => {
  it.each([
    ["has tools for screens where pictures are drawn", DRAWN, {}, SCREEN],
    ["has none of them where pictures are smooth", "gradients=s=640x360:r=10:speed=0.02", {}, PLAIN],
    ["has none of them where hard edges would lose too much", "testsrc2=s=640x360:r=10", {}, PLAIN],
    ["has the preset that was asked for", DRAWN, { preset: "10" }, PLAIN.replace("preset 6", "preset 10")],
    ["has the quality that was asked for", DRAWN, { quality: 30 }, PLAIN],
  ])("%s", async (_what, picture, settings, wanted) => {
    const folder = makeFolder();
    const path = join(folder, "source.mp4");
    const source = ["-f", "lavfi", "-i", picture, "-t", "5", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "12"];
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...source, path]);
    const { video, findings } = await plan(path, { to: "av1", speed: "fast", ...settings }, folder);
    expect(video.kind === "encode" && video.encoder.arguments.join(" ")).toBe(wanted);
    const said = findings.filter((finding) =>
      /drawn.*: samples took [1-9]\d? % of the bytes, at 0\.00\d\d less SSIM\.$/.test(finding),
    );
    expect(said).toHaveLength(wanted.includes("scm") ? 1 : 0);
  });
});
