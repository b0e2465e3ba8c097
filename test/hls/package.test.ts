import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ReelmillError } from "../../src/base/errors.ts";
import { readMedia } from "./ladder.fixture.ts";
import { createPackages, type Packaged } from "./package.fixture.ts";
import { loudness, shownSeconds } from "./played.fixture.ts";

const packages = createPackages();

/** Where nothing is said of poster and thumbnails. */
const PLAIN = { thumbnails: false };
const TONE = ["-f", "lavfi", "-i", "sine=d=4"];

function pictureVariants({ main }: Pick<Packaged, "main">) {
  return main.variants.filter(({ resolution }) => resolution !== undefined);
}

describe("a package of each kind of source", () => {
  it.each([
    ["cfr25", "320x180", "separate"],
    ["ntsc", "320x180", "single-file"],
    ["vfr-mp4", "320x180", "separate"],
    ["open-gop-h264", "320x180", "single-file"],
    ["h264-tff", "320x180", "separate"],
    ["ten-bit", "320x180", "single-file"],
    ["rotated", "180x320", "separate"],
    ["odd-size", "320x180", "single-file"],
    ["anamorphic", "464x180", "separate"],
    ["no-audio", "320x180", "single-file"],
    ["late-audio-mp4", "320x180", "separate"],
    ["edit-list", "320x180", "single-file"],
    ["ts-wrap", "320x180", "separate"],
    ["avi", "320x180", "single-file"],
  ])("keeps the rules, and every picture at its time: %s of %s, %s", async (id, size, segments) => {
    const input = packages.source(id);
    const made = await packages.make(input, { segments });
    expect(made.failed).toEqual([]);
    const expected = shownSeconds(input);
    const variants = pictureVariants(made);
    expect(variants.length).toBeGreaterThanOrEqual(2);
    const [largest] = made.report.variants;
    expect(largest?.resolution).toBe(size);
    for (const { uri } of variants) {
      const found = shownSeconds(join(made.folder, uri));
      expect(found.length).toBe(expected.length);
      expect(Math.max(...found.map((at, index) => Math.abs(at - (expected[index] as number))))).toBeLessThan(0.0011);
    }
  });

  it("takes the first picture that decodes as the beginning", async () => {
    const made = await packages.make(packages.source("open-start"), PLAIN);
    expect(made.report.findings.join(" ")).toContain("3 pictures could not be decoded");
    expect(made.report.pictures).toBe(101);
  });
});

describe("a package of 9 s", () => {
  it.each([
    ["between(t,0,3)", "single-file"],
    ["between(t,3,6)", "separate"],
  ])(
    "keeps the rules where its sound is silent for %s, though the last segment of that is too short for a peak",
    async (silence, segments) => {
      const sound = `sine=440:d=9,volume='if(${silence},0,1)':eval=frame`;
      const input = packages.encode(`silent-${segments}.mp4`, "testsrc2=s=160x90:r=25:d=9", [
        "-f",
        "lavfi",
        "-i",
        sound,
      ]);
      const made = await packages.make(input, { ...PLAIN, segments });
      expect(made.failed).toEqual([]);
      for (const { bandwidthBitsPerSecond: peak, averageBandwidthBitsPerSecond: average } of made.main.variants) {
        expect(peak).toBeGreaterThanOrEqual(average as number);
      }
    },
  );
});

