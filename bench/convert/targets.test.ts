import { describe, expect, it } from "vitest";
import { missedTargets, type Ratios, targetsFor } from "./targets.ts";

const GOOD: Ratios = { wall: 0.7, cpu: 1, size: 1.005, ssimDifference: -0.001 };
const NODE_BYTES = 90e6;

function missed(change: Partial<Ratios>, nodeBytes = NODE_BYTES): string[] {
  return missedTargets({ ...GOOD, ...change }, nodeBytes, targetsFor("av1", "standard", 360, 2));
}

describe("what a conversion has to reach", () => {
  it("is met by one that is faster and the same otherwise", () => {
    expect(missed({})).toEqual([]);
  });

  it.each([
    [{ wall: 0.76 }, "wall 0.760 > 0.75"],
    [{ size: 1.02 }, "size 1.020 > 1.01"],
    [{ size: 0.98 }, "size 0.980 < 0.99"],
    [{ ssimDifference: -0.003 }, "SSIM -0.0030 < -0.002"],
    [{ ssimDifference: 0.003 }, "SSIM +0.0030 > +0.002"],
  ])("is missed by %o", (change, text) => {
    expect(missed(change)).toEqual([text]);
  });

  it("is missed where a figure could not be measured", () => {
    const nothing = { wall: Number.NaN, cpu: Number.NaN, size: Number.NaN, ssimDifference: Number.NaN };
    expect(missed(nothing)).toHaveLength(5);
    expect(missed({}, Number.NaN)).toEqual([]);
  });

  it("is missed by a large process of ours", () => {
    expect(missed({}, 151e6)).toEqual(["Node 151 MB"]);
  });

  it("depends on codec, size, speed and machine", () => {
    expect(targetsFor("av1", "standard", 360, 8).maxWall).toBe(0.4);
    expect(targetsFor("vp9", "standard", 360, 2).maxWall).toBe(0.78);
    expect(targetsFor("vp9", "standard", 1080, 2).maxWall).toBe(0.92);
    expect(targetsFor("h264", "standard", 1080, 2).maxWall).toBe(1.02);
    expect(targetsFor("av1", "fast", 360, 2)).toEqual({ maxWall: 0.2, maxSize: 1.05, minSsimDifference: -0.002 });
  });
});
