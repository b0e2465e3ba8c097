import { describe, expect, it } from "vitest";
import type { Job, Stage, TaskRef } from "./job.ts";
import { createQueuedJob } from "./job-change.ts";
import { onFailed, onSucceeded } from "./transitions.ts";

const REF: TaskRef = { jobId: "j", stage: "work", index: 1 };
const ADDED = { id: "j", pipeline: "p", params: {}, priority: 0, idempotency: null, parentJobId: null, webhook: null };

/** A job of three tasks of the work stage, of which so many have ended. */
function jobAt(stage: Stage, ended: number): Job {
  const tasks = { total: 3, succeeded: ended - 1, failed: 1 };
  return { ...createQueuedJob(ADDED, 0, 1), status: "running", stage, tasks };
}

const ENDS = [
  ["a success", onSucceeded(REF, 1, { stage: "work", output: null })],
  ["a failure", onFailed(REF, 1, { code: "INPUT_EMPTY", message: "" }, "continue")],
] as const;

describe.each(ENDS)("%s of the work", (_what, decide) => {
  it("begins the end where it is the last", () => {
    expect(decide(jobAt("work", 3))).toMatchObject({ stage: "finish", addTasks: [{ stage: "finish", index: 0 }] });
    expect(decide(jobAt("work", 2))?.addTasks).toBeUndefined();
  });

  it("does not begin it again where another one has, in a store that lets two be the last", () => {
    const change = decide(jobAt("finish", 3));
    expect(change?.stage).toBeUndefined();
    expect(change?.addTasks).toBeUndefined();
    expect(change?.events).toHaveLength(1);
  });
});
