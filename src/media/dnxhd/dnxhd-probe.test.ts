import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEncoder } from "../../../test/support/encode.ts";
import { createDnxhdProbe } from "./dnxhd-probe.ts";

const encode = createEncoder("dnxhd");

const picture = (size: string): string[] => ["-f", "lavfi", "-i", `testsrc2=s=${size}:r=25:d=0.12`];
const HR = ["-c:v", "dnxhd", "-profile:v"];

describe("createDnxhdProbe", () => {
  it.each([
    ["hd145.mov", "1920x1080", ["-c:v", "dnxhd", "-b:v", "120M", "-pix_fmt", "yuv422p"]],
    ["hd10.mov", "1920x1080", ["-c:v", "dnxhd", "-b:v", "185M", "-pix_fmt", "yuv422p10le"]],
    ["interlaced.mov", "1920x1080", ["-c:v", "dnxhd", "-b:v", "120M", "-pix_fmt", "yuv422p", "-flags", "+ildct"]],
    ["720.mov", "1280x720", ["-c:v", "dnxhd", "-b:v", "90M", "-r", "50", "-pix_fmt", "yuv422p"]],
    ["lb.mov", "640x360", [...HR, "dnxhr_lb", "-pix_fmt", "yuv422p"]],
    ["sq.mov", "1280x720", [...HR, "dnxhr_sq", "-pix_fmt", "yuv422p"]],
    ["hqx.mov", "720x576", [...HR, "dnxhr_hqx", "-pix_fmt", "yuv422p10le"]],
    ["444.mov", "1920x1080", [...HR, "dnxhr_444", "-pix_fmt", "yuv444p10le"]],
    ["uhd.mov", "3840x2160", [...HR, "dnxhr_hq", "-pix_fmt", "yuv422p"]],
  ])("finds every frame of %s exactly", (name, size, args) => {
    const { bytes, packets } = encode(name, ...picture(size), ...args);
    expect(packets.length).toBeGreaterThanOrEqual(3);
    for (const packet of packets) {
      const { pos } = packet;
      const answer = createDnxhdProbe().probe(bytes, pos, pos + 64);
      expect(answer).toMatchObject({ kind: "packet", sizeBytes: packet.size, isSync: true });
      const whole = createDnxhdProbe({ packetSizeBytes: packet.size }).probe(bytes, pos, pos + packet.size);
      if (whole.kind === "packet") expect(whole.evidenceBits).toBe(95);
      expect(createDnxhdProbe().probe(bytes, pos + 1, pos + 64)).toEqual({ kind: "no" });
    }
  });

  it("never throws, whatever follows the prefix", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (rest) => {
        const bytes = Uint8Array.of(0, 0, 2, 0x80, 1, ...rest);
        expect(createDnxhdProbe().probe(bytes, 0, bytes.length).kind).toMatch(/^(more|no|open|packet)$/);
      }),
    );
  });
});
