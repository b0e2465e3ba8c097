import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chooseEncoder, type EncoderChoice, type EncoderWish } from "./encoder-choice.ts";
import { type FfmpegTools, locateFfmpeg } from "./tools.ts";

const { signal } = new AbortController();
const SOFTWARE: EncoderWish = { codec: "h264", speed: "standard", bitDepth: 8, hardware: "off" };

let folder: string;
let tools: FfmpegTools;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-encoder-"));
  const settings = { ffmpeg: "ffmpeg", ffprobe: "ffprobe", ffmpegTimeoutMs: 60_000 };
  tools = await locateFfmpeg(settings, process.env["PATH"] ?? "");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Encodes four pictures with what was chosen; gives codec, pixel format and number of pictures as ffprobe sees them. */
function encode(choice: EncoderChoice, threads: number): string {
  const source = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25"];
  const filters = ["-frames:v", "4", "-vf", choice.filter];
  // libaom's stream goes into Matroska in a file alone: its header is written last.
  const path = join(folder, "encoded.mkv");
  execFileSync(
    tools.ffmpegPath,
    [
      ...["-nostdin", "-v", "error", "-y", ...choice.globalArguments, ...source, ...filters],
      ...[...choice.arguments, ...choice.threadArguments(threads), path],
    ],
    { stdio: "ignore" },
  );
  const entries = ["-count_packets", "-show_entries", "stream=codec_name,pix_fmt,nb_read_packets", "-of", "csv=p=0"];
  return execFileSync(tools.ffprobePath, ["-v", "error", ...entries, path], { encoding: "utf8" }).trim();
}

describe("software", () => {
  it.each([
    ["h264", "-c:v libx264 -crf 23 -preset medium"],
    ["hevc", "-c:v libx265 -crf 28 -tag:v hvc1 -preset medium"],
    ["vp9", "-c:v libvpx-vp9 -crf 30 -b:v 0"],
    ["av1", "-c:v libaom-av1 -crf 30 -b:v 0 -cpu-used 4"],
  ] as const)("has the contract's settings for %s", async (codec, expected) => {
    const choice = await chooseEncoder(tools, { ...SOFTWARE, codec }, signal);
    expect(choice.arguments.join(" ")).toBe(expected);
    expect(choice).toMatchObject({
      codec,
      hardware: null,
      globalArguments: [],
      filter: "format=yuv420p",
      findings: [],
    });
  });

  it("has the measured settings for speed", async () => {
    const fast = { ...SOFTWARE, codec: "av1", speed: "fast" } as const;
    expect((await chooseEncoder(tools, { ...fast, shortPixels: 62 }, signal)).encoder).toBe("libaom-av1");
    const choice = await chooseEncoder(tools, fast, signal);
    expect(choice.arguments.join(" ")).toBe("-c:v libsvtav1 -crf 32 -g 240 -preset 6");
    expect(choice.settings).toEqual({ quality: 32, scale: "-crf", preset: "6" });
    const large = await chooseEncoder(tools, { ...fast, pixels: 1920 * 1080 }, signal);
    expect(large.arguments.join(" ")).toBe("-c:v libsvtav1 -crf 33 -g 240 -preset 8");
    const extremes = await Promise.all([0, 63].map((quality) => chooseEncoder(tools, { ...fast, quality }, signal)));
    expect(extremes.map(({ settings }) => settings.quality)).toEqual([2, 63]);
    const h264 = await chooseEncoder(tools, { ...SOFTWARE, speed: "fast" }, signal);
    expect(h264.arguments.join(" ")).toBe("-c:v libx264 -crf 23 -preset faster");
  });

  const all = (["h264", "hevc", "vp9", "av1"] as const).flatMap((codec) =>
    (["standard", "fast"] as const).flatMap((speed) =>
      ([8, 10] as const).map((bitDepth) => ({ codec, speed, bitDepth })),
    ),
  );
  it.each(all)("encodes $codec, $speed, at $bitDepth bit", async (wish) => {
    const choice = await chooseEncoder(tools, { ...wish, hardware: "off" }, signal);
    const format = wish.bitDepth === 10 ? "yuv420p10le" : "yuv420p";
    for (const threads of [1, 2]) expect(encode(choice, threads)).toBe(`${wish.codec},${format},4`);
  });

  it("knows how many processes of an encoder keep all cores busy", async () => {
    const processes = async (codec: EncoderWish["codec"], speed: EncoderWish["speed"]): Promise<number> =>
      (await chooseEncoder(tools, { ...SOFTWARE, codec, speed }, signal)).usefulProcesses;
    expect(await processes("h264", "standard")).toBe(2);
    expect(await processes("hevc", "standard")).toBe(2);
    expect(await processes("av1", "fast")).toBe(1);
    expect(await processes("av1", "standard")).toBe(Number.POSITIVE_INFINITY);
    expect(await processes("vp9", "fast")).toBe(Number.POSITIVE_INFINITY);
  });

  it("takes a quality and a preset", async () => {
    const h264 = await chooseEncoder(tools, { ...SOFTWARE, quality: 18.5, preset: "ultrafast" }, signal);
    expect(h264.arguments.join(" ")).toBe("-c:v libx264 -crf 18.5 -preset ultrafast");
    expect(h264.settings).toEqual({ quality: 18.5, scale: "-crf", preset: "ultrafast" });
    const av1 = await chooseEncoder(tools, { ...SOFTWARE, codec: "av1", preset: "8" }, signal);
    expect(av1.arguments.join(" ")).toBe("-c:v libaom-av1 -crf 30 -b:v 0 -cpu-used 8");
  });

  it.each([
    [{ quality: 52 }, /quality is 52; for h264 it is a number from 0 to 51/],
    [{ codec: "av1", quality: 30.5 }, /quality is 30.5; for av1 it is a whole number from 0 to 63/],
    [{ quality: Number.NaN }, /quality is NaN/],
    [{ preset: "medium -y /etc" }, /preset is "medium -y \/etc".*libx264: ultrafast, .*placebo/],
    [{ codec: "av1", preset: "veryfast" }, /preset is "veryfast".*libaom-av1: 0, 1, .*8\)/],
  ] as const)("refuses %j", async (wrong, message) => {
    const choice = chooseEncoder(tools, { ...SOFTWARE, ...wrong }, signal);
    await expect(choice).rejects.toMatchObject({ code: "PARAMS_INVALID", message: expect.stringMatching(message) });
  });
});

