import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { requireFfmpeg } from "../../ffmpeg/programs.ts";
import type { ConversionPlan } from "./conversion.ts";
import { CONVERT_SETTINGS } from "./options.ts";
import { planConversion } from "./plan.ts";

/** What becomes of a file on one core, in spans from 1 s on. Samples may be encoded where there is a folder for them. */
export async function plan(path: string, settings: object, folder?: string): Promise<ConversionPlan> {
  return await planConversion(path, CONVERT_SETTINGS.parse(settings), {
    tools: await requireFfmpeg(process.env),
    signal: new AbortController().signal,
    cores: 1,
    processes: 1,
    minSpanSeconds: 1,
    workFolder: () =>
      folder === undefined ? Promise.reject(new Error("No sample is encoded.")) : Promise.resolve(folder),
    clock: systemClock,
    onProgress: () => undefined,
  });
}

/** A folder that goes with the test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "reelmill-plan-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
