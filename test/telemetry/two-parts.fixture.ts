import { z } from "zod";
import { runProcess } from "../../src/ffmpeg/process.ts";
import { definePipeline } from "../../src/jobs/pipeline.ts";

/** Two parts, each of which runs a program. */
export const TWO_PARTS = definePipeline({
  name: "two-parts",
  description: "Two parts.",
  params: z.strictObject({}),
  result: z.null(),
  onTaskFailure: "fail-job",
  maxConcurrentTasks: 2,
  taskTimeoutMs: 60_000,
  plan: async () => [0, 1].map((part) => ({ label: `part ${part}`, input: part })),
  work: async (_params, _part, { signal }) => {
    const { exitCode } = await runProcess(process.execPath, ["--version"], { timeoutMs: 30_000, signal });
    return exitCode;
  },
  finish: async () => null,
});