/** A program that has `encoders` and encodes with those of `working`; the others fail in the manner of ffmpeg. */
async function fakeTools(encoders: readonly string[], working: readonly string[]): Promise<FfmpegTools> {
  const path = join(folder, `ffmpeg-${encoders.join("-")}-for-${working.join("-")}`);
  const list = encoders.map((name) => ` V....D ${name} prose`).join("\n");
  const names = encoders.map((name) => `*"-c:v ${name} "*`).join("|");
  const lines = [
    "#!/bin/sh",
    'case "$*" in',
    '*-version*) echo "ffmpeg version 7.0-fake Copyright"; exit;;',
    `*-encoders*) cat <<'END'\n${list}\nEND`,
    "exit;;",
    ...working.map((name) => `*"-c:v ${name} "*"-f null -") exit;;`),
    `${names}) ;;`,
    `*videotoolbox*) echo "Unknown encoder 'h264_videotoolbox'" >&2; exit 1;;`,
    '*init_hw_device*) echo "Device creation failed: -12." >&2; exit 1;;',
    `*) echo "[vost#0:0 @ 0x55d1] Unknown encoder 'libx265'" >&2; exit 1;;`,
    "esac",
    'case "$*" in',
    "*h264_qsv*) sleep 60;;",
    '*hevc_vaapi*) echo "Device creation failed: -542398533." >&2; exit 1;;',
    '*) echo "[h264_nvenc @ 0x55d1] Cannot load libcuda.so.1" >&2; echo "Conversion failed!" >&2; exit 1;;',
    "esac",
  ];
  await writeFile(path, `${lines.join("\n")}\n`, { mode: 0o755 });
  return { ffmpegPath: path, ffprobePath: path, timeoutMs: 5000 };
}

