import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openBox } from "./box-reader.ts";
import { serializeBox, serializeFullBox } from "./box-writer.ts";
import { createAacEntry, createVisualEntry } from "./create-entry.ts";
import { clearEntry, protectEntry } from "./protected-entry.ts";
import { protectFragment } from "./protected-fragment.ts";
import { parseSenc, type Subsample, serializeSenc } from "./senc.ts";
import { parseSinf, serializeSinf } from "./sinf.ts";
import { parseTenc, serializeTenc, type TrackEncryption } from "./tenc.ts";
import { parseTfhd, serializeTfhd } from "./tfhd.ts";
import { parseTrun, serializeTrun } from "./trun.ts";

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const encryption: fc.Arbitrary<TrackEncryption> = fc
  .record({ cryptBlocks: fc.nat(15), skipBlocks: fc.nat(15), keyId: bytesOf(16), vector: fc.option(bytesOf(16)) })
  .map(({ vector, ...rest }) =>
    vector === null
      ? { ...rest, perSampleVectorBytes: 8 }
      : { ...rest, perSampleVectorBytes: 0, constantVector: vector },
  );
const subsamples: fc.Arbitrary<readonly Subsample[]> = fc.array(
  fc.record({ clearBytes: fc.nat(0xffff), protectedBytes: fc.nat(0xffff_ffff) }),
  { maxLength: 42 },
);

describe("boxes of encrypted samples", () => {
  it("come back as they were written", () => {
    fc.assert(
      fc.property(encryption, fc.array(subsamples), (track, samples) => {
        expect(parseTenc(openBox(serializeTenc(track)))).toEqual(track);
        expect(parseSenc(openBox(serializeSenc(samples)))).toEqual(samples);
        const sinf = { originalFormat: "hvc1", scheme: "cbcs", encryption: track };
        expect(parseSinf(serializeSinf(sinf).subarray(8))).toEqual(sinf);
      }),
    );
  });

  it("are laid out as ISO/IEC 23001-7 has them", () => {
    const keyId = Uint8Array.from({ length: 16 }, (_, index) => index);
    const constantVector = Uint8Array.from({ length: 16 }, (_, index) => 0xf0 + index);
    const tenc = serializeTenc({ cryptBlocks: 1, skipBlocks: 9, keyId, perSampleVectorBytes: 0, constantVector });
    const fields = "01000000 00 19 01 00 000102030405060708090a0b0c0d0e0f 10 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
    expect(Buffer.from(tenc.subarray(8)).toString("hex")).toBe(fields.replaceAll(" ", ""));
    const senc = serializeSenc([[{ clearBytes: 5, protectedBytes: 0x12345 }], []]);
    expect(Buffer.from(senc.subarray(8)).toString("hex")).toBe("00000002000000020001000500012345" + "0000");
  });

  it("tell of hostile counts instead of making room for them", () => {
    const huge = serializeFullBox("senc", 0, 2, Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    expect(() => parseSenc(openBox(huge))).toThrow(expect.objectContaining({ code: "MEDIA_MALFORMED" }));
    const withoutSubsamples = serializeFullBox("senc", 0, 0, Uint8Array.of(0, 0, 0, 0));
    expect(() => parseSenc(openBox(withoutSubsamples))).toThrow(/no subsamples/);
  });

  it("say nothing where nothing is protected", () => {
    const clear = serializeTenc({ cryptBlocks: 0, skipBlocks: 0, keyId: new Uint8Array(16), perSampleVectorBytes: 0 });
    clear[14] = 0;
    expect(parseTenc(openBox(clear))).toBeUndefined();
    expect(parseSinf(serializeBox("schi"))).toBeUndefined();
  });
});

describe("an entry of encrypted samples", () => {
  const track = { cryptBlocks: 1, skipBlocks: 9, keyId: new Uint8Array(16), perSampleVectorBytes: 8 };

  it.each([
    ["encv", createVisualEntry({ format: "avc1", widthPixels: 320, heightPixels: 180 })],
    ["enca", createAacEntry(Uint8Array.of(0x11, 0x90), 2, 48_000)],
  ] as const)("is that of clear ones with sinf behind it: %s", (format, entry) => {
    const protectedEntry = protectEntry(entry, "cbcs", track);
    expect(protectedEntry.format).toBe(format);
    expect(Buffer.from(protectedEntry.raw.subarray(8, entry.raw.length))).toEqual(Buffer.from(entry.raw.subarray(8)));
    const { entry: before, protection } = clearEntry(protectedEntry);
    expect(before.format).toBe(entry.format);
    expect(before.children).toEqual(new Map([...entry.children, ["sinf", expect.anything()]]));
    expect(protection).toEqual({ originalFormat: entry.format, scheme: "cbcs", encryption: track });
    expect(clearEntry(entry)).toEqual({ entry });
  });
});

describe("a fragment of encrypted samples", () => {
  const run = { sampleCount: 2, dataOffsetBytes: 100, sizes: Uint32Array.of(40, 50) };
  const moofOf = (isBaseMoof: boolean) =>
    openBox(
      serializeBox(
        "moof",
        serializeFullBox("mfhd", 0, 0, new Uint8Array(4)),
        serializeBox("traf", serializeTfhd({ trackId: 1, isDurationEmpty: false, isBaseMoof }), serializeTrun(run)),
      ),
    );

  it("has its data as much later as it grew, and its information where saio says", () => {
    fc.assert(
      fc.property(subsamples, subsamples, (first, second) => {
        const moof = moofOf(true);
        const grown = protectFragment(moof, [first, second]);
        const boxes = openBox(grown)
          .children()
          .flatMap((box) => box.children());
        const child = (type: string) => boxes.find((box) => box.type === type) ?? openBox(new Uint8Array(0));
        expect(parseTfhd(child("tfhd")).isBaseMoof).toBe(true);
        const growthBytes = grown.length - moof.sizeBytes;
        expect(parseTrun(child("trun"))).toEqual({ ...run, dataOffsetBytes: 100 + growthBytes });
        const sizes = [first, second].map(({ length }) => 2 + 6 * length);
        expect([...child("saiz").rest()]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 2, ...sizes]);
        const saio = child("saio");
        saio.skip(4);
        expect(saio.u32()).toBe(1);
        const entries = grown.subarray(saio.u32());
        expect(entries.length).toBe(sizes.reduce((sum, size) => sum + size));
        expect(parseSenc(child("senc"))).toEqual([first, second]);
        expect(entries[1]).toBe(first.length);
      }),
    );
  });

  it("is refused where its data would not move with it", () => {
    expect(() => protectFragment(moofOf(false), [[], []])).toThrow(/do not count from the moof/);
    const tooMany = Array.from({ length: 43 }, () => ({ clearBytes: 1, protectedBytes: 16 }));
    expect(() => protectFragment(moofOf(true), [tooMany, []])).toThrow(expect.objectContaining({ code: "INTERNAL" }));
  });
});
