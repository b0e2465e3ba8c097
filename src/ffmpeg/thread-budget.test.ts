import { describe, expect, it } from "vitest";
import { budgetThreads } from "./thread-budget.ts";

describe("budgetThreads", () => {
  it("gives an encoder that scales one process with all cores", () => {
    expect(budgetThreads({ cores: 8, workers: 1, scales: true })).toEqual({ concurrentSpans: 1, threadsPerSpan: 8 });
    expect(budgetThreads({ cores: 8, workers: 2, scales: true, spans: 20 })).toEqual({
      concurrentSpans: 1,
      threadsPerSpan: 4,
    });
  });

  it("gives another one process for each core", () => {
    expect(budgetThreads({ cores: 2, workers: 1, scales: false })).toEqual({ concurrentSpans: 2, threadsPerSpan: 1 });
    expect(budgetThreads({ cores: 16, workers: 3, scales: false })).toEqual({ concurrentSpans: 5, threadsPerSpan: 1 });
  });

  it("leaves no core idle where there are fewer spans than cores", () => {
    expect(budgetThreads({ cores: 16, workers: 1, scales: false, spans: 3 })).toEqual({
      concurrentSpans: 3,
      threadsPerSpan: 6,
    });
    expect(budgetThreads({ cores: 4, workers: 1, scales: false, spans: 3 })).toEqual({
      concurrentSpans: 3,
      threadsPerSpan: 2,
    });
  });

  it("never gives less than one", () => {
    for (const scales of [true, false]) {
      expect(budgetThreads({ cores: 1, workers: 4, scales, spans: 1 })).toEqual({
        concurrentSpans: 1,
        threadsPerSpan: 1,
      });
    }
  });
});
