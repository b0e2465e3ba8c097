import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type HoldOptions, holdJob, type JobHold } from "../../src/adapters/aws/job-hold.ts";
import { getItem, putItem } from "../../src/adapters/aws/table.ts";
import { type AwsUnderTest, makeTable, startTables } from "../support/aws.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const JOB = "job-1";
const KEY = { pk: `batch#${JOB}`, sk: "worker" };
const LEASE_MS = 600;

let tables: AwsUnderTest;
let table: Awaited<ReturnType<typeof makeTable>>;
const held: JobHold[] = [];

beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());
beforeEach(async () => {
  table = await makeTable(tables.place);
});
afterEach(async () => {
  for (const hold of held.splice(0)) await hold.release();
  await table.remove();
});

async function hold(options: Partial<HoldOptions> = {}): Promise<JobHold> {
  const got = await holdJob(table, JOB, { leaseMs: LEASE_MS, signal: new AbortController().signal, ...options });
  held.push(got);
  return got;
}

/** As a worker that was killed leaves it. */
async function leaveDead(leaseMs = LEASE_MS): Promise<void> {
  await putItem(table, { ...KEY, holder: "somebody", beats: 7, leaseMs });
}

describe("the hold of a batch worker's job", () => {
  it("is one process's, however long it lasts", async () => {
    await hold();
    const refused = { code: "JOB_STATE", message: expect.stringContaining("Another worker has the job job-1.") };
    await expect(hold()).rejects.toMatchObject(refused);
    await expect(hold({ leaseMs: 1 })).rejects.toMatchObject(refused);
  });

  it("is free at once when it is let go of, whether or not somebody waits", async () => {
    await (await hold()).release();
    expect(await getItem(table, KEY)).toBeUndefined();
    await hold({ leaseMs: 60_000 });
  });

  it.each([LEASE_MS, 3_600_000])("is taken over from one that says nothing for its lease of %d ms", async (leaseMs) => {
    await leaveDead(leaseMs);
    const clock = createFakeClock();
    const waits: number[] = [];
    const wait = async (forMs: number): Promise<void> => {
      waits.push(forMs);
      expect(await getItem(table, KEY)).toMatchObject({ holder: "somebody" });
      clock.advance(forMs);
    };
    await hold({ clock, wait });
    expect(waits.reduce((sum, forMs) => sum + forMs, 0)).toBeGreaterThanOrEqual(leaseMs);
    expect(await getItem(table, KEY)).not.toMatchObject({ holder: "somebody" });
  });

  it("is not taken over from one that tells it is there just before that", async () => {
    await leaveDead();
    const clock = createFakeClock();
    let waits = 0;
    const wait = async (forMs: number): Promise<void> => {
      waits += 1;
      clock.advance(forMs);
      if (waits === 14) await putItem(table, { ...KEY, holder: "somebody", beats: 8, leaseMs: LEASE_MS });
    };
    await expect(hold({ clock, wait })).rejects.toMatchObject({ code: "JOB_STATE" });
    expect(await getItem(table, KEY)).toMatchObject({ holder: "somebody", beats: 8 });
  });

  it("is taken over by one of several that wait", async () => {
    await leaveDead();
    const outcomes = await Promise.allSettled([hold(), hold(), hold()]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
  });

  it("tells who had it that another has taken it, and leaves it to that one", async () => {
    const first = await hold();
    await putItem(table, { ...KEY, holder: "somebody", beats: 0, leaseMs: LEASE_MS });
    await expect.poll(() => first.lost.aborted).toBe(true);
    await first.release();
    expect(await getItem(table, KEY)).toMatchObject({ holder: "somebody" });
  });

  it("is not waited for once the worker is to stop", async () => {
    await leaveDead(3_600_000);
    const stopping = new AbortController();
    const waiting = hold({ signal: stopping.signal });
    stopping.abort("SIGTERM");
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED", message: expect.stringContaining("SIGTERM") });
    expect(await getItem(table, KEY)).toMatchObject({ holder: "somebody" });
  });
});
