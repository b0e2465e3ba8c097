import { describe, expect, it } from "vitest";
import type { Job } from "../../jobs/job.ts";
import { VIEWS } from "./view-schemas.ts";
import { estimateSeconds, toJobView } from "./views.ts";

const JOB: Job = {
  id: "j",
  pipeline: "echo",
  params: {},
  status: "running",
  stage: "work",
  progress: 0.25,
  tasks: { total: 1, succeeded: 0, failed: 0 },
  priority: 0,
  idempotencyKey: null,
  parentJobId: null,
  traceparent: null,
  attempt: 1,
  createdAtMs: 0,
  startedAtMs: 10_000,
  finishedAtMs: null,
  updatedAtMs: 0,
  error: { code: "NO_SPACE", message: "full", details: { bytes: 1 } },
  result: null,
  webhook: { url: "https://a.example/", format: "slack" },
  changeSeq: 1,
};

describe("estimateSeconds", () => {
  it.each([
    [{}, 90],
    [{ progress: 0.03 }, 970],
    [{ progress: 0.029 }, null],
    [{ progress: 1 }, 0],
    [{ status: "queued" }, null],
    [{ startedAtMs: null }, null],
    [{ attempt: 2 }, null],
  ] as const)("of a job with %j is %j", (changes, seconds) => {
    expect(estimateSeconds({ ...JOB, ...changes }, 40_000)).toBe(seconds);
  });

  it("is never negative, wherever the clock was set to", () => {
    expect(estimateSeconds(JOB, 0)).toBe(0);
  });
});

describe("toJobView", () => {
  it("gives what the interface says, and nothing else", () => {
    const view = toJobView(JOB, 40_000);
    expect(VIEWS.job.parse(view)).toEqual(view);
    expect(view).toMatchObject({ startedAt: "1970-01-01T00:00:10.000Z", error: { details: { bytes: 1 } } });
  });
});
