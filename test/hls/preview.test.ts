import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { previewPieces, readWebpAnimation } from "../../src/pipelines/hls/preview.ts";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();

describe("a preview", () => {
  it("shows pieces from all over the recording, without sound, as MP4 and as a WebP that repeats", async () => {
    const input = packages.clip("nine.mp4", { seconds: 9, rate: "25", size: "640x360" });
    const { folder, failed } = await packages.make(input, { preview: true, thumbnails: false });
    expect(failed).toEqual([]);
    const mp4 = join(folder, "preview", "preview.mp4");
    const entries = ["-count_frames", "-show_entries", "stream=codec_type,width,height,nb_read_frames"];
    const text = execFileSync("ffprobe", ["-v", "error", ...entries, "-of", "csv=p=0", mp4], { encoding: "utf8" });
    const [, count] = /^video,320,180,(\d+)$/.exec(text.trim()) ?? [];
    // Half a second of 25 pictures per second is one of 12 or 13.
    expect(Math.abs(Number(count) - 46)).toBeLessThanOrEqual(2);
    const animation = readWebpAnimation(readFileSync(join(folder, "preview", "preview.webp")));
    expect(animation?.pictures).toBe(Number(count));
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
    expect(previewPieces(2)).toEqual([{ startSeconds: 0, lengthSeconds: 2 }]);
    for (const seconds of [3.01, 60, 7200]) {
      const pieces = previewPieces(seconds);
      expect(pieces).toHaveLength(6);
      for (const [index, { startSeconds, lengthSeconds }] of pieces.entries()) {
        expect(startSeconds).toBeGreaterThanOrEqual(0);
        expect(startSeconds + lengthSeconds).toBeLessThanOrEqual(pieces[index + 1]?.startSeconds ?? seconds);
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
