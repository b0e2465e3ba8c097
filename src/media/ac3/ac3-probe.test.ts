import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEncoder } from "../../../test/support/encode.ts";
import { createAc3Probe } from "./ac3-probe.ts";
import { createEac3Probe } from "./eac3-probe.ts";
import { parseDac3, parseDec3 } from "./specific-boxes.ts";

const encode = createEncoder("ac3");

const NOISE = ["-f", "lavfi", "-i", "anoisesrc=a=0.1:r=48000:d=1,aformat=channel_layouts=5.1"];

/** Payload of the first box of that name: its text is found, as the files are known. */
function boxPayload(bytes: Uint8Array, name: string): Uint8Array {
  const index = Buffer.from(bytes).indexOf(name);
  const size = new DataView(bytes.buffer, bytes.byteOffset + index - 4).getUint32(0);
  return bytes.subarray(index + 4, index - 4 + size);
}

describe("createAc3Probe", () => {
  it.each([
    ["48k.mp4", ["-b:a", "448k"]],
    ["44k.mov", ["-ar", "44100", "-ac", "2", "-b:a", "192k"]],
    ["32k.mp4", ["-ar", "32000", "-ac", "1", "-b:a", "64k"]],
  ])("finds every frame of %s exactly", (name, args) => {
    const { bytes, packets } = encode(name, ...NOISE, "-c:a", "ac3", ...args);
    const config = parseDac3(boxPayload(bytes, "dac3"));
    expect(packets.length).toBeGreaterThan(10);
    for (const { pos, size } of packets) {
      expect(createAc3Probe().probe(bytes, pos, pos + 7)).toMatchObject({ kind: "packet", sizeBytes: size });
      const answer = createAc3Probe(config).probe(bytes, pos, pos + size);
      expect(answer).toMatchObject({ kind: "packet", sizeBytes: size, durationSamples: 1536 });
      if (answer.kind === "packet") expect(answer.evidenceBits).toBeGreaterThan(40);
    }
  });

  it("never throws and never claims a packet without the sync word", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        for (const probe of [createAc3Probe(), createEac3Probe()]) {
          const answer = probe.probe(bytes, 0, bytes.length);
          if (answer.kind === "packet") expect([bytes[0], bytes[1]]).toEqual([0x0b, 0x77]);
        }
      }),
    );
  });
});

describe("createEac3Probe", () => {
  it.each([
    ["whole.mp4", ["-b:a", "384k"], 1],
    ["two-block-frames.mp4", ["-b:a", "3000k"], 3],
    ["stereo.mov", ["-ac", "2", "-b:a", "96k"], 1],
  ])("finds every sample of %s exactly", (name, args, framesPerSample) => {
    const { bytes, packets } = encode(name, ...NOISE, "-c:a", "eac3", ...args);
    const config = parseDec3(boxPayload(bytes, "dec3"));
    // ffprobe splits samples of several syncframes and gives a place for the first one only.
    const samples = packets
      .filter(({ pos }) => pos > 0)
      .map(({ pos, size }) => ({ pos, size: size * framesPerSample }));
    expect(samples.length).toBeGreaterThan(10);
    samples.forEach(({ pos, size }, i) => {
      const answer = createEac3Probe(config).probe(bytes, pos, pos + size);
      expect(answer).toMatchObject({ kind: "packet", sizeBytes: size, durationSamples: 1536 });
      const isLast = i === samples.length - 1;
      if (!isLast) expect(createEac3Probe().probe(bytes, pos, bytes.length)).toMatchObject({ sizeBytes: size });
    });
  });

  it("gathers the dependent substreams of a sample", () => {
    const frame = (strmtyp: number, id: number): number[] => {
      const sizeBytes = 16;
      return [0x0b, 0x77, (strmtyp << 6) | (id << 3), sizeBytes / 2 - 1, 0x34, 16 << 3, ...new Array(10).fill(0)];
    };
    const sample = [...frame(0, 0), ...frame(1, 0)];
    const bytes = Uint8Array.from([...sample, ...sample]);
    expect(createEac3Probe().probe(bytes, 0, 64)).toMatchObject({ kind: "packet", sizeBytes: 32 });
    expect(createEac3Probe().probe(bytes, 0, 32)).toEqual({ kind: "more", neededBytes: 39 });
  });
});
