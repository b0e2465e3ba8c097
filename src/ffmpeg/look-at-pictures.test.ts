import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { probeRecording } from "./probe-recording.ts";
import { requireFfmpeg } from "./programs.ts";
import type { FfmpegTools } from "./tools.ts";

let folder: string;
let tools: FfmpegTools;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-look-"));
  tools = await requireFfmpeg(process.env);
});
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

function ffmpeg(args: string): void {
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...args.split(" ")], { cwd: folder });
}

const video = async (name: string) => (await probeRecording(tools, at(name), new AbortController().signal)).video[0];

const WHOLE = "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -pix_fmt yuv420p";
const FIELDS = "-f lavfi -i testsrc2=s=160x120:r=50:d=2 -vf tinterlace=interleave_top,fieldorder=tff -pix_fmt yuv420p";

describe("whether pictures are interlaced", () => {
  it.each([
    ["dv.avi", "720x576:r=50", "yuv420p"],
    ["dv.dv", "720x576:r=50", "yuv420p"],
    ["ntsc.dv", "720x480:r=60000/1001", "yuv411p"],
  ])("is asked of DV's in %s", async (name, size, format) => {
    const fields = `testsrc2=s=${size}:d=0.2,tinterlace=interleave_bottom,fieldorder=bff`;
    ffmpeg(`-f lavfi -i ${fields} -pix_fmt ${format} -c:v dvvideo ${name}`);
    expect((await video(name))?.scan).toBe("interlaced");
  });

  it.each(["avi", "mp4", "mkv"])("is asked of those of MPEG-4 in %s", async (kind) => {
    ffmpeg(`${FIELDS} -c:v mpeg4 -flags +ildct+ilme fields.${kind}`);
    expect((await video(`fields.${kind}`))?.scan).toBe("interlaced");
    ffmpeg(`${WHOLE} -c:v mpeg4 whole.${kind}`);
    expect((await video(`whole.${kind}`))?.scan).toBe("progressive");
  });

  it.each([
    ["MPEG-2", "m2v", "mpeg2video -g 12", "-flags +ildct+ilme"],
    ["H.264", "h264", "libx264 -preset ultrafast -g 50", "-x264-params tff=1"],
  ])("is asked of those of %s further on", async (_, raw, codec, interlaced) => {
    ffmpeg(`${WHOLE} -c:v ${codec} whole.${raw}`);
    ffmpeg(`${FIELDS} -c:v ${codec} ${interlaced} fields.${raw}`);
    for (const [name, parts] of [
      ["whole", ["whole", "whole", "whole"]],
      ["late", ["whole", "whole", "fields"]],
      ["within", ["whole", "fields", "whole"]],
    ] as const) {
      writeFileSync(at(`joined.${raw}`), Buffer.concat(parts.map((part) => readFileSync(at(`${part}.${raw}`)))));
      for (const kind of ["ts", "mkv"]) {
        ffmpeg(`-fflags +genpts -r 25 -i joined.${raw} -c copy ${name}.${raw}.${kind}`);
        const wanted = name === "whole" ? "progressive" : "mixed";
        expect((await video(`${name}.${raw}.${kind}`))?.scan, `${name}, ${kind}`).toBe(wanted);
      }
      // Its length is a guess, or nobody knows it.
      if (name === "late") expect((await video(`joined.${raw}`))?.scan).toBe("mixed");
    }
  });
});

describe("whether pictures let something through", () => {
  it.each([
    ["opaque.gif", "format=rgb24", "gif", false],
    ["clear.gif", "format=rgba,pad=80:48:0:0:black@0", "gif", true],
    ["opaque.apng", "format=rgba", "apng", false],
    ["clear.apng", "format=rgba,colorchannelmixer=aa=0.5", "apng", true],
    ["opaque.mov", "format=yuva444p10le", "prores_ks", false],
    ["clear.mov", "format=rgba,colorchannelmixer=aa=0.5", "prores_ks -pix_fmt yuva444p10le", true],
    ["late.mov", "format=rgba,fade=out:40:5:alpha=1", "qtrle", true],
  ])("is asked of those of %s", async (name, filters, codec, wanted) => {
    const palette = codec === "gif" ? ",split[a][b];[a]palettegen[p];[b][p]paletteuse" : "";
    ffmpeg(`-f lavfi -i testsrc2=s=64x48:r=25:d=2,${filters}${palette} -c:v ${codec} ${name}`);
    expect(await video(name)).toMatchObject({ hasAlphaSamples: true, hasTransparency: wanted });
  });
});
