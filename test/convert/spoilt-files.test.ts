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
