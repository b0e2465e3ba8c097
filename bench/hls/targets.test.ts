import { expect, it } from "vitest";
import type { Figures, HlsResult } from "./measure.ts";
import { missedTargets } from "./targets.ts";

const FIGURES: Figures = {
  wallSeconds: 10,
  cpuSeconds: 10,
  encodingWallSeconds: Number.NaN,
  encodingCpuSeconds: Number.NaN,
  nodePeakBytes: Number.NaN,
  bytes: 1e6,
  pictures: [300, 300],
  exitCode: 0,
};

function missed(ours: Partial<Figures>): string[] {
  const result: HlsResult = {
    rungs: ["a", "b"],
    sourcePictures: 300,
    perRung: { ...FIGURES, cpuSeconds: 14 },
    single: FIGURES,
    ours: { ...FIGURES, encodingCpuSeconds: 10, nodePeakBytes: 90e6, ...ours },
  };
  return missedTargets(result);
}

it("holds the encoding against both plain commands, and the memory against what Node may take", () => {
  expect(missed({})).toEqual([]);
  expect(missed({ encodingCpuSeconds: 10.6 })).toEqual(["encoding, cpu / single command 1.060 > 1.05"]);
  expect(missed({ encodingCpuSeconds: 11.5 })[0]).toBe("encoding, cpu / one process per rung 0.821 > 0.8");
  expect(missed({ nodePeakBytes: 151e6 })).toEqual(["Node 151 MB"]);
});

it("is missed by packages that lack pictures, and by what could not be measured", () => {
  expect(missed({ pictures: [300, 299] })).toEqual(["reelmill: pictures 300, 299, not 2 × 300"]);
  expect(missed({ pictures: [] })).toEqual(["reelmill: pictures none, not 2 × 300"]);
  expect(missed({ exitCode: 1 })).toEqual(["reelmill: exit 1"]);
  expect(missed({ encodingCpuSeconds: Number.NaN })).toHaveLength(2);
});
