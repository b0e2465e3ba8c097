import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileArgument } from "./arguments.ts";
import { detectFeatures } from "./features.ts";
import { listPackets } from "./packets.ts";
import { probeMedia } from "./probe.ts";
import type { FfmpegProgress } from "./progress.ts";
import { createProgressParser } from "./progress.ts";
import { runFfmpeg } from "./run.ts";
import { type FfmpegTools, locateFfmpeg } from "./tools.ts";
import { digestPackets, frameHashes, requireAllDecode, requireDecodes, verifyDecodes } from "./verify.ts";

const SETTINGS = { ffmpeg: "ffmpeg", ffprobe: "ffprobe", ffmpegTimeoutMs: 60_000 };
const PATH = process.env["PATH"] ?? "";

let folder: string;
let tools: FfmpegTools;
/** Two seconds at 25 frames a second with sound; its name is one that a careless caller would pass as an option. */
let movie: string;
let reports: FfmpegProgress[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-ffmpeg-"));
  tools = await locateFfmpeg(SETTINGS, PATH);
  movie = join(folder, "-y http:movie 'x'.mp4");
  reports = [];
  await runFfmpeg(tools, {
    inputs: [],
    outputArguments: [
      ...["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25", "-f", "lavfi", "-i", "sine=sample_rate=48000"],
      ...["-t", "2", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", fileArgument(movie)],
    ],
    onProgress: (progress) => reports.push(progress),
  });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("locateFfmpeg", () => {
  it("finds absolute paths", () => {
    expect(tools.ffmpegPath).toMatch(/^\/.*ffmpeg$/);
    expect(tools.ffprobePath).toMatch(/^\/.*ffprobe$/);
  });

  it("names the program and the setting when there is none", async () => {
    const missing = locateFfmpeg({ ...SETTINGS, ffprobe: "no-such-probe" }, PATH);
    await expect(missing).rejects.toMatchObject({ code: "FFMPEG_MISSING" });
    await expect(missing).rejects.toThrow(/"no-such-probe" was found on the PATH.*REELMILL_FFPROBE/);
    await expect(locateFfmpeg({ ...SETTINGS, ffmpeg: "/etc/passwd" }, PATH)).rejects.toThrow("at that path");
  });
});

describe("detectFeatures", () => {
  it("lists what the build can do, and nothing of the legend", async () => {
    const features = await detectFeatures(tools);
    expect(features.version).toMatch(/^[\w.+~-]+$/);
    expect(features.encoders).toContain("libx264");
    expect(features.decoders).toContain("h264");
    expect(features.filters).toContain("scale");
    expect(features.encoders).not.toContain("Video");
  });
});

describe("runFfmpeg", () => {
  it("reports progress up to the end", () => {
    expect(reports.at(-1)).toMatchObject({ frames: 50, isLast: true, duplicatedFrames: 0, droppedFrames: 0 });
    expect(reports.at(-1)?.outputSeconds).toBeCloseTo(2, 1);
  });

  it("fails with ffmpeg's own reason", async () => {
    const broken = join(folder, "broken.mp4");
    await writeFile(broken, "this is no film");
    const run = runFfmpeg(tools, { inputs: [{ path: broken }], outputArguments: ["-f", "null", "-"] });
    await expect(run).rejects.toMatchObject({
      code: "FFMPEG_FAILED",
      message: expect.stringContaining("Invalid data"),
    });
  });

  it("opens no network address that a hostile playlist names", async () => {
    const playlist = join(folder, "list.m3u8");
    const lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:2,", "http://127.0.0.1:9/a.ts", "#EXT-X-ENDLIST", ""];
    await writeFile(playlist, lines.join("\n"));
    const run = runFfmpeg(tools, { inputs: [{ path: playlist }], outputArguments: ["-f", "null", "-"] });
    await expect(run).rejects.toThrow(/not on whitelist|Invalid data/i);
  });

  it("stops on abort", async () => {
    const signal = AbortSignal.timeout(300);
    const endless = ["-f", "lavfi", "-i", "testsrc2=size=1280x720", "-f", "null", "-"];
    await expect(runFfmpeg(tools, { inputs: [], outputArguments: endless, signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});

describe("createProgressParser", () => {
  it("reads reports from pieces cut anywhere", () => {
    const text = "frame=12\nout_time_us=480000\ntotal_size=N/A\nprogress=continue\nframe=25\nprogress=end\n";
    for (let cut = 0; cut <= text.length; cut += 1) {
      const seen: FfmpegProgress[] = [];
      const feed = createProgressParser((progress) => seen.push(progress));
      feed(Buffer.from(text.slice(0, cut)));
      feed(Buffer.from(text.slice(cut)));
      expect(seen).toMatchObject([
        { frames: 12, outputSeconds: 0.48, outputBytes: 0, isLast: false },
        { frames: 25, isLast: true },
      ]);
    }
  });
});

describe("probing and checking", () => {
  it("describes the streams", async () => {
    const media = await probeMedia(tools, movie);
    expect(media.format).toContain("mp4");
    expect(media.durationSeconds).toBeCloseTo(2, 1);
    expect(media.streams).toMatchObject([
      { index: 0, kind: "video", codec: "h264", width: 160, height: 120, frames: 50, channels: undefined },
      { index: 1, kind: "audio", codec: "aac", sampleRate: 48_000, channels: 1 },
    ]);
  });

  it("refuses what is no media file", async () => {
    const empty = join(folder, "empty.mp4");
    await writeFile(empty, "");
    await expect(probeMedia(tools, empty)).rejects.toMatchObject({ code: "FFMPEG_FAILED" });
  });

  it("digests frames", async () => {
    const frames = await frameHashes(tools, movie);
    expect(frames).toHaveLength(50);
    expect(frames[25]).toMatchObject({
      stream: 0,
      bytes: 160 * 120 * 1.5,
      hash: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(frames[25]?.ptsSeconds).toBeCloseTo(1, 9);
    expect(new Set(frames.map((frame) => frame.hash)).size).toBe(50);
  });

  it("digests packets, and lists them where they lie in the file", async () => {
    const packets = await listPackets(tools, movie);
    const video = packets.filter((packet) => packet.kind === "video");
    const hashes = await frameHashes(tools, movie, { packets: true });
    expect(hashes.map((hash) => hash.bytes)).toEqual(video.map((packet) => packet.bytes));
    expect(video[0]).toMatchObject({ stream: 0, isKey: true, ptsSeconds: 0 });
    expect(video[0]?.durationSeconds).toBeCloseTo(0.04, 6);
  });

  it("digests all packets of a stream as one", async () => {
    const bytes = await readFile(movie);
    const digest = createHash("md5");
    for (const { kind, position = 0, bytes: size } of await listPackets(tools, movie)) {
      if (kind === "video") digest.update(bytes.subarray(position, position + size));
    }
    expect(await digestPackets(tools, movie, 0)).toBe(digest.digest("hex"));
    expect(await digestPackets(tools, movie, 1)).not.toBe(await digestPackets(tools, movie, 0));
  });

  it("tells how far decoding has come", async () => {
    const times: number[] = [];
    const { videoFrames, audioFrames } = await verifyDecodes(tools, movie, { onFrame: (time) => times.push(time) });
    expect(times).toHaveLength(videoFrames + audioFrames);
    expect(Math.min(...times)).toBeLessThan(0.05);
    expect(Math.max(...times)).toBeCloseTo(2, 0);
    const fractions: number[] = [];
    const onProgress = (fraction: number): void => void fractions.push(fraction);
    const demand = { what: "The movie", pictures: videoFrames, signal: new AbortController().signal };
    await requireDecodes(tools, movie, { ...demand, onProgress });
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(new Set(fractions).size).toBeGreaterThanOrEqual(videoFrames);
    expect(fractions.at(-1)).toBe(1);
  });

  it("tells a clean file from a spoilt one", async () => {
    expect(await verifyDecodes(tools, movie)).toMatchObject({ isClean: true, videoFrames: 50, complaints: [] });
    expect((await verifyDecodes(tools, movie)).audioFrames).toBeGreaterThan(90);
    expect((await verifyDecodes(tools, movie, { maxSeconds: 1 })).videoFrames).toBe(25);
    expect(await verifyDecodes(tools, movie, { streams: "audio" })).toMatchObject({ isClean: true, videoFrames: 0 });
    const spoilt = join(folder, "spoilt.mp4");
    const bytes = await readFile(movie);
    const packets = await listPackets(tools, movie);
    const victim = packets.find((packet) => packet.kind === "video" && !packet.isKey);
    await writeFile(spoilt, bytes.fill(0xff, victim?.position, (victim?.position ?? 0) + (victim?.bytes ?? 0)));
    const check = await verifyDecodes(tools, spoilt);
    expect(check.isClean).toBe(false);
    expect(check.complaints.length).toBeGreaterThan(0);
  });

  it("says which of several files does not decode, or lacks pictures", async () => {
    const [pictures, sound] = [join(folder, "pictures.mp4"), join(folder, "sound.mp4")];
    for (const [map, path] of [
      ["0:v", pictures],
      ["0:a", sound],
    ] as const) {
      const outputArguments = ["-map", map, "-c", "copy", fileArgument(path)];
      await runFfmpeg(tools, { inputs: [{ path: movie }], outputArguments });
    }
    const spoilt = join(folder, "spoilt-pictures.mp4");
    const bytes = await readFile(pictures);
    const victim = (await listPackets(tools, pictures)).find((packet) => !packet.isKey);
    await writeFile(spoilt, bytes.fill(0xff, victim?.position, (victim?.position ?? 0) + (victim?.bytes ?? 0)));
    const check = async (...demands: readonly [path: string, pictures: number | null][]): Promise<number[]> => {
      const fractions: number[] = [];
      const streams = demands.map(([path, count]) => ({ what: basename(path), path, pictures: count }));
      const onProgress = (fraction: number): void => void fractions.push(fraction);
      await requireAllDecode(tools, streams, { signal: new AbortController().signal, onProgress });
      return fractions;
    };
    const fractions = await check([pictures, 50], [sound, null], [pictures, 50]);
    expect(fractions).toHaveLength(100);
    expect(fractions.at(-1)).toBe(1);
    const isRefused = (message: RegExp) => ({ code: "OUTPUT_NOT_VERIFIED", message: expect.stringMatching(message) });
    const spoiltOne = check([pictures, 50], [spoilt, 50], [sound, null]);
    await expect(spoiltOne).rejects.toMatchObject(isRefused(/^spoilt-pictures\.mp4 does not decode/));
    const shortOne = check([pictures, 50], [pictures, 51]);
    await expect(shortOne).rejects.toMatchObject(isRefused(/50 pictures came out, 51 were to come/));
  });
});
