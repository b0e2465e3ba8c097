import { describe, expect, it } from "vitest";
import type { SampleEntry } from "../isobmff/movie.ts";
import { av1CodecString } from "./av1.ts";
import { avcCodecString } from "./avc.ts";
import { hevcCodecString } from "./hevc.ts";
import { mp4aCodecString } from "./mp4a.ts";
import { sampleEntryCodecString } from "./sample-entry.ts";
import { vp9CodecString } from "./vp9.ts";

/** An `esds` payload with the AudioSpecificConfig given. */
function esds(objectType: number, ...config: readonly number[]): Uint8Array {
  const specific = config.length === 0 ? [] : [5, config.length, ...config];
  const decoder = [4, 13 + specific.length, objectType, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...specific];
  return Uint8Array.of(0, 0, 0, 0, 3, 3 + decoder.length, 0, 0, 0, ...decoder);
}

describe("codec strings", () => {
  it("of H.264 are profile, constraints and level in hexadecimal", () => {
    expect(avcCodecString({ profileIdc: 100, profileCompatibility: 0, levelIdc: 31 })).toBe("avc1.64001f");
    expect(avcCodecString({ profileIdc: 66, profileCompatibility: 0xc0, levelIdc: 9 }, "avc3")).toBe("avc3.42c009");
  });

  it.each([
    // Main, compatible with Main and Main 10, level 3.1, progressive and frame-only constraints.
    ["hvc1.1.6.L93.90", [1, 0x01, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93]],
    // Main 10, high tier, level 5.1.
    ["hvc1.2.4.H153.B0", [1, 0x22, 0x20, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 153]],
    // A profile space, no constraint bytes at all, and one with zeros between.
    ["hvc1.A1.80000001.L30", [1, 0x41, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 30]],
    ["hvc1.4.10.L120.9D.0.8", [1, 0x04, 0x08, 0, 0, 0, 0x9d, 0, 0x08, 0, 0, 0, 120]],
  ])("of HEVC follow ISO/IEC 14496-15 annex E: %s", (expected, bytes) => {
    expect(hevcCodecString(Uint8Array.from(bytes))).toBe(expected);
  });

  it.each([
    ["av01.0.04M.08", [0x81, 0x04, 0x0c, 0]],
    ["av01.0.13M.10", [0x81, 0x0d, 0x4c, 0]],
    ["av01.2.19H.12", [0x81, 0x53, 0xe0, 0]],
  ])("of AV1 name profile, level, tier and depth: %s", (expected, bytes) => {
    expect(av1CodecString(Uint8Array.from(bytes))).toBe(expected);
  });

  it("of VP9 name profile, level and depth", () => {
    expect(vp9CodecString({ profile: 2, level: 10, bitDepth: 10 })).toBe("vp09.02.10.10");
  });

  it.each([
    ["mp4a.40.2", esds(0x40, 0x11, 0x90)],
    // Explicit hierarchical signalling: 5 (SBR) over LC at 24 kHz, and 29 (PS) over LC.
    ["mp4a.40.5", esds(0x40, 0x2b, 0x11, 0x88, 0x00)],
    ["mp4a.40.29", esds(0x40, 0xeb, 0x09, 0x88, 0x00)],
    ["mp4a.6B", esds(0x6b)],
  ])("of MPEG-4 audio name the object type: %s", (expected, payload) => {
    expect(mp4aCodecString(payload)).toBe(expected);
  });

  it("of sample entries come from their configuration, and of plain formats from their name", () => {
    const entry = (format: string, children: readonly (readonly [string, Uint8Array])[] = []): SampleEntry => ({
      format,
      raw: new Uint8Array(),
      children: new Map(children),
    });
    const avcC = Uint8Array.of(1, 0x64, 0, 0x28, 0xff, 0xe0, 0);
    expect(sampleEntryCodecString(entry("avc1", [["avcC", avcC]]))).toBe("avc1.640028");
    expect(sampleEntryCodecString(entry("avc1"))).toBeUndefined();
    for (const format of ["ac-3", "ec-3", "Opus", "fLaC"]) expect(sampleEntryCodecString(entry(format))).toBe(format);
    expect(sampleEntryCodecString(entry("mystery"))).toBeUndefined();
  });

  it("of records that are cut short are refused", () => {
    expect(() => hevcCodecString(new Uint8Array(12))).toThrow(/hvcC: 12 bytes are there, at least 13/);
    expect(() => av1CodecString(Uint8Array.of(1, 2, 3, 4))).toThrow(/av1C/);
  });
});
