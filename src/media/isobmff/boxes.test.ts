import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReelmillError } from "../../base/errors.ts";
import { parseElementaryStreamDescriptor } from "../aac/elementary-stream-descriptor.ts";
import { type BoxReader, openBox } from "./box-reader.ts";
import {
  type BoxPart,
  concatBytes,
  FieldWriter,
  serializeBox,
  serializeBoxHeader,
  serializeFullBox,
} from "./box-writer.ts";
import { parseCo64, serializeCo64 } from "./co64.ts";
import { parseCslg, serializeCslg } from "./cslg.ts";
import { parseCtts, serializeCtts } from "./ctts.ts";
import { parseElst, serializeElst } from "./elst.ts";
import { serializeEsds } from "./esds.ts";
import { parseFtyp, serializeFtyp } from "./ftyp.ts";
import { parseHdlr, serializeHdlr } from "./hdlr.ts";
import { parseMdhd, serializeMdhd } from "./mdhd.ts";
import { parseMvhd, serializeMvhd } from "./mvhd.ts";
import { parseStco, serializeStco } from "./stco.ts";
import { parseStsc, serializeStsc } from "./stsc.ts";
import { parseStss, serializeStss } from "./stss.ts";
import { parseStsz, serializeStsz } from "./stsz.ts";
import { parseStts, serializeStts } from "./stts.ts";
import { parseStz2, serializeStz2 } from "./stz2.ts";
import { parseTfdt, serializeTfdt } from "./tfdt.ts";
import { parseTfhd, serializeTfhd } from "./tfhd.ts";
import { parseTkhd, serializeTkhd } from "./tkhd.ts";
import { parseTrex, serializeTrex } from "./trex.ts";
import { parseTrun, serializeTrun } from "./trun.ts";

const U32_MAX = 0xffff_ffff;
const u32 = fc.oneof(fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, U32_MAX), fc.nat(U32_MAX));
const i32 = fc.oneof(fc.constantFrom(0, -1, 0x7fff_ffff, -0x8000_0000), fc.integer());
/** Durations: 2^32 − 1 means unknown at version 0 and is no value. */
const ticks = fc.oneof(fc.constantFrom(0, U32_MAX - 1, U32_MAX + 1, Number.MAX_SAFE_INTEGER), fc.nat());
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const u32Array = (maxLength = 20) => fc.array(u32, { maxLength }).map((values) => Uint32Array.from(values));

/** Asserts that writing and reading gives the value back, and that no shortened box is read as if it were whole. */
function roundTrips<T>(value: T, serialize: (value: T) => BoxPart, parse: (box: BoxReader) => T): void {
  const bytes = concatBytes([serialize(value)]);
  expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)).toBe(bytes.length);
  expect(parse(openBox(bytes))).toEqual(value);
  const wrong = Array.from(bytes.keys(), (length) => [
    length,
    outcomeOf(() => parse(openBox(bytes.subarray(0, length))), value),
  ]).filter(([, outcome]) => outcome !== "refused" && outcome !== "less");
  expect(wrong).toEqual([]);
}

/** What comes of reading a cut box: text such as a name may be shorter, all else is refused by the reader's own error. */
function outcomeOf(read: () => unknown, whole: unknown): string {
  try {
    return isDeepStrictEqual(read(), whole) ? "taken for whole" : "less";
  } catch (error) {
    return error instanceof ReelmillError && error.code === "MEDIA_MALFORMED" ? "refused" : String(error);
  }
}

