import { describe, expect, it } from "vitest";
import { priceByMediaConvert } from "./media-convert.ts";
import { overridePrices, shippedPrices } from "./price-table.ts";
import type { VideoOutput, Workload } from "./workload.ts";

const HD: VideoOutput = {
  codec: "h264",
  widthPixels: 1920,
  heightPixels: 1080,
  framesPerSecond: 30,
  kilobitsPerSecond: null,
};

function workload(seconds: number | null, ...outputs: readonly Partial<VideoOutput>[]): Workload {
  return {
    pipeline: "convert",
    variant: "h264",
    files: [{ bytes: 1, seconds }],
    outputs: outputs.map((output) => ({ ...HD, ...output })),
  };
}

const price = (given: Workload) => priceByMediaConvert(given, shippedPrices());

describe("MediaConvert's list price", () => {
  it("is that of normalized minutes, by tier", () => {
    expect(price(workload(600, {}))).toEqual([
      { tier: "basic", normalizedMinutes: 20, usd: 0.15, reason: "" },
      { tier: "professional", normalizedMinutes: 20, usd: 0.24, reason: "" },
    ]);
  });

  it.each([
    [{ heightPixels: 719, widthPixels: 1280 }, 1],
    [{ heightPixels: 720, widthPixels: 1280 }, 2],
    [{ heightPixels: 1920, widthPixels: 1080 }, 2],
    [{ heightPixels: 1081, widthPixels: 1920 }, 4],
    [{ heightPixels: 2160, widthPixels: 3840 }, 4],
    [{ framesPerSecond: 30.1 }, 2.5],
    [{ framesPerSecond: 60 }, 2.5],
    [{ framesPerSecond: 120 }, 3],
    [{ framesPerSecond: null }, 2],
  ])("multiplies a minute of %j by %d", (changes, factor) => {
    expect(price(workload(60, changes))[0]?.normalizedMinutes).toBe(factor);
  });

  it("adds up all outputs, and takes ten seconds at the least, whole ones", () => {
    expect(price(workload(60, {}, { heightPixels: 360, widthPixels: 640 }))[0]?.normalizedMinutes).toBe(3);
    expect(price(workload(0.5, { heightPixels: 360 }))[0]?.normalizedMinutes).toBeCloseTo(10 / 60, 9);
    expect(price(workload(59.2, { heightPixels: 360 }))[0]?.normalizedMinutes).toBe(1);
  });

  it.each([
    [workload(60, {}, { codec: "av1" }), /no factor of av1 in the basic tier/],
    [workload(60, { heightPixels: null }), /how large the pictures are/],
    [workload(60, { heightPixels: 4320, widthPixels: 7680 }), /4320 pixels high/],
    [workload(60, { framesPerSecond: 240 }), /240 pictures a second/],
    [workload(null, {}), /how long the recordings play/],
  ])("is not known where the table or the recording does not tell", (given, reason) => {
    const [basic] = price(given);
    expect(basic).toMatchObject({ usd: null, normalizedMinutes: null });
    expect(basic?.reason).toMatch(reason);
  });

  it("is not known without the tier's price, and there is none for what makes no pictures", () => {
    const without = overridePrices({ schema: 1, currency: "USD", prices: { "mediaConvert.basicMinute": null } }, "x");
    expect(priceByMediaConvert(workload(60, {}), without).map(({ usd }) => usd)).toEqual([null, 0.024]);
    expect(price({ ...workload(60), pipeline: "repair" })).toEqual([]);
  });
});
