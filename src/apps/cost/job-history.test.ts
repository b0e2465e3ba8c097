import { describe, expect, it } from "vitest";
import { makeJob } from "../../jobs/ended-jobs.fixture.ts";
import type { Job, Task } from "../../jobs/job.ts";
import { describeMeasured, listMeasured, measureJob } from "./job-history.ts";

const NOW = 1_700_000_000_000;

function task(stage: Task["stage"], index: number, from: number, to: number | null, weight = 1): Task {
  return {
    jobId: "j",
    stage,
    index,
    label: "",
    status: "succeeded",
    attempt: 1,
    failures: 0,
    input: null,
    output: null,
    error: null,
    progress: 1,
    phase: "",
    checkpoint: null,
    weight,
    startedAtMs: NOW + from * 1000,
    finishedAtMs: to === null ? null : NOW + to * 1000,
  };
}

/** Planned for a second, worked at for ten, two at a time for five of them, ended for two. */
const TASKS = [
  task("plan", 0, 0, 1),
  task("work", 0, 1, 9, 700),
  task("work", 1, 4, 11, 300),
  task("finish", 0, 20, 22),
];

const REPORT = { inputBytes: 5000, outputBytes: 900, durationSeconds: 60 };
const converted = (params: object, report: object = REPORT): Job =>
  makeJob({ pipeline: "convert", params: { to: "h264", ...params }, result: { schema: 1, report } as Job["result"] });

describe("a finished job", () => {
  it("took the cores for as long as any of its tasks ran", () => {
    expect(measureJob(converted({}), TASKS, 4)).toEqual({
      workSeconds: 4 * (1 + 10 + 2),
      bytes: 5000,
      mediaSeconds: 60,
      outputBytes: 900,
      tasks: 2,
    });
    expect(describeMeasured(converted({}), TASKS, 4)).toMatch(/4 tasks, at least one at work for 13\.0 s on 4 cores/);
  });

  it("of repair took its tasks one after the other, and is as large as they weigh, on however many cores", () => {
    const repair = makeJob({ pipeline: "repair", params: { inputs: ["a"] }, result: { files: [] } });
    expect(measureJob(repair, TASKS, 4)).toMatchObject({ workSeconds: 1 + 8 + 7 + 2, bytes: 1000, outputBytes: null });
  });

  it("counts what is known of tasks that were cut off, and nothing of a result of another kind", () => {
    const failed = makeJob({ pipeline: "convert", params: { to: "h264" }, status: "failed", result: null });
    const measured = measureJob(failed, [task("work", 0, 0, 3), task("work", 1, 0, null)], 2);
    expect(measured).toEqual({ workSeconds: 6, bytes: 0, mediaSeconds: null, outputBytes: null, tasks: 2 });
  });
});

describe("the history", () => {
  it("is of the newest jobs of the same kind, twenty at most", async () => {
    const asked: string[] = [];
    const alike = Array.from({ length: 30 }, (_, index) => ({ ...converted({}), id: `same-${index}` }));
    const store = {
      list: async () => ({ jobs: [{ ...converted({ to: "av1" }), id: "other" }, ...alike], nextCursor: undefined }),
      listTasks: async (id: string) => {
        asked.push(id);
        return TASKS;
      },
    };
    expect(await listMeasured(store, "convert", "h264", 2)).toHaveLength(20);
    expect(asked).toEqual(alike.slice(0, 20).map(({ id }) => id));
  });
});
