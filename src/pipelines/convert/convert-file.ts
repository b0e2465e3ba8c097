import { mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Environment } from "../../base/config-defaults.ts";
import { translateOutputError } from "../../base/file-errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import { createPendingOutput, temporaryPathFor } from "../../base/pending-output.ts";
import { requireFfmpeg } from "../../ffmpeg/programs.ts";
import type { ConversionPlan, ConversionReport } from "./conversion.ts";
import { finishConversion } from "./finish.ts";
import type { ConvertSettings } from "./options.ts";
import { encodePart, type PlannedPart, partName, partsOf } from "./parts.ts";
import { planConversion } from "./plan.ts";
import type { ConvertHooks } from "./work.ts";

/** What the conversion of one file takes. */
export interface FileConversion {
  readonly input: string;
  /** Nothing may lie there. */
  readonly output: string;
  readonly settings: ConvertSettings;
  readonly environment: Environment;
  readonly cores: number;
  /** As in the plan's context. */
  readonly minSpanSeconds?: number;
  readonly signal: AbortSignal;
  /** Hears from 0 to 1 how far it has come, and what is being done. */
  readonly onProgress: (fraction: number, phase: string) => void;
}

/** Shares of the time: what follows encoding is joining and checking. */
const ENCODING_SHARE = 0.95;

/**
 * Converts a file on this machine: spans and sound at the same time, in a folder beside the output that goes whatever happens. Throws
 * INPUT_NOT_FOUND and its like, INPUT_NOT_VIDEO, PARAMS_INVALID, ENCODER_MISSING, FFMPEG_MISSING, FFMPEG_FAILED, FFMPEG_TIMEOUT, NO_SPACE,
 * OUTPUT_EXISTS, OUTPUT_UNWRITABLE, OUTPUT_NOT_VERIFIED, ABORTED.
 */
export async function convertFile(conversion: FileConversion): Promise<ConversionReport> {
  const { input, output, settings, environment, cores, minSpanSeconds, signal, onProgress } = conversion;
  // ffmpeg would say less clearly what is wrong with a path.
  openFileSource(input).close();
  const tools = await requireFfmpeg(environment);
  onProgress(0, "looking");
  const plan = await planConversion(input, settings, { tools, signal, cores, processes: cores, minSpanSeconds });
  const folder = makeWorkFolder(output);
  const pending = createPendingOutput(temporaryPathFor(output), output);
  const removeAll = (): void => {
    rmSync(folder, { recursive: true, force: true });
    pending.discard();
  };
  // A second signal ends the process at once.
  process.once("exit", removeAll);
  try {
    const steps = partsOf(plan).map((part): Step => ({ ...part, path: join(folder, partName(part.part)) }));
    const hooks = { tools, signal };
    await runSteps(plan, steps, input, {
      ...hooks,
      onProgress: (fraction) => onProgress(fraction * ENCODING_SHARE, "encoding"),
    });
    const parts = {
      inputPath: input,
      spanPaths: steps.filter(({ part }) => part.part === "span").map(({ path }) => path),
      audioPath: steps.find(({ part }) => part.part === "sound")?.path,
    };
    const report = await finishConversion(plan, parts, pending.path, settings.verify, {
      ...hooks,
      onProgress: (fraction) => onProgress(ENCODING_SHARE + fraction * (1 - ENCODING_SHARE), "checking"),
    });
    pending.publish();
    return report;
  } catch (error) {
    pending.discard();
    throw translateOutputError(output, error);
  } finally {
    process.off("exit", removeAll);
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeWorkFolder(output: string): string {
  try {
    return mkdtempSync(join(dirname(output), ".reelmill-convert-"));
  } catch (error) {
    throw translateOutputError(output, error);
  }
}

/** A part and where its file lies. */
interface Step extends PlannedPart {
  readonly path: string;
}

/** Where an encoder uses all cores by itself, sound is done beside it, as ffmpeg itself would. */
function concurrencyOf({ video }: ConversionPlan): number {
  return video.kind === "encode" ? Math.max(2, video.processes) : 1;
}

/** Long steps first, so many at a time; the first failure ends the others. */
async function runSteps(
  plan: ConversionPlan,
  steps: readonly Step[],
  input: string,
  { tools, signal, onProgress }: ConvertHooks,
): Promise<void> {
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const total = steps.reduce((sum, { weight }) => sum + weight, 0);
  const done = new Map<Step, number>();
  const tell = (step: Step, fraction: number): void => {
    done.set(step, fraction);
    let sum = 0;
    for (const [{ weight }, share] of done) sum += weight * share;
    onProgress(sum / total);
  };
  const queue = steps.toSorted((a, b) => b.weight - a.weight).values();
  const work = async (): Promise<void> => {
    for (const step of queue) {
      try {
        const hooks = { tools, signal: either, onProgress: (fraction: number) => tell(step, fraction) };
        await encodePart(plan, step.part, input, step.path, hooks);
        tell(step, 1);
      } catch (error) {
        ending.abort();
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.max(1, Math.min(concurrencyOf(plan), steps.length)) }, work);
  try {
    await Promise.all(workers);
  } finally {
    await Promise.allSettled(workers);
  }
}