describe("a package of pictures that come unevenly", () => {
  it("has all of slow stretches and 60 per second of fast ones", async () => {
    // 2 s at 30, then 2 s at 240 per second.
    const input = packages.encode(
      "slow-fast.mp4",
      "testsrc2=s=160x90:r=240:d=4,select=gte(t\\,2)+not(mod(n\\,8))",
      TONE,
    );
    const made = await packages.make(input, PLAIN);
    expect(made.report.findings.join(" ")).toContain("some were left out: HLS allows no more");
    const found = shownSeconds(join(made.folder, made.main.variants[0]?.uri ?? ""));
    expect(found.length).toBe(180);
    for (const [index, at] of found.entries()) {
      expect(Math.abs(at - (index < 60 ? index / 30 : 2 + (index - 60) / 60))).toBeLessThan(0.0001);
    }
  });

  it("takes every second picture of 120 per second at its own time", async () => {
    const made = await packages.make(packages.encode("fast.mp4", "testsrc2=s=160x90:r=120000/1001:d=4", TONE), PLAIN);
    expect(made.report.findings.join(" ")).toContain("One picture of 2 was taken");
    const found = shownSeconds(join(made.folder, made.main.variants[0]?.uri ?? ""));
    expect(found.length).toBe(240);
    expect(Math.max(...found.map((at, index) => Math.abs(at - (index * 1001) / 60_000)))).toBeLessThan(0.0001);
  });

  it("has one key picture behind a gap, not one for every two seconds of it", async () => {
    const gap = "testsrc2=s=160x90:r=25:d=4,setpts=PTS+gte(N\\,40)*17.4/TB";
    const made = await packages.make(packages.encode("gap.mp4", gap, TONE));
    const list = ["-v", "error", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"];
    for (const { uri } of pictureVariants(made)) {
      const text = execFileSync("ffprobe", [...list, join(made.folder, uri, "..", "media.mp4")], { encoding: "utf8" });
      const keys = text.split("\n").flatMap((line) => (line.includes(",K") ? [Number.parseFloat(line)] : []));
      expect(keys).toEqual([0, 18.96, 20]);
    }
  });
});

/** Made once for all tests: noise takes long to encode. */
function sevenSeconds(rate: string): string {
  const name = `seven-${rate.replace("/", "-")}.mp4`;
  const path = join(packages.root, name);
  return existsSync(path) ? path : packages.clip(name, { seconds: 7, rate, size: "640x360" });
}

describe("a package of 7 s", () => {
  it.each(["25", "30000/1001"])(
    "has segments of 6 s that begin with key pictures every 2 s, at %s pictures per second",
    async (rate) => {
      const made = await packages.make(sevenSeconds(rate));
      const variants = pictureVariants(made);
      expect(variants.map(({ resolution }) => resolution?.heightPixels)).toEqual([360, 234]);
      for (const { uri } of variants) {
        const folder = join(made.folder, uri, "..");
        const media = readMedia(join(folder, "index.m3u8"));
        expect(media.segments.map(({ durationSeconds }) => Math.round(durationSeconds))).toEqual([6, 1]);
        expect(media.targetDurationSeconds).toBe(6);
        const iFrames = readMedia(join(folder, "iframes.m3u8"));
        expect(iFrames.segments.map(({ durationSeconds }) => Math.round(durationSeconds))).toEqual([2, 2, 2, 1]);
      }
      expect(made.failed).toEqual([]);
      for (const variant of made.report.variants) {
        expect(variant.peakBitsPerSecond).toBeLessThanOrEqual(2 * variant.averageBitsPerSecond);
      }
      const [first] = made.main.variants;
      expect(first?.audioGroupId).toBe("stereo");
      expect(made.main.variants.at(-1)?.codecs).toEqual(["mp4a.40.2"]);
    },
  );

  it("refuses a ladder of which the recording fills no rung, for nothing is enlarged", async () => {
    const ladder = { rungs: [{ height: 2160, kbps: 16_000 }] };
    const made = packages.make(packages.clip("too-small.mp4", { seconds: 1, rate: "25", size: "640x360" }), { ladder });
    await expect(made).rejects.toMatchObject({ code: "PARAMS_INVALID", message: expect.stringContaining("2160") });
  });

  it("has a rung for cellular networks where there is no sound and the ladder has none for them", async () => {
    const ladder = { rungs: [360, 180].map((height) => ({ height, kbps: 2 * height })) };
    const input = sevenSeconds("25");
    const { report, failed } = await packages.make(input, { ...PLAIN, ladder, audio: "none" });
    expect(failed).toEqual([]);
    expect(report.variants.map(({ resolution }) => resolution)).toEqual(["640x360", "320x180", "320x180"]);
    expect(report.findings.join()).toContain("180p at 145 kbit/s was added.");
  });

  it("leaves out sound of a codec that nobody knows, and says so", async () => {
    const input = packages.clip("unknown-sound.mkv", { seconds: 2, rate: "25", size: "160x90" });
    const known = readFileSync(input);
    known.write("A_ZZZ", known.indexOf("A_AAC"), "latin1");
    writeFileSync(input, known);
    const { report, failed } = await packages.make(input, PLAIN);
    expect(report.findings).toContain("Left out: 1 sound track of a codec that ffmpeg does not know.");
    expect(failed).toEqual([]);
  });

  it("leaves out pictures besides the chosen ones and covers, and says so", async () => {
    const ladder = { rungs: [{ height: 90, kbps: 150 }] };
    for (const [source, lost] of [
      ["two-videos", "Left out: 1 further stream of pictures."],
      ["cover", "Left out: 1 stream of data or attached pictures."],
    ] as const) {
      const { report, failed } = await packages.make(packages.source(source), { ...PLAIN, ladder });
      expect(report.findings.filter((finding) => finding.startsWith("Left out"))).toEqual([lost]);
      expect(failed).toEqual([]);
    }
  });

  it("shows the bit rates that a ladder of the user's own asks for", async () => {
    const ladder = {
      rungs: [
        { height: 360, kbps: 900 },
        { height: 180, kbps: 150 },
        { height: 1080, kbps: 9000 },
      ],
    };
    const made = await packages.make(sevenSeconds("25"), { ...PLAIN, ladder, audio: "none" });
    const [first, second, ...more] = made.report.variants;
    expect(more).toEqual([]);
    expect(made.report.findings).toContain("Left out: 1 rung of the ladder (height 1080) above 640x360.");
    expect(Math.abs((first?.averageBitsPerSecond ?? 0) - 900_000)).toBeLessThan(200_000);
    expect(second?.peakBitsPerSecond).toBeLessThanOrEqual(192_000);
  });
});

describe("sound", () => {
  it("lies in groups by language, surround sound besides stereo, each for every variant", async () => {
    const several = await packages.make(packages.source("languages"), PLAIN);
    const renditions = several.main.renditions.filter(({ groupId }) => groupId === "stereo");
    expect(new Set(renditions.map(({ language }) => language)).size).toBe(renditions.length);
    expect(renditions.filter(({ isDefault }) => isDefault).length).toBe(1);
    expect(several.main.variants.at(-1)?.bandwidthBitsPerSecond).toBeLessThanOrEqual(192_000);
    const surround = await packages.make(packages.source("surround"), PLAIN);
    expect(surround.main.renditions.map(({ groupId, channels }) => `${groupId} ${channels}`)).toEqual([
      "stereo 2",
      "surround 6",
    ]);
    expect(
      pictureVariants(surround)
        .map(({ audioGroupId }) => audioGroupId)
        .sort(),
    ).toEqual([...["stereo", "stereo", "surround", "surround"]]);
  });

  it("of one channel is as loud on both sides", async () => {
    const input = packages.encode("mono.mp4", "testsrc2=s=160x90:r=25:d=2", ["-f", "lavfi", "-i", "sine=d=2"]);
    const { folder, main } = await packages.make(input, PLAIN);
    const [rendition] = main.renditions;
    expect(Math.abs(loudness(join(folder, rendition?.uri ?? "")) - loudness(input))).toBeLessThan(0.5);
  });

  it("is heard when it was heard in the source, whether it begins late or pauses", async () => {
    const input = join(packages.root, "clap.mkv");
    // Silent for 1.3 s, then a tone, and all that 0.4 s late.
    const tone = "aevalsrc='0.8*sin(2*PI*1000*t)*gte(t,1.3)':s=48000:d=3";
    const inputs = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=4", "-itsoffset", "0.4", "-f", "lavfi", "-i", tone];
    const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le"];
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...inputs, ...codecs, input]);
    const { folder, main } = await packages.make(input, PLAIN);
    const [rendition] = main.renditions;
    const decode = [
      "-v",
      "error",
      "-nostdin",
      "-i",
      join(folder, rendition?.uri ?? ""),
      "-ac",
      "1",
      "-f",
      "s16le",
      "pipe:1",
    ];
    const bytes = execFileSync("ffmpeg", decode, { maxBuffer: 1 << 26 });
    const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
    const first = samples.findIndex((sample) => Math.abs(sample) > 8000);
    expect(Math.abs(first / 48_000 - 1.7)).toBeLessThan(0.004);
    expect(Math.abs(samples.length / 48_000 - 4)).toBeLessThan(0.012);
  });
});

