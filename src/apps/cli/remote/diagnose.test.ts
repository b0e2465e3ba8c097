import { afterEach, describe, expect, it } from "vitest";
import {
  type CannedServer,
  cannedJob,
  cannedLetter,
  cannedMessage,
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
  readonly message?: Fields | null;
  readonly queue?: Fields;
  readonly workers?: Fields;
  readonly startsContainers?: boolean;
  readonly letters?: readonly Fields[];
}

let server: CannedServer;

afterEach(() => server?.close());

const SOUND = { check: "bucket", status: "ok", detail: "It answers.", command: null };
const FULL = { check: "disk", status: "failed", detail: "Full\u001b[2J.", command: "df -h" };
/** The clock of whoever asks; the message was sent at 12:00:00. */
const NOW = Date.parse("2026-01-31T12:00:30.000Z");

async function diagnose(
  setting: Setting,
  args: readonly string[] = [],
  nowMs = NOW,
  routes: Parameters<typeof startCannedServer>[0] = {},
) {
  const { job, task, message, queue, workers, startsContainers = false, letters = [] } = setting;
  server = await startCannedServer({
    "GET /v1/checks": () => ({ checks: [SOUND, FULL] }),
    [`GET /v1/jobs/${JOB_ID}/messages`]: () => ({ messages: message === null ? [] : [cannedMessage(message)] }),
    [`GET /v1/jobs/${JOB_ID}`]: () => cannedJob(job),
    [`GET /v1/jobs/${JOB_ID}/tasks`]: () => ({ tasks: task === undefined ? [] : [cannedTask(task)] }),
    [`GET /v1/jobs/${JOB_ID}/logs`]: () => ({ lines: [{ timestamp: "t", level: "warn", message: "Odd\u001b[2J." }] }),
    "GET /v1/stats": () => ({
      jobs: { byStatus: {}, endedLastDay: 0 },
      queues: [cannedQueue({ dead: letters.length, ...queue })],
      workers: { ...WORKERS, ...workers },
      startsContainers,
      uptimeSeconds: 5,
    }),
    "GET /v1/dead-letters": () => ({ deadLetters: letters }),
    ...routes,
  });
  const clock = { nowMs: () => nowMs, monotonicMs: () => 0 };
  return await runAgainst(server, ["diagnose", JOB_ID, ...args], { clock });
}

const FAILED = { status: "failed", error: { code: "WORKER_LOST", message: "Gone." } };
const QUEUED = { status: "queued", stage: "plan", progress: 0, tasks: { total: 0, succeeded: 0, failed: 0 } };

