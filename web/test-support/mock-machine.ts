import type {
  DeadLetterView,
  JobView,
  PipelineView,
  QueueView,
  StatsView,
  SystemView,
  WatchView,
} from "../src/api/types.ts";
import { ago, FAILED_ID } from "./mock-data.ts";

const GIGABYTE = 1_000_000_000;

/** The pipelines of the server; `paramsSchema` as Zod writes it. */
export function createPipelines(): readonly PipelineView[] {
  const keys = (description: string, minItems: number) => ({
    type: "array",
    items: { type: "string" },
    minItems,
    maxItems: 1000,
    description,
  });
  return [
    {
      name: "repair",
      description: "Mends recordings that a dead battery or a pulled card left unplayable.",
      paramsSchema: {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: {
          inputs: keys("Object keys of the damaged recordings.", 1),
          references: keys("Healthy recordings of the same camera.", 0),
          outputPrefix: { type: "string", description: "Where the outputs lie; by default a folder of the job's own." },
          engine: {
            type: "string",
            enum: ["native", "untrunc", "auto"],
            default: "auto",
            description: "What does the work.",
          },
          verify: {
            type: "string",
            enum: ["none", "quick", "full"],
            default: "quick",
            description: "How much of the output is checked.",
          },
          faststart: {
            type: "boolean",
            default: false,
            description: "Index at the front, for playing over a network.",
          },
        },
        required: ["inputs", "engine", "verify", "faststart"],
        additionalProperties: false,
      },
      maxConcurrentTasks: 2,
      isPaused: false,
    },
  ];
}

/** The queues of the server. */
export function createQueues(nowMs: number, dead: number): readonly QueueView[] {
  return [{ queue: "repair", waiting: 2, inFlight: 1, dead, isPaused: false, oldestSentAt: ago(nowMs, 60) }];
}

/** Messages that were given up. */
export function createDeadLetters(nowMs: number): readonly DeadLetterView[] {
  const letter = (id: number, index: number, code: string, message: string): DeadLetterView => ({
    id,
    queue: "repair",
    jobId: FAILED_ID,
    stage: "work",
    index,
    receiveCount: 3,
    sentAt: ago(nowMs, 10_900),
    deadAt: ago(nowMs, 9_000 - index * 600),
    reason: { code, message },
  });
  return [
    letter(1, 0, "WORKER_LOST", "The worker ended three times while it held the task; its memory ran out."),
    letter(2, 1, "STORE_UNREACHABLE", "The object store did not answer within 30 s."),
  ];
}

/** Counts over the server. */
export function createStats(jobs: Iterable<JobView>): StatsView {
  const byStatus: Record<string, number> = {};
  for (const { status } of jobs) byStatus[status] = (byStatus[status] ?? 0) + 1;
  return {
    jobs: { byStatus, endedLastDay: 14 },
    workers: { desired: 2, running: 2, busy: 1, max: 4 },
    containers: { desired: 3, running: 1, pending: 2 },
    uptimeSeconds: 273_840,
  };
}

/** The machine. */
export function createSystem(): SystemView {
  return {
    version: "0.1.0",
    node: "v24.21.0",
    platform: "linux x64",
    cpus: 8,
    memoryBytes: 32 * GIGABYTE,
    freeMemoryBytes: 19.4 * GIGABYTE,
    disk: { path: "/var/lib/reelmill", totalBytes: 2000 * GIGABYTE, freeBytes: 742 * GIGABYTE },
    ffmpeg: {
      version: "7.1.3",
      path: "/usr/bin/ffmpeg",
      encoders: ["libx264", "libx265", "libvpx-vp9", "libaom-av1", "aac", "libopus"],
      missing: ["h264_nvenc"],
    },
    settings: [
      { name: "host", value: "127.0.0.1", source: "default" },
      { name: "port", value: 8080, source: "default" },
      { name: "data", value: "/var/lib/reelmill", source: "command line" },
      { name: "MIN_FILE_AGE_SECONDS", value: 20, source: "environment" },
      { name: "REFERENCE_STRATEGY", value: "smallest", source: "default" },
    ],
  };
}

/** The watch folder at work. */
export function createWatch(): WatchView {
  return {
    isConfigured: true,
    isRunning: true,
    isPaused: false,
    reason: null,
    readyFolder: "/srv/share/ready",
    exportFolder: "/srv/share/export",
    quarantineFolder: "/srv/share/quarantine",
    currentReference: "C0031.MP4",
    files: [
      { name: "C0031.MP4", bytes: 412_000_000, state: "healthy", progress: null, detail: "learnt from" },
      { name: "C0045.MP4", bytes: 3_870_000_000, state: "repairing", progress: 0.63, detail: "writing" },
      { name: "C0046.MP4", bytes: 2_140_000_000, state: "queued", progress: null, detail: "waits for a free worker" },
      { name: "C0047.MP4", bytes: 988_000_000, state: "growing", progress: null, detail: "changed 4 s ago" },
      {
        name: "C0029.MP4",
        bytes: 640_000,
        state: "quarantined",
        progress: null,
        detail: "The reference watch-e6fabd95e7ea/ready/C0031.MP4 does not fit.",
      },
    ],
    counters: { scans: 9_127, exported: 128, exportedByCloud: 0, quarantined: 3, putOff: 2, pauses: 0 },
  };
}