describe("header boxes", () => {
  it("round-trip mvhd, tkhd and mdhd at both versions", () => {
    fc.assert(
      fc.property(u32, ticks, bytesOf(76), bytesOf(60), fc.nat(0xffff), (a, durationTicks, movieTail, trackTail, b) => {
        roundTrips({ timescale: a, durationTicks, tail: movieTail, nextTrackId: b }, serializeMvhd, parseMvhd);
        roundTrips({ flags: b, trackId: a, durationTicks, tail: trackTail }, serializeTkhd, parseTkhd);
        roundTrips({ timescale: a, durationTicks, language: b, quality: 0 }, serializeMdhd, parseMdhd);
      }),
    );
  });

  it("take an unknown duration for 0", () => {
    const bytes = serializeMdhd({ timescale: 600, durationTicks: U32_MAX, language: 0, quality: 0 });
    expect(parseMdhd(openBox(bytes)).durationTicks).toBe(0);
  });

  it("round-trip hdlr, ftyp and trex", () => {
    fc.assert(
      fc.property(bytesOf(12), fc.uint8Array({ maxLength: 300 }), u32, (reserved, name, number) => {
        roundTrips({ componentType: "mhlr", handlerType: "vide", reserved, name }, serializeHdlr, parseHdlr);
        const brands = ["isom", "qt  "].slice(0, number % 3);
        roundTrips({ majorBrand: "mp42", minorVersion: number, compatibleBrands: brands }, serializeFtyp, parseFtyp);
        roundTrips(
          { trackId: 1, descriptionIndex: 1, durationTicks: number, sizeBytes: 3, sampleFlags: U32_MAX },
          serializeTrex,
          parseTrex,
        );
      }),
    );
  });

  it("write esds as decoders read it", () => {
    fc.assert(
      fc.property(u32, fc.uint8Array({ minLength: 1, maxLength: 300 }), (maxBitsPerSecond, decoderSpecificInfo) => {
        const rates = { maxBitsPerSecond, averageBitsPerSecond: 7 };
        const box = serializeEsds({ objectType: 0x40, streamType: 5, ...rates, decoderSpecificInfo });
        const told = parseElementaryStreamDescriptor(box.subarray(8));
        expect(told).toEqual({ objectTypeIndication: 0x40, decoderSpecificInfo });
        // What is cut says less, and is no error: recorders get its lengths wrong.
        for (const length of box.subarray(8).keys()) {
          const cut = parseElementaryStreamDescriptor(box.subarray(8, 8 + length));
          expect([undefined, 0x40]).toContain(cut?.objectTypeIndication);
        }
      }),
    );
  });

  it("round-trip edit lists at both versions", () => {
    const mediaTimeTicks = fc.oneof(fc.constantFrom(-1, 0x7fff_ffff, 0x8000_0000, Number.MAX_SAFE_INTEGER), fc.nat());
    const edit = fc.record({
      durationTicks: fc.oneof(u32, fc.constant(2 ** 40)),
      mediaTimeTicks,
      rate: fc.constantFrom(1, 0, 0.5, -1, 2.25),
    });
    fc.assert(fc.property(fc.array(edit), (edits) => roundTrips(edits, serializeElst, parseElst)));
  });
});

