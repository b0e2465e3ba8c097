import { expect, it } from "vitest";
import { createJob } from "../../../test-support/mock-data.ts";
import type { JobView } from "../../api/types.ts";
import { mergeJobs } from "./job-list.ts";

const job = (id: string, second: number, change: Partial<JobView> = {}): JobView => {
  const at = new Date(second * 1000).toISOString();
  return createJob(0, { id, createdAt: at, updatedAt: at, ...change });
};
const changed = (...jobs: readonly JobView[]): ReadonlyMap<string, JobView> =>
  new Map(jobs.map((one) => [one.id, one]));
const page = { jobs: [job("c", 30), job("b", 20)], nextCursor: "more" };
const ids = (jobs: readonly JobView[]): readonly string[] => jobs.map(({ id }) => id);

it("new jobs come where their time belongs, on the first page only", () => {
  expect(ids(mergeJobs(page, changed(job("d", 40)), {}).jobs)).toEqual(["d", "c", "b"]);
  expect(ids(mergeJobs(page, changed(job("d", 40)), { cursor: "x" }).jobs)).toEqual(["c", "b"]);
});

it("jobs of a later page stay there", () => {
  expect(ids(mergeJobs(page, changed(job("a", 10)), {}).jobs)).toEqual(["c", "b"]);
  expect(ids(mergeJobs({ ...page, nextCursor: null }, changed(job("a", 10)), {}).jobs)).toEqual(["c", "b", "a"]);
});

it("jobs that no longer match the filter go, and others do not come", () => {
  const ended = job("c", 30, { status: "failed", updatedAt: new Date(99_000).toISOString() });
  expect(ids(mergeJobs(page, changed(ended), { statuses: ["queued"] }).jobs)).toEqual(["b"]);
  expect(ids(mergeJobs(page, changed(job("d", 40)), { pipeline: "hls" }).jobs)).toEqual([]);
});

it("news that are older than what is known change nothing", () => {
  const older = job("c", 30, { progress: 0.1, updatedAt: new Date(1000).toISOString() });
  expect(mergeJobs(page, changed(older), {}).jobs[0]?.progress).toBe(0);
});
