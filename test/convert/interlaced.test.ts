import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { convertFile } from "../../src/pipelines/convert/convert-file.ts";
import { CONVERT_SETTINGS } from "../../src/pipelines/convert/options.ts";

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-interlaced-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function ffmpeg(args: string): string {
  const words = ["-nostdin", "-v", "error", "-y", ...args.split(" ")];
  return execFileSync("ffmpeg", words, { cwd: folder, encoding: "utf8" });
}

/** So many pictures that look as if they were made of two fields. */
function countCombed(name: string): number {
  const shown = ffmpeg(`-i ${name} -vf idet,metadata=print:file=- -f null -`);
  return shown.match(/multiple\.current_frame=[tb]ff/g)?.length ?? 0;
}

const hashes = (name: string, filter = "null"): readonly string[] =>
  ffmpeg(`-i ${name} -map 0:v -vf ${filter} -pix_fmt yuv420p -f framemd5 -`)
    .split("\n")
    .filter((line) => line.startsWith("0,"))
    .map((line) => line.split(",").at(-1) ?? "");

async function convert(input: string, output: string) {
  const { spans, findings, checks } = await convertFile({
    input: at(input),
    output: at(output),
    // Lossless, so that what passes as it is comes out as it is.
    settings: CONVERT_SETTINGS.parse({ to: "h264", quality: 0, preset: "ultrafast", hardware: "off" }),
    environment: process.env,
    cores: 2,
    minSpanSeconds: 0.7,
    clock: systemClock,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  return { spans, findings, passed: checks.filter(({ status }) => status === "passed").map(({ name }) => name) };
}

const WHOLE = "-f lavfi -i testsrc2=s=160x120:r=25:d=1 -pix_fmt yuv420p";
const FIELDS = "-f lavfi -i testsrc2=s=720x576:r=50:d=1 -vf tinterlace=interleave_top,fieldorder=tff -pix_fmt yuv420p";

it.each([
  ["dv.avi", "-c:v dvvideo"],
  ["dv.dv", "-c:v dvvideo"],
  ["mpeg4.avi", "-c:v mpeg4 -q:v 2 -flags +ildct+ilme"],
])("de-interlaces %s, of which no header says so", async (name, codec) => {
  ffmpeg(
    `${name.startsWith("dv") ? FIELDS.replaceAll("tff", "bff").replace("_top", "_bottom") : FIELDS} ${codec} ${name}`,
  );
  expect(countCombed(name)).toBeGreaterThan(20);
  const { findings, passed } = await convert(name, `${name}.mp4`);
  expect(findings).toContain("The pictures were de-interlaced (bwdif), one for each.");
  expect(passed).toEqual(expect.arrayContaining(["pictures", "times"]));
  expect(countCombed(`${name}.mp4`)).toBeLessThan(6);
});

it.each([
  ["m2v", "mpeg2video -q:v 2 -g 12", "-flags +ildct+ilme"],
  ["h264", "libx264 -preset ultrafast -g 25", "-x264-params tff=1"],
])(
  "de-interlaces interlaced pictures alone of a broadcast that begins with others (%s)",
  async (raw, codec, fields) => {
    ffmpeg(`${WHOLE} -c:v ${codec} whole.${raw}`);
    ffmpeg(`${FIELDS.replace("720x576", "160x120")} -c:v ${codec} ${fields} fields.${raw}`);
    const parts = ["whole", "fields", "fields"].map((part) => readFileSync(at(`${part}.${raw}`)));
    writeFileSync(at(`joined.${raw}`), Buffer.concat(parts));
    const name = `${raw}.ts`;
    ffmpeg(`-fflags +genpts -r 25 -i joined.${raw} -c copy ${name}`);
    const { spans, findings, passed } = await convert(name, `${raw}.mp4`);
    expect(spans).toBeGreaterThan(1);
    expect(findings).toContain("Some pictures are interlaced: these were de-interlaced (bwdif), one for each.");
    expect(passed).toEqual(expect.arrayContaining(["pictures", "times"]));
    const [before, after] = [hashes(name), hashes(`${raw}.mp4`)];
    expect(after).toEqual(hashes(name, "bwdif=mode=send_frame:deint=interlaced"));
    const changed = before.flatMap((hash, index) => (hash === after[index] ? [] : [index]));
    expect([changed[0], changed.length]).toEqual([25, before.length - 25]);
  },
);