describe("table boxes", () => {
  it("round-trip stts, ctts, stss, stco, co64 and cslg", () => {
    fc.assert(
      fc.property(u32Array(), u32Array(), fc.array(i32, { maxLength: 20 }), (some, more, signed) => {
        const length = Math.min(some.length, more.length);
        const pairs = Uint32Array.from({ length: length * 2 }, (_, i) => (i % 2 ? more : some)[i >> 1] ?? 0);
        roundTrips(pairs, serializeStts, parseStts);
        const offsets = Int32Array.from({ length: signed.length * 2 }, (_, i) => (i % 2 ? (signed[i >> 1] ?? 0) : i));
        roundTrips(offsets, serializeCtts, parseCtts);
        roundTrips(
          some.filter((index) => index < U32_MAX),
          serializeStss,
          parseStss,
        );
        roundTrips(Float64Array.from(some), serializeStco, parseStco);
        roundTrips(
          Float64Array.from(some, (offset) => offset * 2 ** 20),
          serializeCo64,
          parseCo64,
        );
        const [shiftTicks = 0, leastOffsetTicks = 0, greatestOffsetTicks = 2 ** 31, startTicks = 0] = signed;
        const relation = { shiftTicks, leastOffsetTicks, greatestOffsetTicks, startTicks, endTicks: 0 };
        roundTrips(relation, serializeCslg, parseCslg);
      }),
    );
  });

  it("round-trip stsz, and stz2 at 4, 8 and 16 bits", () => {
    fc.assert(
      fc.property(u32Array(), fc.constantFrom<4 | 8 | 16>(4, 8, 16), u32, (sizes, bits, count) => {
        roundTrips({ sampleCount: sizes.length, constantSizeBytes: 0, sizes }, serializeStsz, parseStsz);
        const none = new Uint32Array(0);
        roundTrips({ sampleCount: count, constantSizeBytes: 4, sizes: none }, serializeStsz, parseStsz);
        const small = sizes.map((size) => size % 2 ** bits);
        const value = { sampleCount: sizes.length, constantSizeBytes: 0, sizes: small };
        roundTrips(value, (v) => serializeStz2(v.sizes, bits), parseStz2);
      }),
    );
  });

  it("round-trip stsc over chunks of several descriptions", () => {
    const chunk = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }));
    fc.assert(
      fc.property(fc.array(chunk, { minLength: 1 }), (chunks) => {
        const indexes = Uint16Array.from(chunks, ([, index]) => index);
        const value = {
          chunkSampleCounts: Uint32Array.from(chunks, ([count]) => count),
          ...(indexes.some((index) => index > 1) ? { chunkDescriptionIndexes: indexes } : {}),
        };
        roundTrips(value, serializeStsc, (box) => parseStsc(box, chunks.length));
      }),
    );
  });

  it("round-trip tfhd, tfdt and trun with any set of columns", () => {
    fc.assert(
      fc.property(fc.array(u32, { minLength: 3, maxLength: 3 }), fc.nat(255), ticks, i32, (row, mask, wide, offset) => {
        const [a = 0, b = 0, c = 0] = row;
        const column = Uint32Array.from(row);
        roundTrips(wide, serializeTfdt, parseTfdt);
        roundTrips(
          {
            trackId: a,
            isDurationEmpty: (mask & 1) > 0,
            isBaseMoof: (mask & 2) > 0,
            ...(mask & 4 ? { baseDataOffsetBytes: wide } : {}),
            ...(mask & 8 ? { descriptionIndex: b } : {}),
            ...(mask & 16 ? { defaultDurationTicks: c } : {}),
            ...(mask & 32 ? { defaultSizeBytes: a } : {}),
            ...(mask & 64 ? { defaultSampleFlags: b } : {}),
          },
          serializeTfhd,
          parseTfhd,
        );
        roundTrips(
          {
            sampleCount: 3,
            ...(mask & 1 ? { dataOffsetBytes: offset } : {}),
            ...(mask & 2 ? { firstSampleFlags: a } : {}),
            ...(mask & 4 ? { durations: column } : {}),
            ...(mask & 8 ? { sizes: column } : {}),
            ...(mask & 16 ? { sampleFlags: column } : {}),
            ...(mask & 32 ? { compositionOffsets: new Int32Array(column) } : {}),
          },
          serializeTrun,
          parseTrun,
        );
      }),
    );
  });

  it("refuse a count that the bytes left cannot hold, before allocating for it", () => {
    const count = new FieldWriter(8);
    count.u32(0);
    count.u32(U32_MAX);
    const parsers: readonly [string, (box: BoxReader) => unknown][] = [
      ["stts", parseStts],
      ["ctts", parseCtts],
      ["stsz", parseStsz],
      ["stz2", parseStz2],
    ];
    const body = count.finish();
    for (const [type, parse] of parsers) {
      const payload = type === "stsz" ? body : type === "stz2" ? Uint8Array.of(0, 0, 0, 8, 255, 255, 255, 255) : body;
      const bytes = serializeFullBox(
        type,
        0,
        0,
        type.startsWith("stsz") || type === "stz2" ? payload : body.subarray(4),
      );
      expect(() => parse(openBox(bytes, 1000)), type).toThrow(new RegExp(`^${type} at byte 10\\d\\d: `));
    }
    for (const [type, parse] of [
      ["stss", parseStss],
      ["stco", parseStco],
      ["co64", parseCo64],
      ["elst", parseElst],
    ] as const) {
      expect(() => parse(openBox(serializeFullBox(type, 0, 0, body.subarray(4)))), type).toThrow(/at byte/);
    }
  });
});

describe("box headers", () => {
  it("use 64 bits only where 32 do not hold the size", () => {
    expect(serializeBoxHeader("mdat", U32_MAX - 8)).toHaveLength(8);
    const large = serializeBoxHeader("mdat", U32_MAX - 7);
    expect([...large]).toEqual([0, 0, 0, 1, 0x6d, 0x64, 0x61, 0x74, 0, 0, 0, 1, 0, 0, 0, 8]);
  });

  it("give paths that name the second of a kind, and clip what is too long", () => {
    const inner = serializeBox("trak", serializeBox("tkhd"));
    const cut = serializeBox("trak", new Uint8Array(100)).subarray(0, 40);
    const [first, second] = openBox(serializeBox("moov", inner, cut)).children();
    expect(first?.children()[0]?.path).toBe("moov/trak/tkhd");
    expect(second).toMatchObject({ path: "moov/trak[2]", isClipped: true, sizeBytes: 40 });
  });

  it("refuse values that a field cannot hold", () => {
    expect(() => new FieldWriter().u16(65_536)).toThrow(/from 0 to 65535, got 65536/);
    expect(() => new FieldWriter().u32(1.5)).toThrow(/got 1.5/);
  });
});
