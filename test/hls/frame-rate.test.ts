import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();

/** Some seconds of pictures at times of their own. */
function clip(name: string, rate: string, setpts: string): string {
  return packages.encode(`${name}.mp4`, `testsrc2=s=160x90:r=${rate}:d=4,settb=1/90000,setpts='${setpts}'`);
}

/** The same as a transport stream. */
function streamOf(source: string): string {
  const path = join(packages.root, "clip.ts");
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", source, "-c", "copy", path]);
  return path;
}

describe("the FRAME-RATE of a package", () => {
  it.each([
    ["one interval is a tick", () => clip("tick", "30", "PTS-if(eq(N,40),2999,0)"), 30],
    ["60 pictures a second tremble", () => clip("sixty", "60", "PTS+mod(N*N*7919,700)"), 60],
    ["30 pictures a second tremble", () => clip("thirty", "30", "PTS+mod(N*N*7919,500)"), 30],
    ["one interval is short in a transport stream", () => streamOf(clip("join", "25", "PTS-if(eq(N,40),1920,0)")), 25],
    ["they are half as many at first", () => clip("faster", "50", "if(lt(N,50),2*N,N+50)*1800"), 50],
    ["they are constant", () => clip("constant", "30000/1001", "PTS"), 29.97],
    ["they are constant and fast", () => clip("fast", "60000/1001", "PTS"), 59.94],
  ])("is the most pictures of any second: %s", async (_what, source, framesPerSecond) => {
    const { main, failed } = await packages.make(source(), { thumbnails: false });
    expect(failed).toEqual([]);
    expect(new Set(main.variants.map((variant) => variant.framesPerSecond))).toEqual(new Set([framesPerSecond]));
  });
});