describe("subtitles", () => {
  it("are a rendition of their own, at the pictures' times", async () => {
    const { folder, main } = await packages.make(packages.source("srt"), PLAIN);
    const [rendition] = main.renditions.filter(({ type }) => type === "SUBTITLES");
    const text = readFileSync(join(folder, rendition?.uri ?? "", "..", "segment-00001.vtt"), "utf8");
    expect(text).toContain("00:00:00.500 --> 00:00:01.500\nGrüße, first line\n");
    expect(text).toContain("00:00:02.000 --> 00:00:03.250\nSecond line\n");
    expect(pictureVariants({ main }).every(({ subtitlesGroupId }) => subtitlesGroupId === rendition?.groupId)).toBe(
      true,
    );
    const dropped = await packages.make(packages.source("srt"), { ...PLAIN, subtitles: "drop" });
    expect(dropped.main.renditions.map(({ type }) => type)).toEqual(["AUDIO"]);
  });
});

/** The mean brightness (0 to 255) of a part of a picture. */
function brightness(path: string, crop: string): number {
  const look = ["-v", "error", "-nostdin", "-i", path, "-vf", `crop=${crop}`, "-f", "rawvideo", "-pix_fmt", "gray"];
  const samples = execFileSync("ffmpeg", [...look, "pipe:1"]);
  return samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
}

