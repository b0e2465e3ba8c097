import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { reelmill } from "../e2e/workplace.fixture.ts";
import { makeChanging, squareAspect } from "../support/changing-shape.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-changing-shape-"));
const VP8 = "libvpx -deadline realtime -cpu-used 8 -b:v 1M";
const H264 = "libx264 -preset ultrafast -g 5";
const MPEG2 = "mpeg2video -q:v 3 -g 5";
const SHAPE =
  "The pictures change their shape on the way: those of another than the first ones' stand between black bars.";
const LANDSCAPE = { width: 320, height: 180, aspect: 1, square: 100 };
const PORTRAIT = { width: 180, height: 320, aspect: 1, square: 100 };

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function convert(name: string, path: string, ...switches: readonly string[]) {
  const output = join(folder, `${name}-${switches.length}.mp4`);
  const args = ["convert", path, "--to", "h264", "--reencode", "--preset", "ultrafast", ...switches, "-o", output];
  const { status, output: said, error } = await reelmill(args);
  expect({ status, error }).toEqual({ status: 0, error: "" });
  return { output, said };
}

function expectSquares(output: string): void {
  for (const seconds of [0.5, 1.5])
    expect(Math.abs(squareAspect(output, seconds) - 1), `at ${seconds} s`).toBeLessThan(0.08);
}

it.each([
  ["turned.webm", VP8, [LANDSCAPE, PORTRAIT], []],
  ["turned.ts", H264, [PORTRAIT, LANDSCAPE], []],
  ["back.ts", H264, [LANDSCAPE, PORTRAIT], ["--width", "160"]],
] as const)(
  "%s (%s) keeps squares square where the pictures change their shape, and says so",
  async (name, codec, stretches, switches) => {
    const { output, said } = await convert(name, makeChanging(folder, name, codec, stretches), ...switches);
    expectSquares(output);
    expect(said).toContain(SHAPE);
  },
);

it("keeps squares square where the shape of samples alone changes, as far as ffmpeg tells filters of it", async () => {
  const path = makeChanging(folder, "wider.ts", MPEG2, [
    { width: 360, height: 288, aspect: 16 / 15, square: 80 },
    { width: 360, height: 288, aspect: 64 / 45, square: 80 },
  ]);
  const shown = spawnSync("ffmpeg", ["-nostdin", "-i", path, "-vf", "showinfo", "-f", "null", "-"], {
    encoding: "utf8",
  });
  const aspects = new Set(shown.stderr.match(/ sar:\S+/g));
  const { output, said } = await convert("wider", path);
  expect(squareAspect(output, 0.5)).toBeCloseTo(1, 1);
  // Since some version behind 5.1, ffmpeg gives all pictures the shape that the first ones have.
  expect(said.includes(SHAPE)).toBe(aspects.size === 2);
  if (aspects.size === 2) expectSquares(output);
});

it("says that the pictures change their size where their shape stays", async () => {
  const larger = { width: 640, height: 360, aspect: 1, square: 200 };
  const { output, said } = await convert("larger", makeChanging(folder, "larger.webm", VP8, [LANDSCAPE, larger]));
  expectSquares(output);
  expect(said).toContain("The pictures change their size on the way: all got that of the first ones.");
});

it("says nothing where nothing changes", async () => {
  const { said } = await convert("steady", makeChanging(folder, "steady.ts", MPEG2, [LANDSCAPE, LANDSCAPE]));
  expect(said).not.toContain("on the way");
});
