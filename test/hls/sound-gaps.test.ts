import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();
const RATE = 48_000;
const SECONDS = 8;

/** A click each second, a quarter behind the full one. */
function clicks(): string {
  const path = join(packages.root, "clicks.mkv");
  const click = "if(lt(mod(t+0.75,1),0.01),0.8*sin(2*PI*1000*t),0.02*sin(2*PI*220*t))";
  const sound = ["-f", "lavfi", "-i", `aevalsrc='${click}':s=${RATE}:d=${SECONDS}`];
  const pictures = ["-f", "lavfi", "-i", `testsrc2=s=160x90:r=10:d=${SECONDS}`];
  run([...pictures, ...sound, ...["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", path]]);
  return path;
}

function run(args: readonly string[]): Buffer {
  const all = ["-v", "error", "-nostdin", "-y", ...args];
  return execFileSync("ffmpeg", all, { maxBuffer: 1 << 26 });
}

/** The clip as it is read where its packets of sound went through a bitstream filter. */
function filtered(source: string, name: string, filter: string): string {
  const path = join(packages.root, name);
  run(["-i", source, "-c", "copy", "-bsf:a", filter, path]);
  return path;
}

/** The first sample above half of the loudness, of each second, in seconds. */
async function clickSeconds(input: string): Promise<readonly number[]> {
  const { folder, failed, main } = await packages.make(input, { thumbnails: false });
  expect(failed).toEqual([]);
  const [sound] = main.renditions.filter(({ type }) => type === "AUDIO");
  const media = join(folder, sound?.uri ?? "", "..", "media.mp4");
  const bytes = run(["-i", media, "-ac", "1", "-f", "s16le", "pipe:1"]);
  const found: number[] = [];
  for (let index = 0; index < bytes.length >> 1; index++) {
    const isLoud = Math.abs(bytes.readInt16LE(2 * index)) > 8000;
    if (isLoud && index / RATE - (found.at(-1) ?? -1) > 0.5) found.push(index / RATE);
  }
  return found;
}

describe("sound of a package", () => {
  it("is silent where the recording's does not decode, and the report says so", async () => {
    const noise = "noise=amount='if(between(n,110,140),2,0)'";
    const { report, failed } = await packages.make(filtered(clicks(), "garbled.mkv", noise), { thumbnails: false });
    expect(failed).toEqual([]);
    expect(report.findings).toContain("Some of sound track 0 does not decode: there is silence in its place.");
    const whole = await packages.make(clicks(), { thumbnails: false });
    expect(whole.report.findings.join()).not.toMatch(/decode/);
  });

  it("stays within a millisecond of the pictures where its clock runs slower than theirs", async () => {
    const source = clicks();
    const wanted = await clickSeconds(source);
    const found = await clickSeconds(filtered(source, "slow.mkv", "setts=ts=TS*1.0005"));
    expect(found).toHaveLength(SECONDS);
    const off = found.map((seconds, index) => Math.abs(seconds - (wanted[index] as number) * 1.0005));
    expect(Math.max(...off)).toBeLessThan(0.001);
  });

  it("stays within a millisecond of the pictures behind packets that were lost, and is not cut where one has a wrong time", async () => {
    const source = clicks();
    const wanted = await clickSeconds(source);
    expect(wanted).toHaveLength(SECONDS);
    const expectSame = (found: readonly number[]): void => {
      expect(found).toHaveLength(SECONDS);
      for (const [index, at] of found.entries()) expect(Math.abs(at - (wanted[index] ?? 0))).toBeLessThan(0.001);
    };
    // Three frames of 21 ms behind the second click, one behind the fifth.
    const lost = "noise=amount=0:drop='between(n,110,112)+eq(n,250)'";
    expectSame(await clickSeconds(filtered(source, "lost.mkv", lost)));
    // As of packets that were put together wrongly: one tells the time of the next one, one that of another week.
    const astray = "setts=pts='PTS+if(eq(N,119),0.035/TB,0)+if(eq(N,250),600000/TB,0)'";
    expectSame(await clickSeconds(filtered(source, "astray.mkv", astray)));
  });
});
