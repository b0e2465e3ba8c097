import { lstatSync, mkdirSync, renameSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Environment } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { translateOutputError } from "../../base/file-errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import { systemCodeOf } from "../../base/system-code.ts";
import { withWorkFolder } from "../../base/work-folder.ts";
import { requireFfmpeg } from "../../ffmpeg/programs.ts";
import { adviseRepair } from "../cut-short.ts";
import { checkEncryption } from "./content-key.ts";
import { encodeParts, uniteRungs } from "./encode-part.ts";
import { finishPackage } from "./finish.ts";
import type { LendSpans } from "./join-rungs.ts";
import type { HlsSettings } from "./options.ts";
import type { PackageReport } from "./packaging.ts";
import { planPackage } from "./plan.ts";

/** What the packaging of one file takes. */
export interface FilePackaging {
  readonly input: string;
  /** A folder; nothing may lie there. */
  readonly output: string;
  readonly settings: HlsSettings;
  /** 16 bytes; goes with the setting `encryptKeyUri`. */
  readonly contentKey?: Uint8Array | undefined;
  readonly environment: Environment;
  /** As in the plan's context. */
  readonly spanSeconds?: number | undefined;
  readonly signal: AbortSignal;
  /** Hears from 0 to 1 how far it has come, and what is being done. */
  readonly onProgress: (fraction: number, phase: string) => void;
}

/** Shares of the time: what follows encoding is checking. */
const ENCODING_SHARE = 0.9;

/**
 * Makes an HLS package of a file on this machine, in a folder beside the output that goes whatever happens: the output appears whole or not
 * at all. Throws INPUT_NOT_FOUND and its like, INPUT_NOT_VIDEO, PARAMS_INVALID, ENCODER_MISSING, FFMPEG_MISSING, FFMPEG_FAILED,
 * FFMPEG_TIMEOUT, NO_SPACE, OUTPUT_EXISTS, OUTPUT_UNWRITABLE, OUTPUT_NOT_VERIFIED,
 * INPUT_TOO_SHORT, ABORTED.
 */
export async function packageFile(packaging: FilePackaging): Promise<PackageReport> {
  const { input, settings, contentKey, environment, spanSeconds, signal, onProgress } = packaging;
  checkEncryption(settings, contentKey !== undefined);
  const output = resolve(packaging.output);
  // ffmpeg would say less clearly what is wrong with a path.
  openFileSource(input).close();
  requireFree(output);
  const tools = await requireFfmpeg(environment);
  onProgress(0, "looking");
  const plan = await planPackage(input, settings, { tools, signal, spanSeconds });
  return await withWorkFolder(output, "hls", async (folder) => {
    try {
      const encodedFolder = join(folder, "encoded");
      // Not the work's own folder, which nobody else may read.
      const packageFolder = join(folder, "package");
      mkdirSync(encodedFolder);
      const hooks = {
        ...{ tools, signal },
        onProgress: (fraction: number) => onProgress(fraction * ENCODING_SHARE, "encoding"),
      };
      const made = await encodeParts(plan, input, encodedFolder, hooks);
      const places = { inputPath: input, folder: encodedFolder, lend: () => lendInPlace };
      const united = await uniteRungs(plan, made, places, hooks);
      const report = await finishPackage(
        united,
        { inputPath: input, encodedFolder, packageFolder, contentKey },
        {
          ...{ tools, signal },
          onProgress: (fraction) => onProgress(ENCODING_SHARE + fraction * (1 - ENCODING_SHARE), "checking"),
        },
      );
      publish(packageFolder, output);
      return report;
    } catch (error) {
      throw translateOutputError(output, adviseRepair(input, error));
    }
  });
}

/** What was encoded lies where it is joined. */
const lendInPlace: LendSpans = (paths, use) => use(paths);

function requireFree(output: string): void {
  let isThere: boolean;
  try {
    isThere = lstatSync(output, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw translateOutputError(output, error);
  }
  if (isThere) throw alreadyThere(output);
}

function alreadyThere(output: string): ReelmillError {
  return new ReelmillError("OUTPUT_EXISTS", `${output} is there already; choose another name or remove it.`);
}

/** A folder is renamed over an empty one at most. */
function publish(folder: string, output: string): void {
  try {
    renameSync(folder, output);
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(systemCodeOf(error) ?? "")) throw alreadyThere(output);
    throw error;
  }
}
