import { afterEach, describe, expect, it } from "vitest";
import {
  type CannedServer,
  cannedJob,
  cannedLetter,
  cannedQueue,
  cannedTask,
  runAgainst,
  startCannedServer,
} from "./canned-server.fixture.ts";

const JOB_ID = "01920000-0000-7000-8000-000000000001";
const WORKERS = { desired: 1, running: 1, busy: 0, max: 2 };

type Fields = Readonly<Record<string, unknown>>;

interface Setting {
  readonly job?: Fields;
  readonly task?: Fields;
  readonly queue?: Fields;
  readonly workers?: Fields;
  readonly letters?: readonly Fields[];
}

let server: CannedServer;

afterEach(() => server?.close());

async function diagnose({ job, task, queue, workers, letters = [] }: Setting, args: readonly string[] = []) {
  server = await startCannedServer({
    [`GET /v1/jobs/${JOB_ID}`]: () => cannedJob(job),
    [`GET /v1/jobs/${JOB_ID}/tasks`]: () => ({ tasks: task === undefined ? [] : [cannedTask(task)] }),
    [`GET /v1/jobs/${JOB_ID}/logs`]: () => ({ lines: [{ timestamp: "t", level: "warn", message: "Odd\u001b[2J." }] }),
    "GET /v1/stats": () => ({
      jobs: { byStatus: {}, endedLastDay: 0 },
      queues: [cannedQueue({ dead: letters.length, ...queue })],
      workers: { ...WORKERS, ...workers },
      uptimeSeconds: 5,
    }),
    "GET /v1/dead-letters": () => ({ deadLetters: letters }),
  });
  return await runAgainst(server, ["diagnose", JOB_ID, ...args]);
}

const FAILED = { status: "failed", error: { code: "WORKER_LOST", message: "Gone." } };
const QUEUED = { status: "queued", stage: "plan", progress: 0, tasks: { total: 0, succeeded: 0, failed: 0 } };

describe("diagnose", () => {
  it.each<[string, Setting, number, string, string]>([
    ["succeeded", { job: { status: "succeeded" } }, 0, "The job has succeeded.", `jobs show ${JOB_ID}`],
    ["cancelled", { job: { status: "cancelled" } }, 0, "The job was cancelled.", `jobs retry ${JOB_ID}`],
    ["failed", { job: FAILED }, 1, "The job has failed: Gone. (WORKER_LOST)", `jobs retry ${JOB_ID}`],
    [
      "failed, with a dead letter",
      { job: FAILED, letters: [{ ...cannedLetter(3), jobId: "another" }, cannedLetter(4)] },
      1,
      "The job has failed: Gone. (WORKER_LOST)",
      "dead-letters replay 4",
    ],
    [
      "a paused queue",
      { job: QUEUED, task: { status: "queued" }, queue: { isPaused: true } },
      1,
      'The queue "repair" is paused and hands out nothing.',
      "queues resume repair",
    ],
    [
      "a paused queue whose last task still runs",
      { task: { status: "running", progress: 0.42, phase: "scan" }, queue: { isPaused: true } },
      0,
      '"a.mp4" is being worked at (42 %, scan).',
      `jobs watch ${JOB_ID}`,
    ],
    [
      "no task left though it runs",
      { task: { status: "succeeded" } },
      1,
      'None of the job\'s tasks is waiting or running, though it stands at "work".',
      `jobs cancel ${JOB_ID} && reelmill jobs retry ${JOB_ID}`,
    ],
    [
      "no worker",
      { job: QUEUED, task: { status: "queued" }, workers: { running: 0 } },
      1,
      "No worker is running; one is started within a second, or the server's log says why not.",
      `logs ${JOB_ID}`,
    ],
    [
      "a try that failed",
      { task: { status: "queued", attempt: 2, failures: 2, error: { code: "NO_SPACE", message: "Full." } } },
      0,
      '"a.mp4" is tried again soon, attempt 2 ended with: Full. (NO_SPACE)',
      `logs ${JOB_ID}`,
    ],
    [
      "busy workers",
      { job: QUEUED, task: { status: "queued" }, workers: { running: 2, busy: 2 } },
      0,
      "The job waits for its turn: all 2 workers are busy; 3 tasks wait in its queue.",
      "monitor",
    ],
    [
      "a task about to be taken",
      { job: QUEUED, task: { status: "queued" } },
      0,
      "The job's next task is due and about to be taken.",
      `jobs watch ${JOB_ID}`,
    ],
  ])("%s", async (_name, setting, exitCode, finding, command) => {
    const outcome = await diagnose(setting);
    expect(outcome.exitCode).toBe(exitCode);
    expect(outcome.output.endsWith(`\n${finding}\n  reelmill ${command}\n`)).toBe(true);
    // What was looked at stands above, and nothing in it steers the terminal.
    expect(outcome.output).toMatch(/^tasks +\d of \d done/m);
    expect(outcome.output).toContain("t WARN  Odd\\u001b[2J.");
  });

  it("gives the finding and what it rests on as JSON", async () => {
    const { output } = await diagnose({ job: FAILED, letters: [cannedLetter(4)] }, ["--json"]);
    expect(JSON.parse(output)).toMatchObject({
      isStuck: true,
      command: "reelmill dead-letters replay 4",
      job: { id: JOB_ID },
      deadLetters: [{ id: 4 }],
      lines: [{ message: "Odd\u001b[2J." }],
    });
  });

  it("says that a job is unknown before all else", async () => {
    server = await startCannedServer({});
    await expect(runAgainst(server, ["diagnose", JOB_ID])).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(server.requests).toHaveLength(1);
  });
});
