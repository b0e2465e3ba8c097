import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BatchRecords } from "../../src/jobs/batch-records.ts";
import type { FakeClock } from "../support/fake-clock.ts";

/** Records on a clock that the suite moves. */
export interface RecordsUnderTest {
  readonly records: BatchRecords;
  readonly clock: FakeClock;
  /** The same records, as another process sees them. */
  reopen(): Promise<BatchRecords>;
  close(): Promise<void>;
}

const PROCESSING = {
  status: "PROCESSING",
  outputCodec: "av1",
  bucket: "videos",
  inputKey: "uploads/a/input.mp4",
} as const;
const COMPLETED = { status: "COMPLETED", outputKey: "outputs/a/output.webm" } as const;
const FAILED = { status: "FAILED", errorMessage: "Broken “ü”\n(INTERNAL)" } as const;

/** What every `BatchRecords` must do, run against new empty ones each time. */
export function describeBatchRecords(name: string, open: () => Promise<RecordsUnderTest>): void {
  describe(`BatchRecords: ${name}`, () => {
    let under: RecordsUnderTest;
    let records: BatchRecords;
    let clock: FakeClock;
    beforeEach(async () => {
      under = await open();
      ({ records, clock } = under);
    });
    afterEach(() => under.close());

    it("knows no job that was never begun, and ends none", async () => {
      expect(await records.get("a")).toBeUndefined();
      await expect(records.record("a", COMPLETED)).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
      await expect(records.record("a", FAILED)).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
      expect(await records.get("a")).toBeUndefined();
    });

    it("tells how a job goes, with its times, to other processes too", async () => {
      const startedAtMs = clock.nowMs();
      const begun = await records.record("a", PROCESSING);
      const nothing = { outputKey: null, errorMessage: null, finishedAtMs: null };
      expect(begun).toEqual({ jobId: "a", ...PROCESSING, ...nothing, startedAtMs, updatedAtMs: startedAtMs });
      clock.advance(5000);
      const done = await records.record("a", COMPLETED);
      const endedAtMs = startedAtMs + 5000;
      expect(done).toEqual({ ...begun, ...COMPLETED, updatedAtMs: endedAtMs, finishedAtMs: endedAtMs });
      expect(await records.get("a")).toEqual(done);
      expect(await (await under.reopen()).get("a")).toEqual(done);
      expect(await records.get("b")).toBeUndefined();
    });

    it("leaves a job that is completed as it is", async () => {
      await records.record("a", PROCESSING);
      const done = await records.record("a", COMPLETED);
      clock.advance(1);
      for (const change of [{ ...PROCESSING, outputCodec: "vp9" }, FAILED, { ...COMPLETED, outputKey: "else" }]) {
        expect(await records.record("a", change)).toEqual(done);
      }
      expect(await records.get("a")).toEqual(done);
    });

    it("begins a job anew that failed, and keeps nothing of its failure", async () => {
      await records.record("a", PROCESSING);
      clock.advance(1);
      const failed = await records.record("a", FAILED);
      expect(failed).toMatchObject({ ...FAILED, outputKey: null, finishedAtMs: clock.nowMs() });
      clock.advance(1);
      const again = await records.record("a", { ...PROCESSING, outputCodec: "vp9" });
      expect(again).toMatchObject({ status: "PROCESSING", outputCodec: "vp9", errorMessage: null, finishedAtMs: null });
      expect(again.startedAtMs).toBe(clock.nowMs());
    });

    it("takes changes of many at once, none of which is lost", async () => {
      const ids = Array.from({ length: 20 }, (_, index) => `job-${index}`);
      const other = await under.reopen();
      await Promise.all(ids.map((id, index) => (index % 2 === 0 ? records : other).record(id, PROCESSING)));
      await Promise.all(ids.map((id, index) => (index % 2 === 0 ? other : records).record(id, COMPLETED)));
      for (const id of ids) expect(await records.get(id)).toMatchObject({ jobId: id, status: "COMPLETED" });
    });
  });
}
