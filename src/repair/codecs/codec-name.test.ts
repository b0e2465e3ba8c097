import { describe, expect, it } from "vitest";
import type { SampleEntry } from "../../media/isobmff/movie.ts";
import { codecNameOf, trackCodecs } from "./codec-name.ts";

const entry = (format: string, more: Partial<SampleEntry> = {}): SampleEntry => ({
  format,
  raw: new Uint8Array(0),
  children: new Map(),
  ...more,
});

const ofObjectType = (format: string, type: number): SampleEntry => {
  const config = [0x04, 13, type, ...new Array<number>(12).fill(0)];
  const esds = [0, 0, 0, 0, 0x03, 3 + config.length, 0, 1, 0, ...config];
  return entry(format, { children: new Map([["esds", Uint8Array.from(esds)]]) });
};

const pcm = (format: string, sampleSizeBits: number, formatFlags?: number): SampleEntry => {
  const version = formatFlags === undefined ? 0 : 2;
  const shared = { channelCount: 2, sampleRateHz: 48_000, bytesPerFrame: sampleSizeBits / 4 };
  return entry(format, { audio: { version, sampleSizeBits, formatFlags: formatFlags ?? 0, ...shared } });
};

describe("codecNameOf", () => {
  it.each([
    [entry("avc1"), "h264"],
    [entry("avc3"), "h264"],
    [entry("hev1"), "hevc"],
    [entry("apcn"), "prores"],
    [entry("Opus"), "opus"],
    [entry("alac"), "alac"],
    [entry("mp4a"), "aac"],
    [ofObjectType("mp4a", 0x40), "aac"],
    [ofObjectType("mp4a", 0x6b), "mp3"],
    [ofObjectType("mp4v", 0x20), "mpeg4"],
    [ofObjectType("mp4v", 0x6c), "mjpeg"],
    [pcm("sowt", 16), "pcm_s16le"],
    [pcm("twos", 16), "pcm_s16be"],
    [pcm("in24", 16), "pcm_s24be"],
    [pcm("raw ", 8), "pcm_u8"],
    [pcm("lpcm", 32, 1), "pcm_f32le"],
    [pcm("ulaw", 16), "pcm_mulaw"],
    [entry("gpmd"), "gpmd"],
    [entry("    "), "unknown"],
    [undefined, "unknown"],
  ])("calls %o as ffmpeg does", (given, name) => {
    expect(codecNameOf(given)).toBe(name);
  });
});

describe("trackCodecs", () => {
  it("names each codec of a track once", () => {
    expect(trackCodecs({ sampleEntries: [entry("avc1"), entry("avc3"), entry("hvc1")] })).toBe("h264+hevc");
    expect(trackCodecs({ sampleEntries: [] })).toBe("unknown");
  });
});
