import { describe, expect, it } from "vitest";
import { makeJob } from "../../jobs/ended-jobs.fixture.ts";
import type { Job } from "../../jobs/job.ts";
import { toSlackMessage } from "../../jobs/webhook-payload.ts";
import { createCompletionPayload, describeRepairCompletion, type RepairOutcome } from "./completion-payload.ts";

const file = (input: string, status: "repaired" | "repairable" | "healthy" | "failed", ...references: string[]) => ({
  input,
  status,
  references,
});
const repairJob = (given: Partial<Job> = {}): Job => makeJob({ id: "an-id", pipeline: "repair", ...given });
const MIXED: RepairOutcome = {
  files: [file("a.mp4", "repaired", "good.mp4"), file("b.mp4", "failed"), file("c.mp4", "healthy")],
};

describe("createCompletionPayload", () => {
  it("has the fields of the contract, buckets and prefixes empty on one machine", () => {
    expect(createCompletionPayload(repairJob({ status: "partial" }), MIXED)).toEqual({
      job_id: "an-id",
      status: "PARTIAL",
      message: "2 of 3 files repaired or sound, 1 failed",
      input_bucket: "",
      input_prefix: "",
      output_bucket: "",
      output_prefix: "",
      reference_file: "good.mp4",
      total_files: 3,
      success_count: 2,
      failure_count: 1,
      success_files: ["a.mp4", "c.mp4"],
      failed_files: ["b.mp4"],
      timestamp: "2023-11-14T22:13:22Z",
    });
  });

  it("names where a batch lies", () => {
    const place = {
      id: "untrunc-0123456789ab",
      inputBucket: "raw",
      inputPrefix: "day1",
      outputBucket: "processed",
      outputPrefix: "day1/out",
      inputRoot: "uploads/",
    };
    const outcome = { files: [file("uploads/day1/a.mp4", "repaired", "references/good.mp4")] };
    expect(createCompletionPayload(repairJob(), outcome, place)).toMatchObject({
      job_id: "untrunc-0123456789ab",
      reference_file: "references/good.mp4",
      success_files: ["day1/a.mp4"],
      input_bucket: "raw",
      input_prefix: "day1",
      output_bucket: "processed",
      output_prefix: "day1/out",
    });
  });

  it.each([
    ["succeeded", [file("a", "repaired")], "COMPLETED", "All of 1 file repaired or sound"],
    ["succeeded", [file("a", "repairable"), file("b", "healthy")], "COMPLETED", "All of 2 files repaired or sound"],
    ["succeeded", [], "COMPLETED", "There was nothing to repair"],
    ["partial", [file("a", "repaired"), file("b", "failed")], "PARTIAL", "1 of 2 files repaired or sound, 1 failed"],
    ["partial", [file("a", "failed"), file("b", "failed")], "FAILED", "None of 2 files could be repaired"],
    ["cancelled", [file("a", "repaired")], "FAILED", "The repair was cancelled"],
  ] as const)("says how a job that %s with %j went", (status, files, expected, message) => {
    expect(createCompletionPayload(repairJob({ status }), { files })).toMatchObject({ status: expected, message });
  });

  it("tells of a job that failed before it looked at any file", () => {
    const error = { code: "INPUT_NOT_FOUND", message: "card/ is not there." } as const;
    expect(createCompletionPayload(repairJob({ status: "failed", error }), undefined)).toMatchObject({
      status: "FAILED",
      message: "The repair failed: card/ is not there.",
      total_files: 0,
      success_files: [],
    });
  });
});

describe("describeRepairCompletion", () => {
  it("reads the document that the job has as its result", () => {
    const result = { schema: 1, ...MIXED, skipped: [], summary: { repaired: 1 } };
    const news = describeRepairCompletion(repairJob({ status: "partial", result }));
    expect(news.payload).toEqual(createCompletionPayload(repairJob({ status: "partial" }), MIXED));
    expect(toSlackMessage(news)).toMatchObject({
      text: "Repair partial",
      blocks: [
        { type: "header" },
        {
          fields: [
            { text: "*Job*\nan-id" },
            { text: "*Outcome*\n2 of 3 files repaired or sound, 1 failed" },
            { text: "*Files*\n2 repaired or sound, 1 failed" },
            { text: "*Reference*\ngood.mp4" },
          ],
        },
      ],
    });
  });

  it("does without a result", () => {
    const job = repairJob({ status: "cancelled", result: null });
    expect(describeRepairCompletion(job).payload).toMatchObject({ status: "FAILED", total_files: 0 });
  });
});
