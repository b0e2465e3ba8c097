import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { busyMs } from "./busy-time.ts";
import { medianOf, paceOf } from "./pace.ts";

describe("busy time", () => {
  it("counts once the time in which several tasks ran, and no time in which none did", () => {
    const stretches = [
      { startMs: 30, endMs: 40 },
      { startMs: 0, endMs: 10 },
      { startMs: 5, endMs: 20 },
      { startMs: 6, endMs: 7 },
    ];
    expect(busyMs(stretches)).toBe(30);
  });

  it("is at least the longest stretch, and at most all of them one after the other or the whole span", () => {
    const stretch = fc
      .tuple(fc.nat(1000), fc.nat(1000))
      .map(([startMs, lengthMs]) => ({ startMs, endMs: startMs + lengthMs }));
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 1 }), (stretches) => {
        const lengths = stretches.map(({ startMs, endMs }) => endMs - startMs);
        const span =
          Math.max(...stretches.map(({ endMs }) => endMs)) - Math.min(...stretches.map((one) => one.startMs));
        const busy = busyMs(stretches);
        expect(busy).toBeGreaterThanOrEqual(Math.max(...lengths));
        expect(busy).toBeLessThanOrEqual(
          Math.min(
            span,
            lengths.reduce((sum, length) => sum + length, 0),
          ),
        );
      }),
    );
  });
});

describe("the pace of finished jobs", () => {
  const job = { bytes: 1000, outputBytes: 500, tasks: 4 };

  it("is the median by seconds of pictures, with its spread", () => {
    const jobs = [
      { ...job, workSeconds: 10, mediaSeconds: 10 },
      { ...job, workSeconds: 60, mediaSeconds: 20 },
      { ...job, workSeconds: 20, mediaSeconds: 10 },
    ];
    expect(paceOf("convert", jobs)).toEqual({
      unit: "second",
      workSecondsPerUnit: 2,
      outputBytesPerUnit: 50,
      tasks: 4,
      basis: { kind: "history", jobs: 3, lowest: 0.5, highest: 1.5 },
    });
  });

  it("is by bytes for repairs, and does without jobs that do not tell their size", () => {
    const jobs = [
      { ...job, workSeconds: 10, mediaSeconds: null, outputBytes: null },
      { ...job, bytes: 0, workSeconds: 10, mediaSeconds: null },
    ];
    const pace = paceOf("repair", jobs);
    expect(pace).toMatchObject({ unit: "byte", workSecondsPerUnit: 0.01, outputBytesPerUnit: null });
    expect(pace?.basis.jobs).toBe(1);
    expect(paceOf("convert", jobs)).toBeUndefined();
  });

  it("has a median of what there is", () => {
    expect(medianOf([3, 1, 2])).toBe(2);
    expect(medianOf([4, 1, 2, 3])).toBe(2.5);
    expect(() => medianOf([])).toThrow(RangeError);
  });
});
