import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireFfmpeg } from "./programs.ts";
import { chooseMetric, formatScore, type ScoredPictures, scorePictures } from "./score.ts";

let folder: string;
const { signal } = new AbortController();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-score-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function encode(name: string, crf: number): ScoredPictures {
  const path = join(folder, name);
  // The title looks like what ffmpeg prints of a score.
  const title = "title=[Parsed_ssim_0 @ 0x1] SSIM All:0.123";
  const source = "-v error -f lavfi -i testsrc2=s=160x90:r=10:d=2 -c:v libx264 -preset ultrafast".split(" ");
  execFileSync("ffmpeg", [...source, "-crf", String(crf), "-metadata", title, path]);
  return { path, options: [], streamIndex: 0, filters: [] };
}

describe("scorePictures", () => {
  it("tells by SSIM how near pictures are, and how many were compared", async () => {
    const tools = await requireFfmpeg(process.env);
    const [source, good, bad] = [encode("source.mp4", 1), encode("good.mp4", 20), encode("bad.mp4", 45)];
    const score = (made: ScoredPictures, of = source) => scorePictures(tools, "ssim", made, of, "yuv420p", signal);
    const [same, near, far] = [await score(source), await score(good), await score(bad)];
    expect(same).toEqual({ score: 1, pictures: 20 });
    expect(near.score).toBeLessThan(1);
    expect(far.score).toBeLessThan(near.score);
    expect(far.score).toBeGreaterThan(0.2);
    const half = { ...source, filters: ["trim=start=1"] };
    // What does not pair with its own picture is told by the number.
    expect((await score(source, half)).pictures).toBe(10);
    expect(await score({ ...good, filters: ["trim=start=1"] }, half)).toMatchObject({ pictures: 10 });
  });
});

describe("chooseMetric", () => {
  it.each([
    [["ssim", "xpsnr", "libvmaf"], "vmaf"],
    [["ssim", "xpsnr"], "xpsnr"],
    [["ssim", "vmafmotion"], "ssim"],
  ])("of %j takes %s", (filters, metric) => {
    expect(chooseMetric(new Set(filters))).toBe(metric);
  });

  it("says which filters are missing", () => {
    expect(() => chooseMetric(new Set())).toThrow(/libvmaf, xpsnr and ssim/);
  });
});

it.each([
  ["ssim", 0.98, "SSIM 0.9800"],
  ["vmaf", 95.123, "VMAF 95.12"],
  ["xpsnr", 41, "XPSNR 41.00 dB"],
] as const)("writes a score of %s for people", (metric, score, text) => {
  expect(formatScore(metric, score)).toBe(text);
});
