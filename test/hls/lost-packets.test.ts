import { execFileSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { dropTransportPackets } from "../support/lose-packets.ts";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();
const whole = join(packages.root, "whole.ts");
const PICTURES = 300;
/** Pictures from one key picture to the next. */
const GROUP = 100;

beforeAll(() => {
  const inputs = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=12", "-f", "lavfi", "-i", "sine=d=12"];
  const codecs = ["-c:v", "libx264", "-preset", "veryfast", "-g", String(GROUP), "-sc_threshold", "0"];
  const rest = ["-pix_fmt", "yuv420p", "-c:a", "aac"];
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...inputs, ...codecs, ...rest, whole]);
});

describe("a package of a capture", () => {
  it.each([0.06, 0.16, 0.26])(
    "that begins in the middle of a group, %d of it gone, begins with its first key picture",
    async (share) => {
      const path = join(packages.root, `late-${share}.ts`);
      copyFileSync(whole, path);
      dropTransportPackets(path, 0, share);
      const { report, failed } = await packages.make(path, { thumbnails: false });
      expect({ pictures: report.pictures, failed }).toEqual({ pictures: PICTURES - GROUP, failed: [] });
      expect(report.findings.join(" ")).toMatch(/pictures? could not be decoded from the source/);
    },
  );

  it.each([0.45, 0.55])("that lost its signal from %d of it on lacks what was lost", async (share) => {
    const path = join(packages.root, `hole-${share}.ts`);
    copyFileSync(whole, path);
    dropTransportPackets(path, share, share + 0.03);
    const { report, failed, main } = await packages.make(path, { thumbnails: false });
    expect(failed).toEqual([]);
    expect(report.pictures).toBeGreaterThan(PICTURES - GROUP);
    expect(report.pictures).toBeLessThan(PICTURES);
    expect(main.variants[0]?.framesPerSecond).toBeCloseTo(25, 1);
  });

  it("lacks pictures whose times do not rise, and no other, and says so", async () => {
    const path = join(packages.root, "ahead.mp4");
    const plain = packages.clip("plain.mp4", { seconds: 6, rate: "25", size: "320x180" }, ["-bf", "0"]);
    // One picture has a time 0.41 s ahead of those around it, and the last two, by the making, the same.
    const times = "setts=pts='if(eq(N,40),PTS+0.41/TB,PTS)':dts=DTS";
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", plain, "-c", "copy", "-bsf:v", times, path]);
    const { report, failed, main } = await packages.make(path, { thumbnails: false });
    expect({ pictures: report.pictures, failed }).toEqual({ pictures: 148, failed: [] });
    expect(report.findings).toContain("2 pictures had times that do not rise, and were left out.");
    expect(main.variants[0]?.framesPerSecond).toBeCloseTo(25, 0);
  });

  it.each([
    ["gets a time that no packet tells", 0.35, 0.55],
    ["gets times that fall back", 0.45, 0.7],
  ])("that lost its signal, behind which a picture %s, shows the others at their own", async (_what, from, to) => {
    const path = join(packages.root, `disorder-${from}.ts`);
    const source = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=10", "-f", "lavfi", "-i", "sine=d=10"];
    const codecs = ["-c:v", "libx264", "-preset", "veryfast", "-threads", "1", "-bf", "3", "-g", "50", "-c:a", "aac"];
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...source, ...codecs, path]);
    dropTransportPackets(path, from, to);
    const { failed, main } = await packages.make(path, { thumbnails: false });
    // The hole is longer than groups of pictures are to be.
    expect(failed.filter((id) => id !== "key-frame-interval")).toEqual([]);
    expect(main.variants[0]?.framesPerSecond).toBeCloseTo(25, 1);
  });
});
