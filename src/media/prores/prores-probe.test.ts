import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEncoder } from "../../../test/support/encode.ts";
import { parseProresFrameHeader } from "./frame-header.ts";
import { createProresProbe } from "./prores-probe.ts";

const encode = createEncoder("prores");

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