describe("what a recording does not tell plainly", () => {
  it("refuses MPEG-TS that was joined byte by byte, in which times begin anew", async () => {
    const parts = ["first", "second"].map((name) => {
      return readFileSync(packages.encode(`${name}.ts`, "testsrc2=s=160x90:r=25:d=3", TONE));
    });
    const joined = join(packages.root, "joined.ts");
    writeFileSync(joined, Buffer.concat(parts));
    const error = await packages.make(joined, PLAIN).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "INPUT_DISCONTINUOUS",
      message: expect.stringMatching(/jump back by 2\.8\d s/),
    });
  });

  it("names the rule that should be kept and is not", async () => {
    const gap = "testsrc2=s=160x90:r=25:d=4,setpts=PTS+gte(N\\,40)*17.4/TB";
    const { report } = await packages.make(packages.encode("gap-2.mp4", gap), PLAIN);
    expect(report.rules.shouldsFailed).toBeGreaterThan(0);
    expect(report.findings.join(" ")).toMatch(/A rule that should be kept is broken: [a-z-]+ \(.*index\.m3u8/);
  });
});

describe("poster and thumbnails", () => {
  it("show the picture at a tenth of the length, and one of each two seconds", async () => {
    const path = join(packages.root, "brightening.mp4");
    const pictures = ["-f", "lavfi", "-i", "color=black:s=320x180:r=25:d=10,geq=lum=16+0.8*N:cb=128:cr=128"];
    const coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
    execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...pictures, ...coding, path]);
    const { folder } = await packages.make(path);
    // In full range, each picture is brighter than the one before by 0.93.
    const pictureOf = (file: string, crop: string): number =>
      brightness(join(folder, file), crop) / (0.8 * (255 / 219));
    expect(Math.abs(pictureOf("poster.jpg", "in_w:in_h") - 25)).toBeLessThan(4);
    const cues = readFileSync(join(folder, "thumbnails", "index.vtt"), "utf8").matchAll(
      /(sheet-\d+\.jpg)#xywh=([\d,]+)/g,
    );
    const shown = [...cues].map(([, sheet = "", place = ""]) => {
      const [x, y, width, height] = place.split(",");
      return pictureOf(join("thumbnails", sheet), `${width}:${height}:${x}:${y}`);
    });
    expect(shown).toHaveLength(5);
    for (const [index, picture] of shown.entries()) {
      expect(picture).toBeGreaterThan(50 * index - 4);
      expect(picture).toBeLessThan(50 * index + 54);
    }
  });

  it("name a place for every two seconds within sheets that are there", async () => {
    const { folder } = await packages.make(packages.source("cfr25"));
    expect(readFileSync(join(folder, "poster.jpg")).subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
    const text = readFileSync(join(folder, "thumbnails", "index.vtt"), "utf8");
    expect(text.split("\n\n").slice(1)).toEqual([
      "00:00:00.000 --> 00:00:02.000\nsheet-001.jpg#xywh=0,0,160,90",
      "00:00:02.000 --> 00:00:04.000\nsheet-001.jpg#xywh=160,0,160,90\n",
    ]);
    const probe = ["-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0"];
    const sheet = join(folder, "thumbnails", "sheet-001.jpg");
    expect(execFileSync("ffprobe", [...probe, sheet], { encoding: "utf8" }).trim()).toBe("320,90");
    expect(existsSync(join((await packages.make(packages.source("cfr25"), PLAIN)).folder, "poster.jpg"))).toBe(false);
  });
});

