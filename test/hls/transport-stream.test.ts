import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readMedia } from "./ladder.fixture.ts";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();

/** What ffprobe says of every packet or picture in a file or in bytes. */
function probe(input: string | Buffer, entries: string, format: readonly string[] = []): readonly string[] {
  const [path, stdin] = typeof input === "string" ? [input, undefined] : ["pipe:0", input];
  const options = ["-v", "error", ...format, "-show_entries", entries, "-of", "csv=p=0", path];
  const text = execFileSync("ffprobe", options, { encoding: "utf8", input: stdin, stdio: ["pipe", "pipe", "inherit"] });
  return text.split("\n").filter((line) => line !== "");
}

describe("a package of transport streams", () => {
  it("may have rungs of one bit rate where the pictures are too plain to take more", async () => {
    const input = packages.encode("black.mp4", "color=black:s=320x180:r=25:d=5", ["-f", "lavfi", "-i", "sine=d=5"]);
    expect((await packages.make(input, { segments: "ts", preset: "medium" })).failed).toEqual([]);
  });

  it("has segments that play by themselves, on one clock with the sound, and I-frames that decode alone", async () => {
    const input = packages.clip("seven.mp4", { seconds: 7, rate: "30000/1001", size: "320x180" });
    const { folder, main, failed } = await packages.make(input, { segments: "ts" });
    expect(failed).toEqual([]);
    const pictures = main.variants.filter(({ resolution }) => resolution !== undefined);
    expect(pictures).toHaveLength(2);
    for (const { uri } of pictures) {
      const place = join(folder, uri, "..");
      const media = readMedia(join(place, "index.m3u8"));
      expect(media.segments.map(({ uri: name }) => name)).toEqual(["segment-00001.ts", "segment-00002.ts"]);
      expect(media.segments.every(({ map, byteRange }) => map === undefined && byteRange === undefined)).toBe(true);
      const times = media.segments.flatMap(({ uri: name }) => probe(join(place, name), "packet=pts_time"));
      expect(times).toHaveLength(210);
      expect(times[0]).toMatch(/^10\.000000/);
      for (const [index, time] of times.entries()) {
        expect(Math.abs(Number.parseFloat(time) - 10 - (index * 1001) / 30_000)).toBeLessThan(0.00002);
      }
      const iFrames = readMedia(join(place, "iframes.m3u8"));
      expect(iFrames.segments).toHaveLength(4);
      for (const { uri: name, byteRange } of iFrames.segments) {
        const { offsetBytes = 0, lengthBytes = 0 } = byteRange ?? {};
        expect([offsetBytes % 188, lengthBytes % 188]).toEqual([0, 0]);
        const bytes = readFileSync(join(place, name)).subarray(offsetBytes, offsetBytes + lengthBytes);
        expect(probe(bytes, "frame=pict_type", ["-f", "mpegts"]).map((line) => line[0])).toEqual(["I"]);
      }
    }
    const sound = join(folder, main.renditions[0]?.uri ?? "", "..");
    expect(readdirSync(sound).sort()).toEqual(["index.m3u8", "segment-00001.aac", "segment-00002.aac"]);
    const second = readFileSync(join(sound, "segment-00002.aac"));
    expect(second.subarray(0, 3).toString()).toBe("ID3");
    const stamp = second.readBigUInt64BE(second.indexOf("transportStreamTimestamp\0") + 25);
    expect(Math.abs(Number(stamp) / 90_000 - 16)).toBeLessThan(0.022);
  });

  it("keeps to 192 kbit/s where no sound is there to do so, and tells subtitles its clock", async () => {
    const silent = await packages.make(packages.source("no-audio"), { segments: "ts" });
    expect(silent.failed).toEqual([]);
    expect(Math.min(...silent.main.variants.map((one) => one.bandwidthBitsPerSecond))).toBeLessThanOrEqual(192_000);
    const spoken = await packages.make(packages.source("srt"), { segments: "ts" });
    expect(spoken.failed).toEqual([]);
    const texts = spoken.main.renditions.find(({ type }) => type === "SUBTITLES");
    const text = readFileSync(join(spoken.folder, texts?.uri ?? "", "..", "segment-00001.vtt"), "utf8");
    expect(text).toContain("X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n");
  });

  it.each([
    ["a single key picture", "25", 1.5],
    ["a single picture", "1", 1],
  ])("may be of a recording that has %s", async (_what, rate, seconds) => {
    const input = packages.clip(`short-${rate}.mp4`, { seconds, rate, size: "320x180" });
    const { main, failed } = await packages.make(input, { segments: "ts" });
    expect(failed).toEqual([]);
    const pictures = main.variants.filter(({ resolution }) => resolution !== undefined);
    expect(pictures.map(({ framesPerSecond }) => framesPerSecond)).toEqual(pictures.map(() => Number(rate)));
    expect(main.iFrameVariants).toHaveLength(pictures.length);
  });

  it("holds H.264 alone", async () => {
    const refused = packages.make(packages.source("no-audio"), { segments: "ts", codecs: ["h264", "hevc"] });
    await expect(refused).rejects.toThrow("hevc needs fragmented MP4");
  });
});
