import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { requireFfmpeg } from "../../src/ffmpeg/programs.ts";
import { CONVERT_SETTINGS, convertFile } from "../../src/pipelines/convert/index.ts";

let folder: string;
let source: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-spoilt-"));
  source = join(folder, "source.mp4");
  const pictures = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25,noise=alls=20:allf=t", "-frames:v", "100"];
  const coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...pictures, ...coding, source]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An ffmpeg that spoils the middle of every file that it has written and whose name the pattern of a shell's `case` takes. */
async function spoilingFfmpeg(name: string, pattern: string): Promise<NodeJS.ProcessEnv> {
  const { ffmpegPath } = await requireFfmpeg(process.env);
  const own = join(folder, name);
  mkdirSync(own);
  const path = join(own, "ffmpeg");
  const script = [
    "#!/bin/sh",
    `"${ffmpegPath}" "$@" || exit $?`,
    "for last; do :; done",
    `case "$last" in ${pattern})`,
    'file=$(echo "$last" | sed s/^file://)',
    'middle=$(($(wc -c < "$file") / 2))',
    'head -c 2000 /dev/zero | dd of="$file" bs=1 seek=$middle conv=notrunc 2>/dev/null ;;',
    "esac",
  ];
  writeFileSync(path, `${script.join("\n")}\n`);
  chmodSync(path, 0o755);
  return { ...process.env, REELMILL_FFMPEG: path };
}

it.each([
  ["a span that does not decode", "*span-*.mp4", "What was encoded does not decode: "],
  ["an output that holds other bytes than were encoded", "*.part", "the pictures are not those that were encoded"],
])("refuses %s", async (name, pattern, problem) => {
  const environment = await spoilingFfmpeg(name.replaceAll(" ", "-"), pattern);
  const output = join(folder, "out.mp4");
  const conversion = convertFile({
    ...{ input: source, output, environment, cores: 2, minSpanSeconds: 1, clock: systemClock },
    settings: CONVERT_SETTINGS.parse({ to: "h264", reencode: true, preset: "ultrafast", hardware: "off" }),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  await expect(conversion).rejects.toMatchObject({
    code: "OUTPUT_NOT_VERIFIED",
    message: expect.stringContaining(problem),
  });
  expect(existsSync(output)).toBe(false);
});

it("refuses pictures of a single span that do not decode, though the sound beside them was copied and may be at fault", async () => {
  const environment = await spoilingFfmpeg("a-single-span", "*span-*.mp4");
  const spoken = join(folder, "with-sound.mp4");
  const sound = ["-f", "lavfi", "-i", "sine=d=4", "-c:v", "copy", "-c:a", "aac"];
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-i", source, ...sound, spoken]);
  const conversion = convertFile({
    ...{ input: spoken, output: join(folder, "single.mp4"), environment, cores: 2, clock: systemClock },
    settings: CONVERT_SETTINGS.parse({ to: "h264", bitDepth: "8", preset: "ultrafast", hardware: "off" }),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  await expect(conversion).rejects.toMatchObject({
    code: "OUTPUT_NOT_VERIFIED",
    message: expect.stringMatching(/did not pass its checks: .*pictures? decoded/),
  });
});

/** An ffmpeg that reads the words of its arguments differently. */
async function mishearingFfmpeg(name: string, word: string, heard: string): Promise<NodeJS.ProcessEnv> {
  const { ffmpegPath } = await requireFfmpeg(process.env);
  const own = join(folder, name);
  mkdirSync(own);
  const path = join(own, "ffmpeg");
  const script = [
    "#!/bin/bash",
    `word='${word}'`,
    `heard='${heard}'`,
    "words=()",
    `for each; do words+=("\${each/"$word"/"$heard"}"); done`,
    `exec "${ffmpegPath}" "\${words[@]}"`,
  ];
  writeFileSync(path, `${script.join("\n")}\n`);
  chmodSync(path, 0o755);
  return { ...process.env, REELMILL_FFMPEG: path };
}

/** The shape is held in the pictures' own format, with or without an encoder; what follows is the encoder's. */
const BEFORE_ENCODER = "format=yuv420p,format=yuv420p";

it.each<readonly [name: string, word: string, heard: string, problem: RegExp, settings: object]>([
  [
    "a-picture-that-the-encoder-lost",
    BEFORE_ENCODER,
    String.raw`select=not(eq(n\,2)),${BEFORE_ENCODER}`,
    /libx264 was given 5 pictures, and 4 came out/,
    {},
  ],
  [
    "pictures-of-an-even-rate-that-the-encoder-lost",
    BEFORE_ENCODER,
    String.raw`select=gte(n\,5),${BEFORE_ENCODER}`,
    /libx264 was given 25 pictures, and 20 came out/,
    { frameRate: "25" },
  ],
  [
    "sound-that-is-late",
    "asetpts=PTS-",
    "asetpts=PTS+round(0.08/TB)-",
    /sound track 0 begins at 0\.0[5-8]\d s, in the source at -?0\.00/,
    {},
  ],
  ["another-size", "format=yuv420p", "scale=64:64,format=yuv420p", /the pictures are 64x64, not 160x120/, {}],
  ["another-language", "language=deu", "language=eng", /is of language eng, not deu/, {}],
])("refuses an output with %s", async (name, word, heard, problem, more) => {
  const input = join(folder, "spoken.mkv");
  if (!existsSync(input)) {
    const media = "-f lavfi -i testsrc2=s=160x120:r=5:d=1 -f lavfi -i sine=d=1 -c:v libx264 -preset ultrafast -c:a ac3";
    const said = ["-pix_fmt", "yuv420p", "-metadata:s:a", "language=deu", input];
    execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...media.split(" "), ...said]);
  }
  const conversion = convertFile({
    ...{ input, output: join(folder, `${name}.mp4`), cores: 2, minSpanSeconds: 1, clock: systemClock },
    environment: await mishearingFfmpeg(name, word, heard),
    settings: CONVERT_SETTINGS.parse({ to: "h264", reencode: true, preset: "ultrafast", hardware: "off", ...more }),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  await expect(conversion).rejects.toMatchObject({
    code: "OUTPUT_NOT_VERIFIED",
    message: expect.stringMatching(problem),
  });
});