describe("poster and thumbnails of odd places", () => {
  const thumbnails = (folder: string) => readdirSync(join(folder, "thumbnails")).sort();

  it("lie where the output is to be, whatever percent signs its folders' names have", async () => {
    const folder = join(packages.root, "100%", "50%d%%");
    mkdirSync(folder, { recursive: true });
    const made = await packages.make(packages.source("no-audio"), {}, undefined, {
      folder: join(folder, "package%03d"),
    });
    expect(thumbnails(made.folder)).toEqual(["index.vtt", "sheet-001.jpg"]);
    expect(existsSync(join(made.folder, "poster.jpg"))).toBe(true);
  });

  it("have a poster where no picture begins after a tenth of the length", async () => {
    const input = join(packages.root, "slide.mp4");
    const sources = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=1/10:d=10", "-f", "lavfi", "-i", "sine=d=10"];
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...sources, "-c:v", "libx264", "-c:a", "aac", input]);
    const { folder } = await packages.make(input);
    const poster = join(folder, "poster.jpg");
    expect(readFileSync(poster).subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
    expect(thumbnails(folder)).toEqual(["index.vtt", "sheet-001.jpg"]);
  });
});

describe("the output", () => {
  it("appears whole or not at all, and never in the place of something else", async () => {
    const before = new Set(readdirSync(packages.root));
    const aborted = { signal: AbortSignal.abort() };
    const cut = packages.make(packages.source("cfr25"), {}, undefined, aborted);
    await expect(cut).rejects.toMatchObject({ code: "ABORTED" });
    const taken = join(packages.root, "taken");
    mkdirSync(taken);
    writeFileSync(join(taken, "mine.txt"), "mine");
    const second = packages.make(packages.source("cfr25"), {}, undefined, { folder: taken });
    await expect(second).rejects.toMatchObject({ code: "OUTPUT_EXISTS" });
    expect(readdirSync(taken)).toEqual(["mine.txt"]);
    const text = join(packages.root, "text.mp4");
    writeFileSync(text, "no recording");
    const refusal = await packages.make(text).catch((error: unknown) => error);
    expect(refusal instanceof ReelmillError && refusal.code).toBe("INPUT_NOT_VIDEO");
    const left = readdirSync(packages.root).filter((name) => !before.has(name));
    expect(left.sort()).toEqual(["taken", "text.mp4"]);
  });

  it("is refused by a code of its own where a recording is too short for any rung", async () => {
    const input = join(packages.root, "moment.mp4");
    const picture = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=0.04"];
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...picture, "-c:v", "libx264", "-qp", "20", input]);
    await expect(packages.make(input)).rejects.toMatchObject({ code: "INPUT_TOO_SHORT" });
  });

  it("is refused where a time of the recording is wrong by days, before silence is made for each moment of them", async () => {
    const [input, days] = ["now.mp4", "days.mkv"].map((name) => join(packages.root, name)) as [string, string];
    packages.encode("now.mp4", "testsrc2=s=160x90:r=10:d=2");
    const wrong = ["-bsf:v", "setts=ts=TS+gte(N\\,15)*400000/TB"];
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", "-i", input, "-c", "copy", ...wrong, days]);
    await expect(packages.make(days)).rejects.toMatchObject({ code: "INPUT_TOO_LONG" });
  });

  it("tells of a recording in Matroska that it was cut short, and nothing of a whole one", async () => {
    const whole = packages.clip("whole.mkv", { seconds: 4, rate: "25", size: "320x180" });
    const cut = join(packages.root, "cut.mkv");
    const bytes = readFileSync(whole);
    writeFileSync(cut, bytes.subarray(0, bytes.length / 2));
    const told = "The recording was cut short: its file ends before its own sizes say, and the rest is not in it.";
    expect((await packages.make(cut)).report.findings).toContain(told);
    expect((await packages.make(whole, PLAIN)).report.findings).not.toContain(told);
  });

  it("may be read by whom the user lets read new folders", async () => {
    const ladder = { rungs: [{ height: 90, kbps: 150 }] };
    const { folder } = await packages.make(packages.source("no-audio"), { ...PLAIN, ladder });
    const plain = join(packages.root, "plain");
    mkdirSync(plain);
    expect(statSync(folder).mode).toBe(statSync(plain).mode);
  });
});
