import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { createDnxhdProbe } from "./dnxhd-probe.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-dnxhd-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Encoded {
  readonly bytes: Uint8Array;
  readonly packets: readonly { readonly pos: number; readonly size: number }[];
}

/** Runs ffmpeg and returns the file with where ffprobe says its packets lie. */
function encode(fileName: string, ...args: readonly string[]): Encoded {
  const path = join(folder, fileName);
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...args, path]);
  const text = execFileSync("ffprobe", ["-v", "error", "-show_entries", "packet=pos,size", "-of", "csv=p=0", path], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const packets = text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [size = "0", pos = "0"] = line.split(",");
      return { size: Number(size), pos: Number(pos) };
    });
  return { bytes: readFileSync(path), packets };
}

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
