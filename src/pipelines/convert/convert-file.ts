import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import type { Environment } from "../../base/config-defaults.ts";
import { translateOutputError } from "../../base/file-errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import { requireFreeTarget } from "../../base/output-path.ts";
import { createPendingOutput } from "../../base/pending-output.ts";
import { withWorkFolder } from "../../base/work-folder.ts";
import { requireFfmpeg } from "../../ffmpeg/programs.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import { adviseRepair } from "../cut-short.ts";
import type { ConversionReport, SearchReport } from "./conversion.ts";
import { finishConversion } from "./finish.ts";
import type { ConvertSettings } from "./options.ts";
import { partName, partsOf } from "./parts.ts";
import { planConversion } from "./plan.ts";
import { runParts } from "./run-parts.ts";

/** What the conversion of one file takes. */
export interface FileConversion {
  readonly input: string;
  /** Nothing may lie there. */
  readonly output: string;
  /** Make the output's folder where it is missing; left out: not. */
  readonly makesFolder?: boolean;
  readonly settings: ConvertSettings;
  readonly environment: Environment;
  readonly cores: number;
  /** As in the plan's context. */
  readonly minSpanSeconds?: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Hears from 0 to 1 how far it has come, and what is being done. */
  readonly onProgress: (fraction: number, phase: string) => void;
  /** Hears what is to be expected, before the whole is encoded; only where a quality was searched. */
  readonly onSearched?: ((search: SearchReport) => void) | undefined;
}

/** Where in the whole, from 0 to 1, a quality was searched, if one is, and the encoding is done; then it is joined and checked. */
const SEARCHING_SHARE = 0.4;
const ENCODING_SHARE = 0.95;

/**
 * Converts a file on this machine: spans and sound at the same time, in a folder beside the output that goes whatever happens. Throws
 * INPUT_NOT_FOUND and its like, INPUT_NOT_VIDEO, PARAMS_INVALID, ENCODER_MISSING, FILTER_MISSING, TARGET_UNREACHABLE, FFMPEG_MISSING,
 * FFMPEG_FAILED, FFMPEG_TIMEOUT, NO_SPACE, OUTPUT_EXISTS, OUTPUT_UNWRITABLE, OUTPUT_NOT_VERIFIED, ABORTED.
 */
export async function convertFile(conversion: FileConversion): Promise<ConversionReport> {
  const { input, output, makesFolder = false, environment, onProgress } = conversion;
  // ffmpeg would say less clearly what is wrong with a path.
  openFileSource(input).close();
  requireFreeTarget(output, makesFolder);
  const tools = await requireFfmpeg(environment);
  onProgress(0, "looking");
  return await withWorkFolder(output, "convert", async (folder) => {
    const pending = createPendingOutput(output);
    // A second signal ends the process at once.
    process.once("exit", pending.discard);
    try {
      const report = await convertWithin(folder, pending.path, tools, conversion);
      pending.publish();
      return report;
    } catch (error) {
      pending.discard();
      throw translateOutputError(output, adviseRepair(input, error));
    } finally {
      process.off("exit", pending.discard);
    }
  });
}

async function convertWithin(
  folder: string,
  outputPath: string,
  tools: FfmpegTools,
  { input, settings, cores, minSpanSeconds, clock, signal, onProgress, onSearched }: FileConversion,
): Promise<ConversionReport> {
  const hooks = { tools, signal, workFolder: async () => folder };
  const plan = await planConversion(input, settings, {
    ...{ ...hooks, cores, processes: cores, minSpanSeconds, clock },
    onProgress: (fraction, phase) => onProgress(fraction * SEARCHING_SHARE, phase),
  });
  if (plan.search !== null) onSearched?.(plan.search);
  const begun = plan.search === null ? 0 : SEARCHING_SHARE;
  const placed = partsOf(plan).map((part) => ({ ...part, path: join(folder, partName(part.part)) }));
  const made = await runParts(plan, placed, input, {
    ...hooks,
    onProgress: (fraction) => onProgress(begun + fraction * (ENCODING_SHARE - begun), "encoding"),
  });
  const sound = made.find(({ part }) => part.part === "sound");
  const parts = {
    inputPath: input,
    spans: made.filter(({ part }) => part.part === "span"),
    audioPath: sound?.path,
    isSoundDamaged: sound?.isDamaged ?? false,
  };
  return await finishConversion(plan, parts, outputPath, settings.verify, {
    ...hooks,
    onProgress: (fraction) => onProgress(ENCODING_SHARE + fraction * (1 - ENCODING_SHARE), "checking"),
  });
}
