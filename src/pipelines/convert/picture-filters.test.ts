import { expect, it } from "vitest";
import type { VideoStream } from "../../ffmpeg/manifest.ts";
import { CONVERT_SETTINGS } from "./options.ts";
import { describeRange, scaledSize } from "./picture-filters.ts";

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
  expect(scaledSize(320, 180, { upscale: false, ...bounds })).toEqual(size);
});

it("enlarges only where that is asked for", () => {
  expect(scaledSize(320, 180, { height: 360, upscale: false })).toBeUndefined();
  expect(scaledSize(320, 180, { height: 361, upscale: true })).toEqual({ width: 642, height: 360 });
  expect(scaledSize(320, 180, { upscale: true })).toBeUndefined();
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
