import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SampleEntry } from "../isobmff/movie.ts";
import { correlationScore } from "./correlation-score.ts";
import { guessPcmLayout } from "./guess-layout.ts";
import { interleavedLayout, type PcmLayout, pcmLayout } from "./pcm-layout.ts";

interface Audio {
  readonly version?: number;
  readonly sampleSizeBits?: number;
  readonly bytesPerFrame?: number;
  readonly formatFlags?: number;
}

function entry(format: string, audio: Audio = {}, children: readonly [string, Uint8Array][] = []): SampleEntry {
  return {
    format,
    raw: new Uint8Array(0),
    children: new Map(children),
    audio: {
      version: 0,
      channelCount: 2,
      sampleSizeBits: 16,
      sampleRateHz: 48000,
      bytesPerFrame: 0,
      formatFlags: 0,
      ...audio,
    },
  };
}

const LITTLE: [string, Uint8Array] = ["enda", Uint8Array.of(0, 1)];

describe("pcmLayout", () => {
  it.each([
    [entry("sowt"), { bytesPerFrame: 4, isBigEndian: false, isSigned: true }],
    [entry("twos"), { bytesPerFrame: 4, isBigEndian: true }],
    [entry("twos", { version: 1, bytesPerFrame: 6 }), { bitsPerSample: 24, isBigEndian: true }],
    [entry("raw ", { sampleSizeBits: 8 }), { bytesPerFrame: 2, isSigned: false }],
    [entry("NONE"), { isSigned: true, isBigEndian: true }],
    [entry("in24"), { bytesPerFrame: 6, isBigEndian: true }],
    [entry("in32", { version: 1 }, [LITTLE]), { bytesPerFrame: 8, isBigEndian: false }],
    [entry("fl32"), { bitsPerSample: 32, isFloat: true, isBigEndian: true }],
    [entry("fl64", { version: 1 }, [LITTLE]), { bitsPerSample: 64, isFloat: true, isBigEndian: false }],
    [entry("lpcm", { version: 2, sampleSizeBits: 24, formatFlags: 6 }), { bitsPerSample: 24, isBigEndian: true }],
    [entry("lpcm", { version: 2, sampleSizeBits: 32, formatFlags: 1 }), { isFloat: true, isBigEndian: false }],
    [entry("ulaw"), { bytesPerFrame: 2, companding: "ulaw" }],
    [entry("alaw"), { bytesPerFrame: 2, companding: "alaw" }],
    [entry("ipcm", {}, [["pcmC", Uint8Array.of(0, 0, 0, 0, 1, 24)]]), { bitsPerSample: 24, isBigEndian: false }],
    [entry("fpcm", {}, [["pcmC", Uint8Array.of(0, 0, 0, 0, 0, 32)]]), { isFloat: true, isBigEndian: true }],
  ])("reads %#", (given, expected) => {
    expect(pcmLayout(given)).toMatchObject(expected);
  });

  it("knows what is not PCM", () => {
    expect(pcmLayout(entry("mp4a"))).toBeUndefined();
    expect(pcmLayout(entry("ipcm"))).toBeUndefined();
    expect(pcmLayout(entry("sowt", { sampleSizeBits: 12 }))).toBeUndefined();
  });
});

function sound(source: string, format: string): Uint8Array {
  const args = ["-nostdin", "-v", "error", "-f", "lavfi", "-i", source, "-ac", "2", "-f", format, "-"];
  return execFileSync("ffmpeg", args, { maxBuffer: 1 << 26 });
}

function video(...args: readonly string[]): Uint8Array {
  const picture = ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x240:d=1"];
  return execFileSync("ffmpeg", [...picture, ...args, "-"], { maxBuffer: 1 << 26 });
}

const TONE = "sine=f=440:d=0.4[a];anoisesrc=a=0.05:d=0.4:seed=1:c=pink[b];[a][b]join=inputs=2";
const NOISE = "anoisesrc=a=0.4:d=0.4:seed=1[a];anoisesrc=a=0.2:d=0.4:seed=2[b];[a][b]join=inputs=2";
const LAYOUTS: readonly (readonly [string, PcmLayout])[] = [
  ["s16le", interleavedLayout(16, 2, {})],
  ["s16be", interleavedLayout(16, 2, { isBigEndian: true })],
  ["s24le", interleavedLayout(24, 2, {})],
  ["s24be", interleavedLayout(24, 2, { isBigEndian: true })],
  ["f32le", interleavedLayout(32, 2, { isFloat: true })],
  ["f32be", interleavedLayout(32, 2, { isFloat: true, isBigEndian: true })],
];

describe("correlationScore", () => {
  const compressed = [
    video("-c:v", "libx264", "-preset", "ultrafast", "-f", "h264"),
    video("-c:v", "mpeg2video", "-f", "mpeg2video"),
  ];

  it.each(LAYOUTS)("tells %s sound from compressed video, and guesses it", (format, layout) => {
    for (const source of [TONE, NOISE]) {
      const bytes = sound(source, format);
      for (let at = 0; at + 1536 < bytes.length; at += 1536) {
        expect(correlationScore(bytes, at, at + 1024, layout)).toBeGreaterThan(100);
      }
      expect(guessPcmLayout(bytes.subarray(layout.bytesPerFrame * 100))).toMatchObject({ layout, offsetBytes: 0 });
    }
    for (const bytes of compressed) {
      for (let at = 4096; at + 1024 < bytes.length; at += 3333) {
        expect(correlationScore(bytes, at, at + 1024, layout)).toBeLessThan(20);
      }
    }
  });

  it("gives silence a little and random bytes nothing", () => {
    for (const [, layout] of LAYOUTS) {
      expect(correlationScore(new Uint8Array(4096), 0, 4096, layout)).toBe(16);
      fc.assert(
        fc.property(
          fc.uint8Array({ minLength: 512, maxLength: 512, size: "max" }),
          fc.infiniteStream(fc.nat(255)),
          (_, s) => {
            const bytes = Uint8Array.from({ length: 512 }, () => s.next().value as number);
            expect(correlationScore(bytes, 0, 512, layout)).toBeLessThan(24);
          },
        ),
        { numRuns: 20 },
      );
    }
    expect(guessPcmLayout(new Uint8Array(8192))).toBeUndefined();
  });
});
