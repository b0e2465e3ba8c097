import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeLadder } from "./describe-ladder.ts";
import { type LadderSource, planLadder } from "./ladder.ts";
import { HLS_SETTINGS } from "./options.ts";

const names = (source: LadderSource): readonly string[] =>
  planLadder(source).map(
    ({ widthPixels, heightPixels, kilobitsPerSecond }) => `${widthPixels}x${heightPixels} ${kilobitsPerSecond}`,
  );

const square = (widthPixels: number, heightPixels: number): LadderSource => ({
  widthPixels,
  heightPixels,
  sampleAspect: 1,
});

describe("planLadder", () => {
  it("gives full HD Apple's whole ladder", () => {
    expect(names(square(1920, 1080))).toEqual([
      "1920x1080 7800",
      "1920x1080 6000",
      "1280x720 4500",
      "1280x720 3000",
      "960x540 2000",
      "768x432 1100",
      "768x432 730",
      "640x360 365",
      "416x234 145",
    ]);
    expect(names(square(3840, 2160))).toEqual(names(square(1920, 1080)));
  });

  it("makes equal steps one rung, and adds one where no other is left", () => {
    const step = { longPixels: 320, shortPixels: 180, kilobitsPerSecond: 300 };
    const made = planLadder(square(320, 180), "h264", [step, step]).map(({ name }) => name);
    expect(made).toEqual(["180p-300", "120p-180"]);
  });

  it("stands portrait pictures upright and fits wide ones by their width", () => {
    expect(names(square(1080, 1920))[0]).toBe("1080x1920 7800");
    expect(names(square(1920, 804))[0]).toBe("1920x804 7800");
    expect(names(square(1920, 804)).at(-1)).toBe("416x174 145");
  });

  it("makes samples square without changing the shape shown", () => {
    expect(names({ widthPixels: 720, heightPixels: 576, sampleAspect: 64 / 45 })[0]).toBe("960x540 2000");
  });

  it("gives small sources two rungs of their own", () => {
    expect(names(square(160, 90))).toEqual(["160x90 145", "106x60 87"]);
    expect(names(square(426, 240))).toEqual(["426x240 365", "416x234 145"]);
    expect(names(square(416, 234))).toEqual(["416x234 145", "278x156 87"]);
    expect(names(square(1919, 1079))[0]).toBe("1918x1078 7800");
  });

  const sources = fc.record({
    widthPixels: fc.integer({ min: 16, max: 8192 }),
    heightPixels: fc.integer({ min: 16, max: 8192 }),
    sampleAspect: fc.constantFrom(1, 64 / 45, 16 / 15, 8 / 9, 4 / 3, 3 / 4),
  });

  it("never enlarges, keeps the shape, has even sides, unique names and a rung for cellular networks", () => {
    fc.assert(
      fc.property(sources, (source) => {
        const width = source.widthPixels * source.sampleAspect;
        const rungs = planLadder(source);
        expect(rungs.length).toBeGreaterThanOrEqual(2);
        expect(new Set(rungs.map(({ name }) => name)).size).toBe(rungs.length);
        for (const rung of rungs) {
          expect(rung.widthPixels % 2).toBe(0);
          expect(rung.heightPixels % 2).toBe(0);
          expect(rung.widthPixels).toBeLessThanOrEqual(Math.max(2, width));
          expect(rung.heightPixels).toBeLessThanOrEqual(source.heightPixels);
          const scale = Math.max(rung.heightPixels / source.heightPixels, rung.widthPixels / width);
          expect(Math.abs(rung.widthPixels - width * scale)).toBeLessThan(2 + (2 * width) / source.heightPixels);
        }
        const least = rungs.at(-1);
        const peak = (3 * (least?.maxKilobitsPerSecond ?? 0) + (least?.bufferKilobits ?? 0)) / 3;
        expect(peak).toBeLessThanOrEqual(192);
      }),
    );
  });

  it("takes Apple's other ladder for HEVC and AV1, up to 2160p, with names of their own", () => {
    const hevc = planLadder(square(3840, 2160), "hevc");
    expect(hevc.map(({ name }) => name)).toEqual([
      ...["2160p-16800-hevc", "2160p-11600-hevc", "1440p-8100-hevc", "1080p-5800-hevc", "1080p-4500-hevc"],
      ...["720p-3400-hevc", "720p-2400-hevc", "540p-1600-hevc", "540p-900-hevc", "540p-600-hevc"],
      ...["432p-300-hevc", "360p-145-hevc"],
    ]);
    expect(planLadder(square(640, 360), "av1").map(({ name }) => name)).toEqual(["360p-145-av1", "240p-87-av1"]);
  });

  it("keeps to a ladder of the user's own", () => {
    const steps = [
      { longPixels: 1280, shortPixels: 720, kilobitsPerSecond: 2500 },
      { longPixels: 640, shortPixels: 360, kilobitsPerSecond: 600 },
    ];
    expect(planLadder(square(1280, 720), "h264", steps).map(({ name }) => name)).toEqual(["720p-2500", "360p-600"]);
    expect(planLadder(square(640, 360), "h264", steps).map(({ name }) => name)).toEqual(["360p-600", "240p-360"]);
  });
});

describe("describeLadder", () => {
  it.each<readonly [what: string, hasSound: boolean, pairs: readonly number[], findings: readonly string[]]>([
    ["nothing where the rungs are those asked for", true, [360, 600, 180, 200], []],
    [
      "what is left out and what is added in its place",
      true,
      [180, 200, 720, 2500],
      [
        "Left out: 1 rung of the ladder (height 720) above 640x360.",
        "The ladder has one rung of h264 that fits; 360p at 2500 kbit/s was added, because players need two to choose from.",
      ],
    ],
    [
      "a smaller rung besides one of the recording's size",
      true,
      [360, 600],
      [
        "The ladder has one rung of h264 that fits; 240p at 360 kbit/s was added, because players need two to choose from.",
      ],
    ],
    [
      "a rung for cellular networks where no sound is for them",
      false,
      [360, 600, 180, 300],
      [
        "Without sound nothing of the ladder is for cellular networks (192 kbit/s at most); 180p at 145 kbit/s was added.",
      ],
    ],
    ["nothing where a rung is for them", false, [360, 600, 180, 150], []],
    [
      "rungs that are one",
      true,
      [360, 600, 360, 600, 180, 200],
      ["The ladder has rungs of h264 that are the same here, and made once: 360p at 600 kbit/s."],
    ],
  ])("tells %s", (_what, hasSound, pairs, findings) => {
    const rungs = Array.from({ length: pairs.length / 2 }, (_, at) => {
      return { height: pairs[2 * at], kbps: pairs[2 * at + 1] };
    });
    const settings = HLS_SETTINGS.parse({ ladder: { rungs } });
    const parts = { source: square(640, 360), settings, highRange: null, framesPerSecond: 25, hasSound };
    const steps = rungs.map(({ height = 0, kbps = 0 }) => {
      return { longPixels: Math.round((height * 16) / 9), shortPixels: height, kilobitsPerSecond: kbps };
    });
    expect(describeLadder(parts, planLadder(square(640, 360), "h264", steps))).toEqual(findings);
  });
});
