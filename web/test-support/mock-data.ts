import type { RepairResult } from "../src/api/repair-types.ts";
import type { DeliveryView, EventView, JobView, LogLine, TaskView } from "../src/api/types.ts";

/** A time so many seconds before `nowMs`. */
export function ago(nowMs: number, seconds: number): string {
  return new Date(nowMs - seconds * 1000).toISOString();
}

/** A job with what matters changed. */
export function createJob(nowMs: number, change: Partial<JobView>): JobView {
  return {
    id: "0190a000-0000-7000-8000-000000000001",
    pipeline: "repair",
    params: { inputs: ["uploads/a1/recording.mp4"] },
    status: "queued",
    stage: "plan",
    progress: 0,
    tasks: { total: 0, succeeded: 0, failed: 0 },
    priority: 0,
    idempotencyKey: null,
    parentJobId: null,
    attempt: 1,
    createdAt: ago(nowMs, 30),
    startedAt: null,
    finishedAt: null,
    updatedAt: ago(nowMs, 1),
    etaSeconds: null,
    error: null,
    result: null,
    webhook: null,
    ...change,
  };
}

/** Id of the job that runs. */
export const RUNNING_ID = "0190a000-0000-7000-8000-0000000000a1";
/** Id of the job with a repaired recording. */
export const REPAIRED_ID = "0190a000-0000-7000-8000-0000000000b2";
/** Id of the job that failed. */
export const FAILED_ID = "0190a000-0000-7000-8000-0000000000c3";

/** One job of each state. */
export function createJobs(nowMs: number): readonly JobView[] {
  return [
    createJob(nowMs, {
      id: RUNNING_ID,
      params: { inputs: ["uploads/u1/C0042.MP4", "uploads/u2/C0043.MP4", "uploads/u3/C0044.MP4"] },
      status: "running",
      stage: "work",
      progress: 0.42,
      tasks: { total: 3, succeeded: 1, failed: 0 },
      createdAt: ago(nowMs, 95),
      startedAt: ago(nowMs, 93),
      etaSeconds: 128,
    }),
    createJob(nowMs, {
      id: "0190a000-0000-7000-8000-0000000000d4",
      params: { inputs: ["uploads/u4/GX010233.MP4"] },
      createdAt: ago(nowMs, 60),
    }),
    createJob(nowMs, {
      id: REPAIRED_ID,
      params: {
        inputs: ["uploads/u5/interview-take-3.mp4"],
        references: ["uploads/u6/interview-take-2.mp4"],
        verify: "full",
      },
      status: "succeeded",
      stage: "finish",
      progress: 1,
      tasks: { total: 1, succeeded: 1, failed: 0 },
      createdAt: ago(nowMs, 1500),
      startedAt: ago(nowMs, 1498),
      finishedAt: ago(nowMs, 1452),
      result: JSON.parse(JSON.stringify(createRepairResult())),
      webhook: { url: "https://hooks.example.org/reelmill", format: "standard" },
    }),
    ...createTroubledJobs(nowMs),
  ];
}

function createTroubledJobs(nowMs: number): readonly JobView[] {
  return [
    createJob(nowMs, {
      id: "0190a000-0000-7000-8000-0000000000e5",
      params: { inputs: ["uploads/u7/DJI_0017.MOV", "uploads/u8/DJI_0018.MOV"] },
      status: "partial",
      stage: "finish",
      progress: 0.5,
      tasks: { total: 2, succeeded: 1, failed: 1 },
      createdAt: ago(nowMs, 8200),
      startedAt: ago(nowMs, 8190),
      finishedAt: ago(nowMs, 8014),
    }),
    createJob(nowMs, {
      id: FAILED_ID,
      params: { inputs: ["uploads/u9/security-cam-07.mp4"] },
      status: "failed",
      stage: "work",
      tasks: { total: 1, succeeded: 0, failed: 1 },
      createdAt: ago(nowMs, 10_900),
      startedAt: ago(nowMs, 10_890),
      finishedAt: ago(nowMs, 10_871),
      error: {
        code: "REFERENCE_MISMATCH",
        message: "The reference holds HEVC 3840×2160, the damaged file H.264: it is from another camera.",
      },
    }),
    createJob(nowMs, {
      id: "0190a000-0000-7000-8000-0000000000f6",
      params: { inputs: ["uploads/u0/\u202egnp.evil<img src=x onerror=alert(1)>.mp4"] },
      status: "cancelled",
      stage: "work",
      progress: 0.11,
      createdAt: ago(nowMs, 90_000),
      startedAt: ago(nowMs, 89_990),
      finishedAt: ago(nowMs, 89_950),
    }),
  ];
}

