import { randomBytes } from "node:crypto";
import { appendFileSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createEdgeService, type EdgeService } from "../../src/apps/edge/edge-service.ts";
import type { EdgeStatus } from "../../src/apps/edge/edge-status.ts";
import type { RepairOutcome, RepairService } from "../../src/apps/edge/repair-service.ts";
import type { EdgeServiceOptions } from "../../src/apps/edge/room.ts";
import { type EdgeSettings, resolveEdgeSettings } from "../../src/apps/edge/settings.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { loadConfig } from "../../src/base/config.ts";
import type { Json } from "../../src/base/json.ts";
import { createLogger } from "../../src/base/log.ts";
import { examineRecording, planRepair, workRepair } from "../../src/pipelines/repair/index.ts";

const ENVIRONMENT = { PATH: process.env["PATH"] };

/** Repairs in this process, by the pipeline itself. */
export const pipelineRepair: RepairService = {
  repair: async ({ input, references, outputFolder, signal, onProgress }): Promise<RepairOutcome> => {
    const plan = planRepair([input], {
      references,
      output: `${outputFolder}/`,
      inPlace: false,
      faststart: false,
      engine: "native",
      dryRun: false,
      verify: "quick",
      environment: ENVIRONMENT,
      signal,
    });
    const [task] = plan.tasks;
    if (task === undefined) throw plan.failures[0]?.error;
    const { status, output, error, ...result } = await workRepair(task, { signal, onProgress });
    const report = { ...result, status } as unknown as Json;
    if (error !== undefined) return { status: "failed", error, report };
    return output === null ? { status: "healthy", report } : { status: "repaired", output, report };
  },
};

/** Quick, and never twice the same, so that a file that is exported twice shows. */
export const copyRepair: RepairService = {
  repair: ({ input, outputFolder }) => {
    const output = join(outputFolder, "copy.mp4");
    copyFileSync(input, output);
    appendFileSync(output, randomBytes(8));
    return Promise.resolve({ status: "repaired", output, report: null });
  },
};

/** Quick, too: by the name. */
export const examineName: EdgeServiceOptions["examine"] = (path) =>
  Promise.resolve({
    health: basename(path) === "healthy.mp4" ? "healthy" : "damaged",
    reason: "its name says so",
    signature: "one",
    teaches: true,
  });

/** A service for tests, and what it wrote. */
export interface TestEdge {
  readonly service: EdgeService;
  readonly settings: EdgeSettings;
  readonly logged: readonly string[];
}

/** Settings of a watch folder with short times. */
export function edgeSettings(root: string, overrides: Partial<EdgeSettings> = {}): EdgeSettings {
  const settings = resolveEdgeSettings(loadConfig({}), root, true);
  if (settings === undefined) throw new Error("A root was given.");
  return { ...settings, minFileAgeMs: 0, scanIntervalMs: 50, leaseMs: 1500, ...overrides };
}

/** Creates a service that is not started yet. */
export function createTestEdge(
  root: string,
  overrides: Partial<EdgeSettings> = {},
  options: Partial<EdgeServiceOptions> = {},
): TestEdge {
  const settings = edgeSettings(root, overrides);
  const logged: string[] = [];
  const service = createEdgeService({
    settings,
    repair: pipelineRepair,
    examine: (path, signal) => examineRecording(path, { environment: ENVIRONMENT, signal }),
    clock: systemClock,
    log: createLogger({ format: "json", level: "debug", write: (line) => logged.push(line) }),
    ...options,
  });
  return { service, settings, logged };
}

/** A clock that stands until it is moved; the wall clock may be moved by itself. */
export function createStillClock(): Clock & { readonly time: { monotonicMs: number; nowMs: number } } {
  const time = { monotonicMs: 0, nowMs: 1_750_000_000_000 };
  return { time, nowMs: () => time.nowMs, monotonicMs: () => time.monotonicMs };
}

/** Every file below a folder by its path from there; nothing where there is no such folder. */
export function listAll(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** What is left in a watch folder that should not be there when all is done. */
export function listLeftovers(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    /(^|\/)\.(?!reelmill-watch$|reelmill-claims$)|^\.reelmill-claims\//.test(path),
  );
}

/** A temporary folder; `remove` takes it away. */
export function createTestFolder(parent = tmpdir()): { readonly path: string; readonly remove: () => void } {
  mkdirSync(parent, { recursive: true });
  const path = mkdtempSync(join(parent, "reelmill-edge-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** State of a file by its name; undefined where it is not known. */
export function stateOf(status: EdgeStatus, name: string): string | undefined {
  return status.knownFiles.find((file) => file.name === name)?.state;
}
