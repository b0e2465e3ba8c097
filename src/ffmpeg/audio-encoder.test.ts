import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { type AudioCodec, audioArguments } from "./audio-encoder.ts";

/** Encodes a little silence; gives what ffprobe says of it: codec, sample rate, channels, layout. */
function encode(codec: AudioCodec, layout: string | undefined, channels: number): string {
  const { arguments: args, filter, madeChannels } = audioArguments({ codec, channels, channelLayout: layout });
  const silence = ["-f", "lavfi", "-i", `anullsrc=channel_layout=${layout}:sample_rate=44100`];
  const raw = ["-f", "s16le", "-ar", "44100", "-ac", String(channels), "-i", "/dev/zero"];
  const source = [...(layout === undefined ? raw : silence), "-t", "0.2"];
  const bytes = execFileSync("ffmpeg", [
    ...["-nostdin", "-v", "error", ...source, "-af", filter, ...args, "-f", "matroska", "-"],
  ]);
  const entries = ["-show_entries", "stream=codec_name,sample_rate,channels,channel_layout", "-of", "csv=p=0"];
  const probed = execFileSync("ffprobe", ["-v", "error", ...entries, "-"], { input: bytes, encoding: "utf8" }).trim();
  expect(probed.split(",")[2]).toBe(String(madeChannels));
  return probed;
}

describe("audioArguments", () => {
  it("has 128 kbit/s where nothing else is asked for", () => {
    expect(audioArguments({ codec: "aac", channels: 2 }).arguments).toEqual(["-c:a", "aac", "-b:a", "128k"]);
    expect(audioArguments({ codec: "opus", channels: 2, bitrateKbps: 96 }).arguments).toEqual([
      ...["-c:a", "libopus", "-b:a", "96k"],
    ]);
  });

  it.each([
    ["mono", 1, "opus,48000,1,mono"],
    ["stereo", 2, "opus,48000,2,stereo"],
    ["2.1", 3, "opus,48000,2,stereo"],
    ["quad", 4, "opus,48000,4,quad"],
    ["5.0(side)", 5, "opus,48000,5,5.0"],
    ["5.1(side)", 6, "opus,48000,6,5.1"],
    ["5.1", 6, "opus,48000,6,5.1"],
    ["7.1", 8, "opus,48000,8,7.1"],
    ["3.1", 4, "opus,48000,6,5.1"],
    ["4.0", 4, "opus,48000,5,5.0"],
    ["6.1(back)", 7, "opus,48000,8,7.1"],
    ["7.1(wide)", 8, "opus,48000,6,5.1"],
    ["hexadecagonal", 16, "opus,48000,8,7.1"],
    ["22.2", 24, "opus,48000,8,7.1"],
    [undefined, 4, "opus,48000,5,5.0"],
    [undefined, 10, "opus,48000,8,7.1"],
  ])("makes Opus of %s, %i channels", (layout, channels, probed) => {
    expect(encode("opus", layout, channels)).toBe(probed);
  });

  it.each([
    ["stereo", 2, "aac,44100,2,stereo"],
    ["5.1(side)", 6, "aac,44100,6,5.1"],
    ["2.1", 3, "aac,44100,3,2.1"],
    ["4.0", 4, "aac,44100,4,4.0"],
    ["downmix", 2, "aac,44100,2,stereo"],
    ["6.1", 7, "aac,44100,8,7.1"],
    ["7.0(front)", 7, "aac,44100,5,5.0"],
    [undefined, 9, "aac,44100,8,7.1"],
    [undefined, 24, "aac,44100,8,7.1"],
  ])("makes AAC of %s, %i channels", (layout, channels, probed) => {
    expect(encode("aac", layout, channels)).toBe(probed);
  });

  it("refuses a bitrate that no encoder takes", () => {
    for (const bitrateKbps of [0, 7, 513, 128.5, Number.NaN]) {
      expect(() => audioArguments({ codec: "opus", channels: 2, bitrateKbps })).toThrow(/audioBitrate is .* 8 to 512/);
    }
    expect(audioArguments({ codec: "opus", channels: 6, bitrateKbps: 600 }).arguments).toContain("600k");
  });
});
