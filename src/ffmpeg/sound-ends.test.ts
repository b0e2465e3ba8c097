import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireFfmpeg } from "./programs.ts";
import { measureSounds } from "./sound-ends.ts";
import type { FfmpegTools } from "./tools.ts";

let folder: string;
let tools: FfmpegTools;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-sound-ends-"));
  tools = await requireFfmpeg(process.env);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the ends of sound", () => {
  it.each([
    ["as they are", "null", 0, 4],
    ["of a track that begins late", "setts=ts=TS+2/TB", 2, 6],
    ["with a pause", "setts=ts=TS+gte(N\\,50)*3/TB", 0, 7],
    ["but for packets alone that tell another week", "setts=pts=PTS+(eq(N\\,60)+eq(N\\,187))*600000/TB", 0, 4],
    ["of a single packet", "noise=amount=0:drop=gt(n\\,0)", 0, 0.02],
  ])("are told %s", async (_, filter, startSeconds, endSeconds) => {
    const path = join(folder, "sound.mkv");
    const sound = ["-f", "lavfi", "-i", "sine=r=48000:d=4", "-c:a", "aac"];
    const whole = join(folder, "whole.mkv");
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...sound, whole]);
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", "-i", whole, "-c", "copy", "-bsf:a", filter, path]);
    const ends = (await measureSounds(tools, path)).get(0);
    expect(Math.abs((ends?.startSeconds ?? Number.NaN) - startSeconds)).toBeLessThan(0.04);
    expect(Math.abs((ends?.endSeconds ?? Number.NaN) - endSeconds)).toBeLessThan(0.04);
  });
});
