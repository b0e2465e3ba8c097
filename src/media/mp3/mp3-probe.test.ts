import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEncoder } from "../../../test/support/encode.ts";
import { createMp3Probe, type Mp3Constraints } from "./mp3-probe.ts";
import { parseMpegAudioHeader } from "./mpeg-audio-header.ts";

const encode = createEncoder("mp3");

const TONE = ["-f", "lavfi", "-i", "sine=f=440:r=48000:d=1,aformat=channel_layouts=stereo"];

describe("createMp3Probe", () => {
  it.each([
    ["cbr.mp4", ["-c:a", "libmp3lame", "-b:a", "128k"], 1152],
    ["vbr.mov", ["-c:a", "libmp3lame", "-q:a", "2"], 1152],
    ["mono.mp4", ["-c:a", "libmp3lame", "-ac", "1", "-b:a", "64k"], 1152],
    ["mpeg2.mp4", ["-c:a", "libmp3lame", "-ar", "22050"], 576],
    ["mpeg25.mp4", ["-c:a", "libmp3lame", "-ar", "16000"], 576],
    ["layer2.mp4", ["-c:a", "mp2", "-b:a", "192k"], 1152],
    ["odd.mp4", ["-c:a", "libmp3lame", "-ar", "44100", "-b:a", "112k"], 1152],
  ])("finds every frame of %s exactly", (name, args, durationSamples) => {
    const { bytes, packets } = encode(name, ...TONE, ...args);
    const first = packets[0];
    expect(packets.length).toBeGreaterThan(10);
    if (first === undefined) return;
    const header = parseMpegAudioHeader(new DataView(bytes.buffer, bytes.byteOffset + first.pos).getUint32(0));
    if (header === undefined) throw new Error("The first packet has no header.");
    const { version, layer, sampleRateHz, channelCount } = header;
    const probe = createMp3Probe({ version, layer, sampleRateHz, channelCount });
    for (const { pos, size } of packets) {
      const visible = Math.min(bytes.length, pos + 64);
      expect(probe.probe(bytes, pos, visible)).toMatchObject({ kind: "packet", sizeBytes: size, durationSamples });
      expect(createMp3Probe().probe(bytes, pos, visible)).toMatchObject({ kind: "packet", sizeBytes: size });
      expect(probe.probe(bytes, pos + 1, visible)).toEqual({ kind: "no" });
    }
  });

  it("asks for more of a frame that is cut short, and leaves the end of free format open", () => {
    const frame = Uint8Array.of(0xff, 0xfd, 0x00, 0x00);
    expect(createMp3Probe().probe(frame, 0, 3)).toEqual({ kind: "more", neededBytes: 4 });
    expect(createMp3Probe().probe(frame, 0, 4)).toMatchObject({ kind: "open" });
    expect(createMp3Probe({ freeFormatFrameBytes: 700 }).probe(frame, 0, 4)).toMatchObject({ sizeBytes: 700 });
  });

  it("answers on any bytes without throwing", () => {
    const constraints: Mp3Constraints = { version: 1, layer: 3, sampleRateHz: 48000, channelCount: 2 };
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 40, maxLength: 200 }), (bytes) => {
        const answer = createMp3Probe(constraints).probe(bytes, 0, bytes.length);
        expect(["no", "packet", "open", "more"]).toContain(answer.kind);
      }),
    );
  });
});
