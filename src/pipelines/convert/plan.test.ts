import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { partsOf } from "./parts.ts";
import { makeFolder, plan } from "./plan.fixture.ts";

it("begins with the span that took most bytes in the source", async () => {
  const path = join(makeFolder(), "still-then-noise.mp4");
  const noise = "nullsrc=s=160x90:r=25,geq=lum='255*random(1)':cb=128:cr=128,trim=duration=2";
  execFileSync("ffmpeg", [
    ...["-nostdin", "-v", "error", "-filter_complex", `color=gray:s=160x90:r=25:d=2[a];${noise}[b];[a][b]concat`],
    ...["-c:v", "libx264", "-g", "25", "-pix_fmt", "yuv420p", path],
  ]);
  const planned = await plan(path, { to: "vp9" });

  const [still, noisy] = partsOf(planned).map(({ weight }) => weight);

  expect(partsOf(planned)).toHaveLength(2);
  expect((still ?? 0) + (noisy ?? 0)).toBe(100);
  expect(noisy).toBeGreaterThan(70);
});

it("begins with the sound where it takes longer than the pictures", async () => {
  const weights = async (size: string): Promise<readonly number[]> => {
    const path = join(makeFolder(), "sound.mp4");
    execFileSync("ffmpeg", [
      ...[
        "-nostdin",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        `testsrc=s=${size}:r=5:d=10`,
        "-f",
        "lavfi",
        "-i",
        "sine=d=10",
      ],
      ...["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", path],
    ]);
    const parts = partsOf(await plan(path, { to: "h264", reencode: true }));
    return [parts.at(-1), parts[0]].map((part) => part?.weight ?? Number.NaN);
  };
  const [sound, pictures] = await weights("64x48");
  expect(sound).toBeGreaterThan(Number(pictures));
  const [lesser, larger] = await weights("1280x720");
  expect(lesser).toBeLessThan(Number(larger));
});

it("says which settings change nothing of this recording", async () => {
  const path = join(makeFolder(), "small.mp4");
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x90:d=1", path]);
  const settings = { to: "h264", toneMap: true, height: 720, speed: "fast", preset: "ultrafast" };
  const { findings } = await plan(path, { ...settings, audioBitrate: 64 });
  expect(findings).toEqual([
    "The pictures have standard range already: toneMap changes nothing.",
    "The pictures stay as small as they are, 160x90; upscale makes them larger.",
    "Preset ultrafast was used in place of what speed chooses: fast changes nothing.",
    "The recording has no sound: audioBitrate changes nothing.",
  ]);
  const copied = await plan(path, { ...settings, toneMap: false, upscale: true, audio: "copy" });
  expect(copied.findings.slice(1)).toEqual(["The recording has no sound: audio changes nothing."]);
});

it("says where high dynamic range stays in 8 bits", async () => {
  const path = join(makeFolder(), "hdr.mp4");
  const colour = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"];
  const pictures = ["-f", "lavfi", "-i", "testsrc2=s=160x90:d=0.2", "-pix_fmt", "yuv420p10le"];
  const coding = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error"];
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...pictures, ...coding, ...colour, path]);
  const told = "The pictures keep their high dynamic range (PQ) in 8 bits";
  const { findings } = await plan(path, { to: "h264" });
  expect(findings.join(" ")).toContain(told);
  for (const settings of [{ to: "h264", toneMap: true }, { to: "vp9" }, { to: "hevc" }]) {
    expect((await plan(path, settings)).findings.join(" ")).not.toContain(told);
  }
});

it("tells of transparency that is left out, and nothing where pictures are copied", async () => {
  const folder = makeFolder();
  const make = (name: string, ...codec: readonly string[]): string => {
    const source = ["-f", "lavfi", "-i", "testsrc2=s=64x64:r=5:d=1:alpha=128,format=rgba"];
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...source, ...codec, join(folder, name)]);
    return join(folder, name);
  };
  const lost = "Left out: transparency.";
  const webm = make("clear.webm", "-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p");
  expect((await plan(webm, { to: "h264" })).findings).toContain(lost);
  const copied = await plan(webm, { to: "vp9" });
  expect([copied.video.kind, copied.findings]).toEqual(["copy", expect.not.arrayContaining([lost])]);
  for (const codec of ["png", "qtrle"]) {
    expect((await plan(make(`${codec}.mov`, "-c:v", codec), { to: "vp9" })).findings).toContain(lost);
  }
  const opaque = ["-vf", "format=rgb24,format=rgba"];
  for (const name of ["opaque.apng", "opaque.mov", "opaque.gif"]) {
    const path = make(name, ...opaque, ...(name === "opaque.mov" ? ["-c:v", "qtrle"] : []));
    expect((await plan(path, { to: "h264" })).findings, name).not.toContain(lost);
  }
});

it("has copied pictures last as long as they are shown, whatever time the container tells", async () => {
  const folder = makeFolder();
  const [from0, from10] = [join(folder, "from0.mkv"), join(folder, "from10.mkv")];
  const source = ["-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=3", "-c:v", "libx264", "-pix_fmt", "yuv420p"];
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...source, from0]);
  const later = ["-itsoffset", "10", "-i", from0, "-copyts", "-c", "copy"];
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...later, from10]);
  const planned = await plan(from10, { to: "h264" });
  expect([planned.video.kind, planned.durationSeconds]).toEqual(["copy", expect.closeTo(3, 2)]);
});

it("says how many tracks of subtitles are not burnt in", async () => {
  const folder = makeFolder();
  const words = join(folder, "words.srt");
  writeFileSync(words, "1\n00:00:00,000 --> 00:00:01,000\nWords\n");
  const make = (tracks: number): string => {
    const path = join(folder, `${tracks}.mkv`);
    const inputs = ["-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", ...Array(tracks).fill(["-i", words]).flat()];
    const maps = Array.from({ length: tracks + 1 }, (_, index) => ["-map", String(index)]).flat();
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...inputs, ...maps, "-c:v", "libx264", path]);
    return path;
  };
  const burn = { to: "h264", subtitles: "burn" };
  const told = "The first text track of the subtitles was burnt in; left out: 2 further tracks.";
  expect((await plan(make(3), burn)).findings).toContain(told);
  expect((await plan(make(1), burn)).findings.join(" ")).not.toContain("burnt in");
});

it("encodes sound that begins late with packets that are not heard, which copies would make heard", async () => {
  const path = join(makeFolder(), "late.mp4");
  const inputs = "-f lavfi -i color=s=64x64:r=25:d=2 -itsoffset 0.5 -f lavfi -i sine=d=1".split(" ");
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...inputs, "-c:v", "libx264", "-c:a", "aac", path]);
  const audioOf = async (): Promise<unknown> => {
    const { audio, findings } = await plan(path, { to: "h264" });
    return { kind: audio[0]?.kind, isTold: findings.some((one) => one.includes("begins late")) };
  };
  expect(await audioOf()).toEqual({ kind: "copy", isTold: false });

  // As files of Apple's encoder begin: the second entry of the sound's edit list hides 2112 samples.
  const bytes = readFileSync(path);
  const mediaTime = bytes.lastIndexOf("elst") + 28;
  expect(bytes.readInt32BE(mediaTime)).toBe(0);
  bytes.writeInt32BE(2112, mediaTime);
  writeFileSync(path, bytes);
  expect(await audioOf()).toEqual({ kind: "encode", isTold: true });
  const refused = { code: "PARAMS_INVALID", message: expect.stringContaining("begins late") };
  await expect(plan(path, { to: "h264", audio: "copy" })).rejects.toMatchObject(refused);
});
