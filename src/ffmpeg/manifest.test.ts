import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { depthOf, type MediaManifest, probeManifest } from "./manifest.ts";
import { requireFfmpeg } from "./programs.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-manifest-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What is told of a moment of pictures and sound that ffmpeg writes with further arguments. */
async function manifestOf(name: string, ...args: readonly string[]): Promise<MediaManifest> {
  const pictures = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=5:d=1"];
  const sound = ["-f", "lavfi", "-i", "sine=d=1"];
  const path = join(folder, name);
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...pictures, ...sound, ...args, "-c:a", "aac", path]);
  return await probeManifest(await requireFfmpeg(process.env), path);
}

it.each(["mp4", "mov", "mkv"])("counts chapters of %s, and their names as no other stream", async (kind) => {
  const list = join(folder, "chapters.txt");
  const chapter = (from: number): string =>
    `[CHAPTER]\nTIMEBASE=1/10\nSTART=${from}\nEND=${from + 5}\ntitle=From ${from}\n`;
  writeFileSync(list, `;FFMETADATA1\n${chapter(0)}${chapter(5)}`);
  const chapters = ["-i", list, "-map", "0", "-map", "1", "-map_chapters", "2"];
  expect(await manifestOf(`chapters.${kind}`, ...chapters)).toMatchObject({ chapterCount: 2, otherStreamCount: 0 });
});

it("counts streams of data that are no names of chapters", async () => {
  const clock = ["-timecode", "01:00:00:00", "-r", "25"];
  expect((await manifestOf("clock.mov", ...clock)).otherStreamCount).toBe(1);
});

it.each([
  ["SoundHandler", undefined],
  ["SoundHandle", undefined],
  ["Core Media Audio", undefined],
  ["Apple Sound Media Handler", undefined],
  ["GoPro AAC  ", undefined],
  ["ISO Media file produced by Google Inc.", undefined],
  ["Director", "Director"],
  [" Kommentar: Die Handlung ", "Kommentar: Die Handlung"],
])("reads the name of a track in MP4 that says %s", async (handler, title) => {
  const { audio } = await manifestOf(`${handler}.mp4`, "-metadata:s:a:0", `handler_name=${handler}`);
  expect(audio[0]?.title).toBe(title);
});

it.each([
  [8, "yuv420p yuvj420p nv12 rgb24 bgra gray pal8 gbrp yuva444p rgb565le monob 0rgb uyvy422"],
  [10, "yuv420p10le yuv444p9be p010le p210be gray10le gbrp10le x2rgb10le x2bgr10be y210le yuva422p10le"],
  [12, "yuv420p12le gbrap12be gray12le xyz12le"],
  [
    16,
    "yuv420p16le gray16be p016le rgb48le bgr48be rgba64le ayuv64le gbrp16le gbrp14be ya16le bayer_rggb16le gbrpf32le grayf32be",
  ],
] as const)("takes %d bits for those of %s", (depth, formats) => {
  for (const format of formats.split(" ")) expect(depthOf(format), format).toBe(depth);
});