const NONE = { running: 0, busy: 0, desired: 0, max: 0 };
const EARLY = { sentAt: "2026-01-31T11:55:00.000Z" };

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
      "failed, by what trying again does not mend",
      { job: { ...FAILED, error: { code: "INPUT_EMPTY", message: "Empty." } } },
      1,
      "The job has failed: Empty. (INPUT_EMPTY). It fails again until that is mended.",
      `jobs show ${JOB_ID}`,
    ],
    [
      "a worker that is gone",
      {
        task: { status: "running" },
        message: { state: "lapsed", until: "2026-01-31T11:58:00.000Z", holder: "host~1" },
      },
      1,
      'The worker that held "a.mp4" (host~1) gives no sign of life; its lease ran out 2 min 30 s ago, and nobody has taken the task over.',
      "doctor",
    ],
    [
      "a worker that is gone since a moment",
      {
        task: { status: "running" },
        message: { state: "lapsed", until: "2026-01-31T12:00:20.000Z", holder: "host~1" },
      },
      0,
      'The worker that held "a.mp4" (host~1) gives no sign of life; its lease ran out 10.0 s ago, and nobody has taken the task over yet.',
      `jobs watch ${JOB_ID}`,
    ],
    [
      "tasks without a message",
      { job: QUEUED, task: { status: "queued" }, message: null },
      1,
      "The job's tasks wait, but no message in its queue leads to them.",
      `jobs cancel ${JOB_ID} && reelmill jobs retry ${JOB_ID}`,
    ],
    [
      "no worker anywhere",
      { job: QUEUED, task: { status: "queued" }, message: EARLY, queue: { inFlight: 0 }, workers: NONE },
      1,
      'No worker listens to the queue "repair": the job\'s task is due since 5 min 30 s, and this server has no workers of its own.',
      "worker",
    ],
    [
      "a container on its way",
      {
        job: QUEUED,
        task: { status: "queued" },
        message: EARLY,
        queue: { inFlight: 0 },
        workers: NONE,
        startsContainers: true,
      },
      0,
      "The job's next task is due and about to be taken.",
      `jobs watch ${JOB_ID}`,
    ],
    [
      "a container that does not come",
      {
        ...{ job: QUEUED, task: { status: "queued" }, queue: { inFlight: 0 }, workers: NONE, startsContainers: true },
        message: { sentAt: "2026-01-31T11:40:00.000Z" },
      },
      1,
      "Nobody takes the job's task, which is due since 20 min 30 s; what is started for jobs should be there by now: AWS Batch and ECS say why it is not.",
      `jobs cancel ${JOB_ID} && reelmill jobs retry ${JOB_ID}`,
    ],
    [
      "workers that do not come",
      { job: QUEUED, task: { status: "queued" }, message: EARLY, queue: { inFlight: 0 }, workers: { running: 0 } },
      1,
      "No worker takes the job's task, which is due since 5 min 30 s; the server's log says what keeps them from it.",
      "doctor",
    ],
    [
      "a task that was put off until a moment ago",
      {
        ...{ job: QUEUED, task: { status: "queued" }, queue: { inFlight: 0 } },
        message: { ...EARLY, until: "2026-01-31T12:00:29.000Z" },
      },
      0,
      "The job's next task is due and about to be taken.",
      `jobs watch ${JOB_ID}`,
    ],
    [
      "workers elsewhere that are busy",
      { job: QUEUED, task: { status: "queued" }, message: EARLY, queue: { inFlight: 4 }, workers: NONE },
      0,
      "The job waits for its turn: 4 tasks of its queue are worked at; 3 tasks wait in its queue.",
      "monitor",
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
      "a try that failed",
      {
        task: { status: "queued", attempt: 2, failures: 2, error: { code: "NO_SPACE", message: "Full." } },
        message: { state: "put-off", until: "2026-01-31T12:00:34.000Z" },
      },
      0,
      '"a.mp4" is tried again in 4.0 s, attempt 2 ended with: Full. (NO_SPACE)',
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
      { job: QUEUED, task: { status: "queued" }, queue: { inFlight: 0 } },
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
    expect(outcome.output).toContain("\nBesides:\ndisk: Full\\u001b[2J.\n  df -h\n");
  });

  it.each([
    ["was taken and done", { status: "succeeded", stage: "finish" }, 0, "The job has succeeded."],
    ["runs", { stage: "work" }, 0, '"a.mp4" is being worked at (42 %).'],
  ])(
    "does not advise to cancel a job whose task %s between one question and the next",
    async (_name, job, code, finding) => {
      let looks = 0;
      const isOver = (): boolean => looks > 1;
      const setting: Setting = { message: null };
      const outcome = await diagnose(setting, [], NOW, {
        [`GET /v1/jobs/${JOB_ID}`]: () => {
          looks += 1;
          return cannedJob(isOver() ? job : QUEUED);
        },
        [`GET /v1/jobs/${JOB_ID}/tasks`]: () => ({
          tasks: [cannedTask(isOver() ? { status: "running", progress: 0.42 } : { status: "queued" })],
        }),
      });
      expect([outcome.exitCode, outcome.output.split("\n").at(-3)]).toEqual([code, finding]);
    },
  );

  it("gives the finding and what it rests on as JSON", async () => {
    const { output } = await diagnose({ job: FAILED, letters: [cannedLetter(4)] }, ["--json"]);
    expect(JSON.parse(output)).toMatchObject({
      isStuck: true,
      command: "reelmill dead-letters replay 4",
      job: { id: JOB_ID },
      deadLetters: [{ id: 4 }],
      lines: [{ message: "Odd\u001b[2J." }],
      checks: [FULL],
    });
  });

  it("looks at all that jobs depend on where no job is named", async () => {
    server = await startCannedServer({ "GET /v1/checks": () => ({ checks: [SOUND, FULL] }) });
    const wrong = await runAgainst(server, ["diagnose"]);
    expect(wrong.exitCode).toBe(1);
    expect(wrong.output).toMatch(/^bucket +ok +It answers\.$/m);
    expect(wrong.output.endsWith("\n\ndisk: Full\\u001b[2J.\n  df -h\n")).toBe(true);
    expect(JSON.parse((await runAgainst(server, ["diagnose", "--json"])).output)).toEqual({ checks: [SOUND, FULL] });
    await server.close();
    server = await startCannedServer({ "GET /v1/checks": () => ({ checks: [SOUND] }) });
    const well = await runAgainst(server, ["diagnose"]);
    expect([well.exitCode, well.output]).toEqual([0, expect.stringContaining("Nothing is wrong")]);
  });

  it("says that a job is unknown before all else", async () => {
    server = await startCannedServer({});
    await expect(runAgainst(server, ["diagnose", JOB_ID])).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(server.requests).toHaveLength(1);
  });
});
