import { join } from "node:path";
import { expect, it } from "vitest";
import { colourTags } from "../support/pixels.ts";
import { makeFullRamp, offLimitedRamp } from "../support/ramp.ts";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();
const LADDER = { rungs: [180, 90].map((height) => ({ height, kbps: 4 * height })) };

it("full range of 8 bits becomes the limited one in rungs of all sizes, and the report says so", async () => {
  const input = join(packages.root, "full.webm");
  makeFullRamp(input, "libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 0 -crf 5");
  const { folder, main, failed, report } = await packages.make(input, { ladder: LADDER, thumbnails: false });
  expect(failed).toEqual([]);
  expect(report.findings).toContain(
    "The pictures' full range of values becomes the limited one, which every player takes.",
  );
  const rungs = main.variants.filter(({ resolution }) => resolution !== undefined);
  expect(new Set(rungs.map(({ resolution }) => resolution)).size).toBeGreaterThan(1);
  for (const { uri } of rungs) {
    const media = join(folder, uri, "..", "media.mp4");
    expect(colourTags(media)["color_range"], uri).not.toBe("pc");
    expect(offLimitedRamp(media), uri).toBeLessThan(6);
  }
});
