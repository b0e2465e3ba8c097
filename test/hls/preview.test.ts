import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requireFfmpeg } from "../../src/ffmpeg/programs.ts";
import { createFragmentTable } from "../../src/media/isobmff/index-fragments.ts";
import { planLadder } from "../../src/pipelines/hls/ladder.ts";
import type { PreviewPlan } from "../../src/pipelines/hls/packaging.ts";
import { previewPieces, readWebpAnimation, writePreview } from "../../src/pipelines/hls/preview.ts";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();

/** The only stream's kind and size, and how many pictures it has. */
function framesOf(path: string): string {
  const entries = ["-count_frames", "-show_entries", "stream=codec_type,width,height,nb_read_frames"];
  return execFileSync("ffprobe", ["-v", "error", ...entries, "-of", "csv=p=0", path], { encoding: "utf8" }).trim();
}

describe("a preview", () => {
  it("shows pieces from all over the recording, without sound, as MP4 and as a WebP that repeats", async () => {
    const input = packages.clip("nine.mp4", { seconds: 9, rate: "25", size: "640x360" });
    const { folder, failed } = await packages.make(input, { preview: true, thumbnails: false });
    expect(failed).toEqual([]);
    expect(framesOf(join(folder, "preview", "preview.mp4"))).toBe("video,320,180,48");
    const animation = readWebpAnimation(readFileSync(join(folder, "preview", "preview.webp")));
    expect(animation?.pictures).toBe(48);
  });

  it.each([
    ["few pictures a second", "testsrc2=s=320x180:r=3:d=12", 10, 48],
    ["five pictures a second", "testsrc2=s=320x180:r=5:d=12", 10, 48],
    ["one picture that lasts for 10 s", "testsrc2=s=320x180:r=1/10:d=10", 10, 48],
    ["nothing new for 18 s", "testsrc2=s=320x180:r=25:d=2,setpts=PTS+gte(N\\,25)*18/TB", 10, 48],
    ["all of 2 s", "testsrc2=s=320x180:r=25:d=2", 2, 32],
  ])("lasts as long as planned where the recording shows %s", async (name, pictures, soundSeconds, count) => {
    const input = packages.encode(`${name}.mp4`, pictures, ["-f", "lavfi", "-i", `sine=d=${soundSeconds}`]);
    const { folder, report } = await packages.make(input, { preview: true, thumbnails: false });
    expect(report.findings.join(" ")).not.toContain("preview");
    expect(framesOf(join(folder, "preview", "preview.mp4"))).toBe(`video,320,180,${count}`);
    expect(readWebpAnimation(readFileSync(join(folder, "preview", "preview.webp")))).toBeDefined();
  });

  it("that cannot be made is a finding, and a package is made all the same; but what is cancelled stays so", async () => {
    const folder = mkdtempSync(join(packages.root, "none-"));
    const path = join(folder, "no-pictures.mp4");
    writeFileSync(path, "no pictures");
    const [rung] = planLadder({ widthPixels: 320, heightPixels: 180, sampleAspect: 1 });
    if (rung === undefined) throw new Error("There is no rung.");
    const tools = await requireFfmpeg(process.env);
    const plan: PreviewPlan = {
      encoder: { codec: "h264", name: "libx264", preset: "ultrafast", device: null, fallback: null },
      hasWebp: true,
    };
    const rungs = [{ rung, path, index: { initializationBytes: 0, timescale: 1, fragments: createFragmentTable() } }];
    const write = (signal: AbortSignal) => writePreview(plan, rungs, folder, 10, { tools, signal });
    expect(await write(new AbortController().signal)).toEqual([expect.stringMatching(/^There is no preview: ffmpeg/)]);
    expect(existsSync(join(folder, "preview"))).toBe(false);
    await expect(write(AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("may be of one picture that stands still", async () => {
    const input = join(packages.root, "still.mp4");
    const still = ["-f", "lavfi", "-i", "color=gray:s=160x90:r=10:d=4", "-f", "lavfi", "-i", "sine=d=4"];
    const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"];
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...still, ...codecs, input]);
    const { folder } = await packages.make(input, { preview: true, thumbnails: false });
    expect(readWebpAnimation(readFileSync(join(folder, "preview", "preview.webp")))?.pictures).toBe(1);
  });

  it("is left out where nobody asks for it", async () => {
    const { folder } = await packages.make(packages.source("no-audio"), { thumbnails: false });
    expect(existsSync(join(folder, "preview"))).toBe(false);
  });

  it("has pieces within the recording, in order, none twice", () => {
    expect(previewPieces(2)).toEqual([{ startSeconds: 0, pictures: 32, framesPerSecond: 16 }]);
    for (const seconds of [3.01, 60, 7200]) {
      const pieces = previewPieces(seconds);
      expect(pieces).toHaveLength(6);
      for (const [index, { startSeconds, pictures, framesPerSecond }] of pieces.entries()) {
        expect(startSeconds).toBeGreaterThanOrEqual(0);
        expect(startSeconds + pictures / framesPerSecond).toBeLessThanOrEqual(
          pieces[index + 1]?.startSeconds ?? seconds,
        );
      }
    }
  });

  it("that is cut short, or does not repeat, is not taken for one", () => {
    const chunk = (name: string, body: readonly number[]) => [...Buffer.from(name), body.length, 0, 0, 0, ...body];
    const file = (chunks: readonly number[]) =>
      Uint8Array.from([...Buffer.from("RIFF"), chunks.length + 4, 0, 0, 0, ...Buffer.from("WEBP"), ...chunks]);
    const picture = [...Array(12).fill(0), 66, 1, 0, 0];
    const pictures = [...chunk("ANMF", picture), ...chunk("ANMF", picture)];
    const whole = file([...chunk("ANIM", [0, 0, 0, 0, 0, 0]), ...pictures]);
    expect(readWebpAnimation(whole)).toEqual({ pictures: 2, seconds: 0.644 });
    expect(readWebpAnimation(whole.subarray(0, whole.length - 2))).toBeUndefined();
    expect(readWebpAnimation(file([...chunk("ANIM", [0, 0, 0, 0, 1, 0]), ...pictures]))).toBeUndefined();
    expect(readWebpAnimation(file(pictures))).toBeUndefined();
  });
});
