import { expect, it } from "vitest";
import type { VideoStream } from "../../ffmpeg/manifest.ts";
import { CONVERT_SETTINGS } from "./options.ts";
import { chooseFilters, describeRange, scaledSize } from "./picture-filters.ts";

const SQUARE = { numerator: 1, denominator: 1 };
const SMALL = { width: 320, height: 180, sampleAspect: SQUARE };

it.each([
  [{ height: 99 }, { width: 176, height: 98 }],
  [{ height: 101 }, { width: 180, height: 100 }],
  [{ width: 99 }, { width: 98, height: 56 }],
  [
    { width: 160, height: 100 },
    { width: 160, height: 90 },
  ],
  [{ height: 1 }, { width: 2, height: 2 }],
])("makes 320x180 no larger than %o, with even sides", (bounds, size) => {
  expect(scaledSize(SMALL, { upscale: false, ...bounds })).toEqual(size);
});

it("enlarges only where that is asked for", () => {
  expect(scaledSize(SMALL, { height: 360, upscale: false })).toBeUndefined();
  expect(scaledSize(SMALL, { height: 361, upscale: true })).toEqual({ width: 642, height: 360 });
  expect(scaledSize(SMALL, { upscale: true })).toBeUndefined();
});

const WIDE = { widthPixels: 720, heightPixels: 576, sampleAspect: { numerator: 64, denominator: 45 } };

/** What is done to pictures of 720x576 samples that are shown 1024x576, turned by so much. */
function chooseForWide(bounds: object, rotationDegrees = 0) {
  const video = { ...WIDE, rotationDegrees, pixelFormat: "yuv420p", isHdr: false, isInterlaced: false, colour: {} };
  return chooseFilters(video as unknown as VideoStream, CONVERT_SETTINGS.parse({ to: "h264", ...bounds }));
}

it.each([
  [{ width: 640 }, 0, { width: 450, height: 360 }],
  [{ width: 800 }, 0, { width: 562, height: 450 }],
  [{ height: 288 }, 0, { width: 360, height: 288 }],
  [{ width: 2048, upscale: true }, 0, { width: 1440, height: 1152 }],
  // Turned, they are shown 405x720.
  [{ height: 360 }, 90, { width: 288, height: 360 }],
  [{ width: 400 }, 90, { width: 568, height: 712 }],
])("keeps samples that are not square within %o as they are shown, turned by %i degrees", (bounds, turn, size) => {
  expect(chooseForWide(bounds, turn)).toMatchObject({ size, findings: [] });
});

it("says how small pictures are shown that stay so", () => {
  const told = "The pictures stay as small as they are shown, 1024x576; upscale makes them larger.";
  expect(chooseForWide({ width: 1100 })).toMatchObject({ size: { width: 720, height: 576 }, findings: [told] });
  expect(chooseForWide({ width: 1024 }).findings).toEqual([]);
});

it("tells that full range becomes limited", () => {
  const settings = CONVERT_SETTINGS.parse({ to: "hevc" });
  const told = (pixelFormat: string): readonly string[] => {
    const video = { pixelFormat, isHdr: false, colour: {} } satisfies { [Key in keyof VideoStream]?: unknown };
    return describeRange(video as unknown as VideoStream, settings, 8);
  };
  expect(told("yuvj420p")).toEqual([expect.stringMatching(/full range .* becomes the limited one/)]);
  expect(told("yuv420p")).toEqual([]);
});