/** Result of the repaired job. */
export function createRepairResult(): RepairResult {
  return {
    schema: 1,
    files: [
      {
        input: "uploads/u5/interview-take-3.mp4",
        output: `outputs/${REPAIRED_ID}/interview-take-3.mp4`,
        status: "repaired",
        references: ["uploads/u6/interview-take-2.mp4"],
        report: {
          engine: "native",
          diagnosis: "no-index",
          tracks: [
            {
              trackId: 1,
              kind: "video",
              codec: "avc1",
              packets: 21_504,
              keyframes: 896,
              bytes: 1_187_400_000,
              durationSeconds: 860.2,
            },
            {
              trackId: 2,
              kind: "audio",
              codec: "mp4a",
              packets: 40_320,
              keyframes: 0,
              bytes: 27_520_000,
              durationSeconds: 860.1,
            },
            { trackId: 3, kind: "other", codec: "tmcd", packets: 1, keyframes: 1, bytes: 4, durationSeconds: 860.2 },
          ],
          findings: [
            { kind: "padding", startOffset: 32, endOffset: 131_072, action: "Left out." },
            {
              kind: "lost",
              startOffset: 291_504_128,
              endOffset: 322_961_408,
              action: "Left out; sound and picture stay in step.",
              lostSeconds: 21.8,
            },
            {
              kind: "damaged-packet",
              startOffset: 611_319_808,
              endOffset: 614_465_536,
              action: "Left out with the pictures that need it.",
              lostSeconds: 2.1,
            },
            {
              kind: "zeros",
              startOffset: 930_086_912,
              endOffset: 950_009_856,
              action: "Nothing to save.",
              lostSeconds: 13.8,
            },
            { kind: "cut-packet", startOffset: 1_272_900_000, endOffset: 1_273_000_000, action: "Left out." },
          ],
          bytes: { recovered: 1_214_920_004, scanned: 1_272_998_000 },
          confidence: 0.9695,
        },
        checks: [
          { name: "structure", status: "passed", detail: "The index lies within the file and fits its data." },
          { name: "packets", status: "passed", detail: "61 825 packets are listed, as many as were recovered." },
          { name: "decode", status: "passed", detail: "ffmpeg decoded all of it without an error." },
          { name: "durations", status: "warning", detail: "Sound ends 0.1 s before the picture." },
        ],
        notices: [],
        moved: { downloadedBytes: 1_281_000_000, uploadedBytes: 1_450_000, copiedBytes: 1_214_000_000 },
      },
    ],
    summary: { repaired: 1, healthy: 0, failed: 0 },
  };
}

/** Length of the damaged file of the repaired job. */
export const DAMAGED_BYTES = 1_273_000_000;

/** Tasks of any job. */
export function createTasks(job: JobView, nowMs: number): readonly TaskView[] {
  const inputs = (job.params as { readonly inputs?: readonly string[] }).inputs ?? [];
  return inputs.map((key, index) => {
    const isDone = job.status === "succeeded" || index < job.tasks.succeeded;
    const isRunning = job.status === "running" && index === job.tasks.succeeded;
    return {
      stage: "work",
      index,
      label: key.slice(key.lastIndexOf("/") + 1),
      status: isDone ? "succeeded" : isRunning ? "running" : job.status === "failed" ? "failed" : "queued",
      attempt: isRunning ? 2 : isDone || job.status === "failed" ? 1 : 0,
      failures: isRunning ? 1 : 0,
      error: job.error,
      progress: isDone ? 1 : isRunning ? 0.26 : 0,
      phase: "searching for packets",
      startedAt: isDone || isRunning ? ago(nowMs, 80) : null,
      finishedAt: isDone ? ago(nowMs, 32) : null,
    };
  });
}

/** Events of any job. */
export function createEvents(job: JobView): readonly EventView[] {
  const started = job.startedAt ?? job.createdAt;
  const list = [
    ["job.queued", job.createdAt, { priority: job.priority }],
    ["job.started", started, { attempt: job.attempt }],
    ["job.stage", started, { stage: "work", tasks: job.tasks.total }],
    ["task.started", started, { stage: "work", index: 0, attempt: 1 }],
    ...(job.finishedAt === null ? [] : [[`job.${job.status}`, job.finishedAt, {}] as const]),
  ] as const;
  return list.map(([type, at, data], index) => ({ seq: index + 1, jobId: job.id, at, type, data }));
}

/** Log lines of any job. */
export function createLogs(job: JobView): readonly LogLine[] {
  const line = (level: string, message: string): LogLine => ({
    timestamp: job.startedAt ?? job.createdAt,
    level,
    message,
    job_id: job.id,
  });
  return [
    line("info", "Job taken by worker 4711."),
    line("info", "Planned 1 task over 1.27 GB."),
    line("warn", "No index found: the data are searched with what the reference teaches."),
    line("info", "Learnt 2 tracks from interview-take-2.mp4: avc1 1920×1080, mp4a 48 kHz."),
    ...(job.error === null ? [] : [line("error", job.error.message)]),
  ];
}

/** What was sent to a job's webhook. */
export function createDeliveries(job: JobView, nowMs: number): readonly DeliveryView[] {
  if (job.webhook === null) return [];
  return [
    {
      id: "w1",
      jobId: job.id,
      url: job.webhook.url,
      format: "standard",
      state: "delivered",
      createdAt: ago(nowMs, 1450),
      nextAttemptAt: null,
      attempts: [
        { at: ago(nowMs, 1450), durationMs: 5002, status: null, error: "no answer within 5 s" },
        { at: ago(nowMs, 1445), durationMs: 184, status: 204, error: null },
      ],
    },
  ];
}
