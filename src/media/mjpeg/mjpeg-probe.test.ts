import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEncoder } from "../../../test/support/encode.ts";
import { createMemorySource } from "../bytes/byte-source.ts";
import { ByteWindow } from "../bytes/byte-window.ts";
import { createMjpegProbe, learnMjpegConstraints, readJpegSize } from "./mjpeg-probe.ts";

const encode = createEncoder("mjpeg");
const PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=0.4"];

describe("createMjpegProbe", () => {
  it.each([
    ["plain.mov", ["-q:v", "3"]],
    ["optimal.mov", ["-q:v", "1", "-huffman", "optimal"]],
    ["444.mov", ["-pix_fmt", "yuvj444p"]],
    ["slices.mov", ["-slices", "4"]],
  ])("finds every frame of %s exactly", (name, args) => {
    const { bytes, packets } = encode(name, ...PICTURE, "-c:v", "mjpeg", ...args);
    const probe = createMjpegProbe({ widthPixels: 320, heightPixels: 240 });
    const window = new ByteWindow(createMemorySource(bytes), 4096);
    expect(packets).toHaveLength(10);
    for (const { pos, size } of packets) {
      expect(probe.probe(bytes, pos, pos + size)).toMatchObject({ kind: "packet", sizeBytes: size, isSync: true });
      expect(probe.probeWindow(window, pos)).toMatchObject({ kind: "packet", sizeBytes: size });
      expect(probe.probe(bytes, pos, pos + size - 1)).toMatchObject({ kind: "more" });
      expect(createMjpegProbe({ widthPixels: 322 }).probe(bytes, pos, pos + size)).toEqual({ kind: "no" });
      expect(readJpegSize(bytes, pos, pos + size)).toEqual({ widthPixels: 320, heightPixels: 240 });
    }
  });

  it("steps over a thumbnail, takes two fields as one packet, and counts the filling", () => {
    const { bytes, packets } = encode("one.mov", ...PICTURE, "-frames:v", "1", "-c:v", "mjpeg");
    const { pos, size } = packets[0] ?? { pos: 0, size: 0 };
    const jpeg = bytes.subarray(pos, pos + size);
    const withThumbnail = Buffer.concat([
      Buffer.of(0xff, 0xd8, 0xff, 0xe1, (size + 2) >> 8, (size + 2) & 255),
      jpeg,
      jpeg.subarray(2),
    ]);
    expect(createMjpegProbe().probe(withThumbnail, 0, withThumbnail.length)).toMatchObject({
      sizeBytes: withThumbnail.length,
    });
    const avi1 = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x41, 0x56, 0x49, 0x31, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const field = Buffer.concat([avi1, jpeg.subarray(2)]);
    const twoFields = Buffer.concat([field, Buffer.alloc(3), field]);
    expect(createMjpegProbe().probe(twoFields, 0, twoFields.length)).toMatchObject({ sizeBytes: twoFields.length });
    const filled = Buffer.concat([jpeg, Buffer.alloc(512 - (size % 512)), jpeg]);
    expect(learnMjpegConstraints([filled.subarray(0, filled.length - size)])).toMatchObject({
      widthPixels: 320,
      fieldsPerSample: 1,
    });
    expect(learnMjpegConstraints([twoFields])).toMatchObject({ fieldsPerSample: 2, alignmentBytes: 1 });
    expect(createMjpegProbe({ alignmentBytes: 512 }).probe(filled, 0, filled.length)).toMatchObject({
      sizeBytes: filled.length - size,
    });
  });

  it("trusts a frame with a hole of zeros in it little", () => {
    const { bytes, packets } = encode("hole.mov", ...PICTURE, "-frames:v", "2", "-c:v", "mjpeg", "-q:v", "2");
    const { pos, size } = packets[0] ?? { pos: 0, size: 0 };
    const holed = Uint8Array.from(bytes);
    holed.fill(0, pos + 2000, pos + 3000);
    const answer = createMjpegProbe().probe(holed, pos, pos + size);
    expect(answer).toMatchObject({ kind: "packet", evidenceBits: 12 });
  });

  it("never throws, whatever follows SOI", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (rest) => {
        const bytes = Uint8Array.of(0xff, 0xd8, 0xff, ...rest);
        expect(createMjpegProbe().probe(bytes, 0, bytes.length).kind).toMatch(/^(more|no|packet)$/);
      }),
    );
  });
});
