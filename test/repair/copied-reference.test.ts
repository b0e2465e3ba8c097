import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cutAtShare } from "../e2e/recordings.fixture.ts";
import { reelmill } from "../e2e/workplace.fixture.ts";

/** Of a tone that stays as it is, packets may be like others; this one's pitch rises. */
const SOUND = "aevalsrc=0.125*sin(2*PI*(440+3*t)*t)+0.125*sin(2*PI*1760*t)*lt(mod(t\\,1)\\,0.04):s=48000:d=8";
const VICTIM = `-f lavfi -i testsrc2=s=160x96:r=30:d=8 -f lavfi -i ${SOUND} -c:v libx264 -preset veryfast`;

let folder: string;

function ffmpeg(args: string, name: string): string {
  const path = join(folder, name);
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...args.split(" "), path]);
  return path;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-copied-reference-"));
  const pictures = { plain: "-bf 0 -g 30", reordered: "-bf 3 -g 30" };
  for (const [name, args] of Object.entries(pictures)) {
    const whole = ffmpeg(`${VICTIM} ${args} -pix_fmt yuv420p -c:a aac`, `${name}.mp4`);
    writeFileSync(join(folder, `${name}.cut.mp4`), cutAtShare(readFileSync(whole), 0.8));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** When each packet of a stream is shown, in seconds, by what it holds. */
function shownTimes(path: string, stream: string): ReadonlyMap<string, number> {
  const entries = ["-show_packets", "-show_data_hash", "md5", "-show_entries", "packet=pts_time,data_hash"];
  const args = ["-v", "error", "-select_streams", stream, ...entries, "-of", "compact=p=0", path];
  const lines = execFileSync("ffprobe", args, { encoding: "utf8" }).split("\n");
  return new Map(
    lines.flatMap((line) => {
      const [, time, hash] = /pts_time=(-?[\d.]+)\|.*?data_hash=(\S+?)(?:\||$)/.exec(line) ?? [];
      return time === undefined || hash === undefined ? [] : [[hash, Number(time)] as const];
    }),
  );
}

it.each([
  ["plain", "hidden behind an edit list, back to the key picture", "-ss 3.5 -i plain.mp4 -t 3 -c copy"],
  ["reordered", "hidden so, of pictures in another order", "-ss 3.5 -i reordered.mp4 -t 3 -c copy"],
  ["reordered", "whole, and the end cut off between pictures in another order", "-i reordered.mp4 -t 3 -c copy"],
])(
  "%s pictures are shown from the first one on, in step, by a copy whose beginning is %s",
  async (name, _what, copy) => {
    const whole = join(folder, `${name}.mp4`);
    const reference = ffmpeg(copy.replace(`${name}.mp4`, whole), "reference.mp4");
    const output = join(folder, "output.mp4");
    rmSync(output, { force: true });
    const { status, error } = await reelmill([
      "repair",
      join(folder, `${name}.cut.mp4`),
      "-r",
      reference,
      "-o",
      output,
    ]);
    expect(status, error).toBe(0);
    for (const [stream, slackSeconds] of [
      ["v:0", 0.001],
      // What an encoder of sound needs to get going was cut off with the beginning.
      ["a:0", 0.025],
    ] as const) {
      const [right, found] = [shownTimes(whole, stream), shownTimes(output, stream)];
      expect(found.size).toBeGreaterThan(0.7 * right.size);
      for (const [hash, seconds] of found) {
        expect(Math.abs(seconds - (right.get(hash) ?? Number.NaN))).toBeLessThan(slackSeconds);
        expect(seconds).toBeGreaterThan(-0.05);
      }
    }
  },
);

it("is refused without the sound that the recording has, and the reason is told", async () => {
  const reference = ffmpeg(`-i ${join(folder, "plain.mp4")} -an -c copy`, "silent.mp4");
  const { status, error } = await reelmill(["repair", join(folder, "plain.cut.mp4"), "-r", reference]);
  expect([status, error]).toEqual([1, expect.stringContaining("Its sound must have the same settings, too")]);
});