describe("hardware", () => {
  it("is used where it encodes a picture", async () => {
    const fake = await fakeTools(["libx264", "h264_nvenc"], ["libx264", "h264_nvenc"]);
    const choice = await chooseEncoder(fake, { ...SOFTWARE, hardware: "auto" }, signal);
    expect(choice).toMatchObject({ encoder: "h264_nvenc", hardware: "nvenc", usefulProcesses: 1, findings: [] });
    expect(choice.settings).toEqual({ quality: 23, scale: "-cq", preset: "p5" });
    expect(choice.threadArguments(4)).toEqual([]);
  });

  it("is passed over, with ffmpeg's reason, where it fails", async () => {
    const fake = await fakeTools(["libx264", "h264_nvenc", "h264_vaapi"], ["libx264", "h264_vaapi"]);
    const choice = await chooseEncoder(fake, { ...SOFTWARE, hardware: "auto" }, signal);
    expect(choice).toMatchObject({ encoder: "h264_vaapi", hardware: "vaapi", filter: "format=nv12,hwupload" });
    expect(choice.findings).toEqual([
      "h264_nvenc was tried and failed: Cannot load libcuda.so.1.",
      "h264_vaapi is used instead.",
    ]);
  });

  it("gives way to software when the family wished fails or is not there", async () => {
    const fake = await fakeTools(["libx264", "h264_nvenc"], ["libx264"]);
    const failing = await chooseEncoder(fake, { ...SOFTWARE, hardware: "nvenc" }, signal);
    expect(failing).toMatchObject({ encoder: "libx264", hardware: null, globalArguments: [] });
    expect(failing.findings[0]).toContain("Cannot load libcuda.so.1");
    const absent = await chooseEncoder(fake, { ...SOFTWARE, hardware: "videotoolbox" }, signal);
    expect(absent.encoder).toBe("libx264");
    expect(absent.findings[0]).toBe("This ffmpeg (7.0-fake) has no h264_videotoolbox.");
  });

  it("is told of in words where ffmpeg has but a number", async () => {
    const fake = await fakeTools(["libx265", "hevc_vaapi"], ["libx265"]);
    const choice = await chooseEncoder(fake, { ...SOFTWARE, codec: "hevc", hardware: "vaapi" }, signal);
    expect(choice.findings[0]).toBe("hevc_vaapi was tried and failed: its device cannot be opened.");
  });

  it("does not hold up the job when it hangs", async () => {
    const fake = { ...(await fakeTools(["libx264", "h264_qsv"], ["libx264"])), timeoutMs: 1500 };
    const choice = await chooseEncoder(fake, { ...SOFTWARE, hardware: "auto" }, signal);
    expect(choice.encoder).toBe("libx264");
    expect(choice.findings[0]).toMatch(/^h264_qsv was tried and failed: .*did not finish within 1.5 s/);
  });

  it("takes a preset of either kind, and says when the encoder found has none of that name", async () => {
    const both = await fakeTools(["libx264", "h264_nvenc"], ["libx264", "h264_nvenc"]);
    const own = await chooseEncoder(both, { ...SOFTWARE, hardware: "nvenc", preset: "p7" }, signal);
    expect(own.arguments.join(" ")).toBe("-c:v h264_nvenc -rc vbr -b:v 0 -cq 23 -preset p7");
    const broken = await fakeTools(["libx264", "h264_nvenc"], ["libx264"]);
    const fallen = await chooseEncoder(broken, { ...SOFTWARE, hardware: "nvenc", preset: "p7" }, signal);
    expect(fallen.arguments.join(" ")).toBe("-c:v libx264 -crf 23 -preset medium");
    expect(fallen.findings.at(-1)).toBe('libx264 has no preset "p7"; medium is used.');
  });

  it("ends when cancelled", async () => {
    const fake = await fakeTools(["libx264", "h264_qsv"], ["libx264"]);
    const cancelled = chooseEncoder(fake, { ...SOFTWARE, hardware: "qsv" }, AbortSignal.timeout(500));
    await expect(cancelled).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("an ffmpeg that lacks an encoder", () => {
  it("is named, with the way to a better one", async () => {
    const fake = await fakeTools(["libx264"], ["libx264"]);
    const choice = chooseEncoder(fake, { ...SOFTWARE, codec: "hevc" }, signal);
    await expect(choice).rejects.toMatchObject({
      code: "ENCODER_MISSING",
      retryable: false,
      message: expect.stringMatching(
        /ffmpeg \(7.0-fake\) has no libx265\. Install an ffmpeg with libx265 .*REELMILL_FFMPEG/,
      ),
    });
  });

  it("encodes fast AV1 with the other encoder where there is one", async () => {
    const fake = await fakeTools(["libaom-av1"], ["libaom-av1"]);
    const choice = await chooseEncoder(fake, { ...SOFTWARE, codec: "av1", speed: "fast" }, signal);
    expect(choice.encoder).toBe("libaom-av1");
    expect(choice.findings).toEqual(["This ffmpeg (7.0-fake) has no libsvtav1.", "libaom-av1 is used instead."]);
  });
});
