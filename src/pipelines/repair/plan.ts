import { ReelmillError } from "../../base/errors.ts";
import { chooseOutputs, isFolderOutput } from "../../base/output-path.ts";
import { collectInputs, type InputFailure, type SkippedInput } from "./inputs.ts";
import type { RepairPipelineOptions } from "./options.ts";
import { LOCAL_PLACE, type RepairPlace } from "./place.ts";
import { createReferencePool, type ReferencePool } from "./references.ts";

const NAMING = { suffix: "_repaired", deed: "repaired", ownAdvice: ", or use --in-place" };

/** The repair of one file. */
export interface RepairTask {
  readonly input: string;
  /** Undefined: in place. */
  readonly output: string | undefined;
  /** Whether the output's folder is made where it is missing: the user named the folder, not the file. */
  readonly makesFolder: boolean;
  readonly references: ReferencePool;
  readonly options: RepairPipelineOptions;
  readonly place: RepairPlace;
}

/** What is to be done about the paths given. */
export interface RepairPlan {
  readonly tasks: readonly RepairTask[];
  /** Paths for which nothing can be done. */
  readonly failures: readonly InputFailure[];
  /** Paths that were left out on purpose. */
  readonly skipped: readonly SkippedInput[];
}

/**
 * Plans one task for each damaged file; folders are walked. Throws USAGE for options that contradict each other, and for a
 * named reference that is not there INPUT_NOT_FOUND, INPUT_UNREADABLE or INPUT_SYMLINK_LOOP.
 */
export function planRepair(paths: readonly string[], options: RepairPipelineOptions): RepairPlan {
  requireConsistent(options);
  const { files, failures, skipped } = collectInputs(paths);
  const inputs = [...files.map((file) => file.path), ...(options.neighbours ?? [])];
  const place = LOCAL_PLACE;
  const references = createReferencePool(options.references, inputs, place.recordings);
  const outputs = options.inPlace ? [] : chooseOutputs(files, options.output, NAMING);
  const makesFolder = options.output !== undefined && isFolderOutput(options.output, files.length);
  const shared = { makesFolder, references, options, place };
  const tasks = files.map((file, index) => ({ input: file.path, output: outputs[index], ...shared }));
  return { tasks, failures, skipped };
}

function requireConsistent(options: RepairPipelineOptions): void {
  const { inPlace, output, faststart, engine } = options;
  const conflict = [
    inPlace && output !== undefined && "--in-place mends the file itself, so -o has nothing to name",
    inPlace &&
      faststart &&
      "--in-place leaves the data where they are, so --faststart cannot put the index before them",
    inPlace && engine === "untrunc" && "untrunc always writes a new file, so it cannot work --in-place",
    faststart && engine === "untrunc" && "untrunc always puts the index at the end, so it cannot do --faststart",
  ].find((message) => message !== false);
  if (conflict !== undefined) throw new ReelmillError("USAGE", `${conflict}. Leave one of the two out.`);
}
