import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();

it("pictures of DV in AVI, of which no header says that they are interlaced, are de-interlaced in all rungs", async () => {
  const input = join(packages.root, "dv.avi");
  const fields = "testsrc2=s=720x576:r=50:d=1,tinterlace=interleave_bottom,fieldorder=bff";
  const coding = ["-pix_fmt", "yuv420p", "-c:v", "dvvideo"];
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-f", "lavfi", "-i", fields, ...coding, input]);
  const ladder = {
    rungs: [
      { height: 576, kbps: 4000 },
      { height: 288, kbps: 900 },
    ],
  };
  const { folder, main, failed, report } = await packages.make(input, { ladder, thumbnails: false });
  expect(failed).toEqual([]);
  expect(report.findings).toContain("The pictures were de-interlaced (bwdif), one for each.");
  const [largest] = main.variants.filter(({ resolution }) => resolution?.heightPixels === 576);
  const media = join(folder, largest?.uri ?? "", "..", "media.mp4");
  const filters = "idet,metadata=print:file=-";
  const seen = execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", media, "-vf", filters, "-f", "null", "-"]);
  expect(seen.toString().match(/^frame:/gm)).toHaveLength(25);
  expect(seen.toString().match(/multiple\.current_frame=[tb]ff/g)?.length ?? 0).toBeLessThan(6);
});
