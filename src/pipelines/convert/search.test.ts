import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Aim } from "./conversion.ts";
import { findTrial, type Trial } from "./search.ts";

type Codec = "h264" | "hevc" | "vp9" | "av1";

interface FakeSource {
  readonly codec: Codec;
  readonly hardware: string | null;
  /** What the source keeps of likeness at the worst quality, in decibels, and gains with each step of quality. */
  readonly decibels: number;
  readonly gain: number;
  readonly bytes: number;
  readonly shrinks: number;
}

/** Encoders whose likeness and size follow quality along a line, and a little beside it. */
function fakeTrial(source: FakeSource, quality: number): Trial {
  const wave = 0.3 * source.gain * Math.sin(quality);
  const score = 1 - 10 ** (-(source.decibels + source.gain * (63 - quality) + wave) / 10);
  const bytes = source.bytes * Math.exp(-source.shrinks * quality);
  return { quality, score, bytes, seconds: 1 };
}

async function find(source: FakeSource, aim: Aim) {
  const tried: number[] = [];
  const encoder = { ...PLANNED, hardware: source.hardware };
  const found = await findTrial({ codec: source.codec, encoder }, aim, false, (quality) => {
    tried.push(quality);
    return Promise.resolve(fakeTrial(source, quality));
  });
  return { found, tried };
}

const PLANNED = {
  name: "an encoder",
  hardware: null,
  settings: "",
  globalArguments: [],
  filter: "",
  arguments: [],
  wish: { codec: "h264", speed: "standard", bitDepth: 8, hardware: "off" },
  threads: 1,
  fallback: null,
} as const;

const SOURCES = fc.record({
  codec: fc.constantFrom<Codec>("h264", "hevc", "vp9", "av1"),
  hardware: fc.constantFrom("nvenc", null),
  decibels: fc.double({ min: 2, max: 15, noNaN: true }),
  gain: fc.double({ min: 0.1, max: 0.6, noNaN: true }),
  bytes: fc.double({ min: 1e5, max: 1e10, noNaN: true }),
  shrinks: fc.double({ min: 0.02, max: 0.2, noNaN: true }),
});

const MOST_TRIALS = 14;

function lastQuality(codec: Codec): number {
  return codec === "h264" || codec === "hevc" ? 51 : 63;
}

describe("findTrial", () => {
  it("finds the lowest quality that reaches a score, in few trials", async () => {
    await fc.assert(
      fc.asyncProperty(SOURCES, fc.double({ min: 0.8, max: 0.99999, noNaN: true }), async (source, score) => {
        const { found, tried } = await find(source, { kind: "quality", metric: "ssim", score });
        expect(tried.length).toBeLessThanOrEqual(MOST_TRIALS);
        expect(new Set(tried).size).toBe(tried.length);
        const step = source.hardware === null && lastQuality(source.codec) === 51 ? 0.5 : 1;
        for (const quality of tried) {
          expect(quality / step).toBe(Math.round(quality / step));
          expect(quality).toBeGreaterThanOrEqual(1);
          expect(quality).toBeLessThanOrEqual(lastQuality(source.codec));
        }
        if (found === undefined) {
          expect(fakeTrial(source, 1).score).toBeLessThan(score);
          return;
        }
        expect(found.score).toBeGreaterThanOrEqual(score);
        const isLowest = found.quality + step > lastQuality(source.codec);
        expect(isLowest || (fakeTrial(source, found.quality + step).score ?? 0) < score).toBe(true);
      }),
    );
  });

  it("finds the lowest quality for a score that is nearly 1", async () => {
    const source = { codec: "h264", hardware: null, decibels: 5, gain: 0.8, bytes: 1e6, shrinks: 0.1 } as const;
    const { found } = await find(source, { kind: "quality", metric: "ssim", score: 0.9999 });
    expect(found?.quality).toBe(19);
    expect(fakeTrial(source, 19.5).score).toBeLessThan(0.9999);
  });

  it("finds the best quality for a size, in few trials, and leaves something free for what samples do not tell", async () => {
    await fc.assert(
      fc.asyncProperty(SOURCES, fc.double({ min: 0.001, max: 1, noNaN: true }), async (source, share) => {
        const bytes = source.bytes * share;
        const { found, tried } = await find(source, { kind: "size", bytes });
        expect(tried.length).toBeLessThanOrEqual(MOST_TRIALS);
        const least = fakeTrial(source, lastQuality(source.codec)).bytes;
        if (found === undefined) {
          expect(least).toBeGreaterThan(0.96 * bytes);
          return;
        }
        expect(found.bytes).toBeLessThanOrEqual(0.97 * bytes);
        const step = source.hardware === null && lastQuality(source.codec) === 51 ? 0.25 : 1;
        const isBest = found.quality - step < (source.codec === "h264" ? 16 : 18);
        const isNear = found.bytes >= 0.95 * bytes;
        expect(isBest || isNear || fakeTrial(source, found.quality - step).bytes > 0.97 * bytes).toBe(true);
      }),
    );
  });

  it("does not fill a size with what nobody sees", async () => {
    const source = { codec: "h264", hardware: null, decibels: 5, gain: 0.4, bytes: 1e6, shrinks: 0.1 } as const;
    const { found } = await find(source, { kind: "size", bytes: 1e9 });
    expect(found?.quality).toBe(16);
  });
});
