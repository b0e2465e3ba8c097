import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
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
    expect(report.findings).toContain("Left out: 2 pictures with times that do not rise.");
    expect(main.variants[0]?.framesPerSecond).toBeCloseTo(25, 0);
  });

  it("lacks any number of such pictures, also behind a change of size, where filters count anew", async () => {
    // Matroska counts milliseconds, and tells no time of decoding that ffmpeg would go by.
    const late = "setts=pts='if(eq(mod(N,3),2)*gt(N,10)*lt(N,370),PTS+410,PTS)':dts=DTS";
    const plain = packages.clip("many-plain.mp4", { seconds: 16, rate: "25", size: "160x90" }, ["-bf", "0"]);
    const many = join(packages.root, "many.mkv");
    // One change at a time: some versions of ffmpeg count the filter's ticks before the change of clocks, some behind it.
    const counted = join(packages.root, "many-plain.mkv");
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", plain, "-c", "copy", counted]);
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", counted, "-c", "copy", "-bsf:v", late, many]);
    const { report, failed } = await packages.make(many, { thumbnails: false });
    expect(failed).toEqual([]);
    expect(report.pictures).toBeLessThan(300);
    expect(report.findings.join(" ")).toMatch(/Left out: 1\d\d pictures/);

    const ahead = "setts=pts='if(eq(N,40)+eq(N,100),PTS+0.41/TB,PTS)':dts=DTS";
    const [small, large] = [
      ["160x120", "3", "null", "0"],
      ["240x180", "6", ahead, "3"],
    ].map(([size = "", seconds = "", times = "", start = ""]) => {
      const path = join(packages.root, `${size}.ts`);
      const clip = packages.clip(`${size}.mp4`, { seconds: Number(seconds), rate: "25", size }, ["-bf", "0"]);
      const copy = ["-c", "copy", "-bsf:v", times, "-output_ts_offset", start, path];
      execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", clip, ...copy]);
      return readFileSync(path);
    });
    const grown = join(packages.root, "grown.ts");
    writeFileSync(grown, Buffer.concat([small as Buffer, large as Buffer]));
    const changed = await packages.make(grown, { thumbnails: false });
    expect(changed.failed).toEqual([]);
    // Where the two meet, one picture follows the other by less than a picture's time.
    expect(changed.main.variants[0]?.framesPerSecond).toBeLessThan(100);
    expect(changed.report.pictures).toBeGreaterThanOrEqual(222);
  });

  it("is not made where the time that its end goes by is one of those that do not rise", async () => {
    const plain = packages.clip("far-plain.mp4", { seconds: 4, rate: "25", size: "160x90" }, ["-bf", "0"]);
    const path = join(packages.root, "far.mp4");
    const times = "setts=pts='if(eq(N,40),PTS+50.01/TB,PTS)':dts=DTS";
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", plain, "-c", "copy", "-bsf:v", times, path]);
    await expect(packages.make(path, { thumbnails: false })).rejects.toMatchObject({ code: "OUTPUT_NOT_VERIFIED" });
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
