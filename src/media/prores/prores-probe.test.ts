import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { parseProresFrameHeader } from "./frame-header.ts";
import { createProresProbe } from "./prores-probe.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-prores-"));
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

const PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=0.4"];

describe("createProresProbe", () => {
  it.each([
    ["422.mov", ["-c:v", "prores_ks", "-profile:v", "2"], "4:2:2", 0],
    ["444.mov", ["-c:v", "prores_ks", "-profile:v", "4", "-pix_fmt", "yuva444p10le"], "4:4:4", 0],
    ["plain.mov", ["-c:v", "prores"], "4:2:2", 0],
    ["interlaced.mov", ["-vf", "setfield=tff", "-c:v", "prores_ks", "-flags", "+ildct"], "4:2:2", 1],
  ] as const)("finds every frame of %s exactly", (name, args, chroma, interlaceMode) => {
    const { bytes, packets } = encode(name, ...PICTURE, ...args);
    const probe = createProresProbe({ widthPixels: 320, heightPixels: 240, chroma });
    expect(packets).toHaveLength(10);
    for (const { pos, size } of packets) {
      const answer = probe.probe(bytes, pos, pos + 256);
      expect(answer).toMatchObject({ kind: "packet", sizeBytes: size, isSync: true });
      expect(parseProresFrameHeader(bytes, pos)).toMatchObject({ widthPixels: 320, heightPixels: 240, interlaceMode });
      expect(createProresProbe({ widthPixels: 640 }).probe(bytes, pos, pos + 256)).toEqual({ kind: "no" });
      expect(probe.probe(bytes, pos, pos + 20)).toMatchObject({ kind: "more" });
    }
  });

  it("never throws, whatever follows the magic", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (rest) => {
        const bytes = Uint8Array.of(0, 0, 1, 0, 0x69, 0x63, 0x70, 0x66, ...rest);
        const answer = createProresProbe().probe(bytes, 0, bytes.length);
        if (answer.kind === "packet") expect(answer.sizeBytes).toBe(256);
      }),
    );
  });
});
