import { expect, it } from "vitest";
import { z } from "zod";
import { definePipeline } from "./pipeline.ts";

it.each([0, -1, Number.NaN, 2 ** 31])("refuses a time-out of %d ms, which no timer can be set to", (taskTimeoutMs) => {
  const define = () =>
    definePipeline({
      name: "odd",
      description: "",
      params: z.strictObject({}),
      result: z.null(),
      onTaskFailure: "fail-job",
      maxConcurrentTasks: 1,
      taskTimeoutMs,
      plan: async () => [],
      work: async () => null,
      finish: async () => null,
    });
  expect(define).toThrow(RangeError);
});
