import { accessSync, constants, existsSync, lstatSync, statSync } from "node:fs";
import { basename, dirname, extname, join, parse, resolve } from "node:path";
import { ReelmillError } from "./errors.ts";
import { translateOutputError } from "./file-errors.ts";
import { identityOf } from "./file-source.ts";
import { fittingName } from "./fitting-name.ts";
import { makeFolderSync } from "./make-folder.ts";

/** An input and where it lies in the tree that was asked for. */
export interface NamedInput {
  readonly path: string;
  /** Its path from the folder given, or its name; kept below an output folder. */
  readonly relativePath: string;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Whether `output` is to be a folder: it is one, ends in a slash, or several files are to go there. */
export function isFolderOutput(output: string, inputCount: number): boolean {
  return /[/\\]$/.test(output) || isFolder(output) || inputCount > 1;
}

function isSameFile(a: string, b: string): boolean {
  if (resolve(a) === resolve(b)) return true;
  const [first, second] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return first !== undefined && second !== undefined && identityOf(first) === identityOf(second);
}

/** How outputs get their names. */
export interface OutputNaming {
  /** Stands behind the input's name, such as `_repaired`. */
  readonly suffix: string;
  /** With its dot; the input's own where it is left out. */
  readonly extension?: string;
  /** What is done to the inputs, such as `repaired`. */
  readonly deed: string;
  /** How to replace the input itself, where that can be asked for. */
  readonly ownAdvice?: string;
}

/** `clip.mp4` → `clip_repaired.mp4`, then `clip_repaired-2.mp4` … for the first name that is free. */
function freeNameBeside(path: string, naming: OutputNaming, taken: ReadonlySet<string>): string {
  const { dir, name, ext } = parse(path);
  for (let number = 1; ; number++) {
    const rest = `${naming.suffix}${number === 1 ? "" : `-${number}`}${naming.extension ?? ext}`;
    const candidate = join(dir, fittingName(name, rest));
    if (!existsSync(candidate) && !taken.has(resolve(candidate))) return candidate;
  }
}

/**
 * The output of every input, in their order. Default names never meet a file that exists; names below an output folder
 * may, which writing refuses. Throws USAGE where several inputs are to go into one file, and where an output is its own
 * input.
 */
export function chooseOutputs(
  inputs: readonly NamedInput[],
  output: string | undefined,
  naming: OutputNaming,
): readonly string[] {
  if (output !== undefined && inputs.length > 1 && existsSync(output) && !isFolder(output)) {
    throw new ReelmillError(
      "USAGE",
      `${output} is a file, but ${inputs.length} files are to be ${naming.deed}: give a folder.`,
    );
  }
  const intoFolder = output !== undefined && isFolderOutput(output, inputs.length);
  const taken = new Set<string>();
  return inputs.map((input) => {
    const chosen = chooseOne(input, output, intoFolder, naming, taken);
    taken.add(resolve(chosen));
    return chosen;
  });
}

function chooseOne(
  input: NamedInput,
  output: string | undefined,
  intoFolder: boolean,
  naming: OutputNaming,
  taken: ReadonlySet<string>,
): string {
  if (output === undefined) return freeNameBeside(input.path, naming, taken);
  if (!intoFolder) {
    if (isSameFile(input.path, output)) {
      const message = `The output ${output} is the input itself: give another name${naming.ownAdvice ?? ""}.`;
      throw new ReelmillError("USAGE", message);
    }
    return output;
  }
  const path = withExtension(join(output, input.relativePath), naming.extension);
  // Inputs of one name from several folders, and an output folder that is the input's own.
  const isTaken = taken.has(resolve(path)) || isSameFile(input.path, path);
  return isTaken ? freeNameBeside(join(dirname(path), basename(path)), naming, taken) : path;
}

function withExtension(path: string, extension: string | undefined): string {
  if (extension === undefined) return path;
  const { dir, name } = parse(path);
  return join(dir, fittingName(name, extension));
}

/**
 * Makes sure that a file can be put there before work goes into it; makes the folder where `makesFolder`. Throws
 * OUTPUT_EXISTS, OUTPUT_UNWRITABLE, NO_SPACE.
 */
export function requireFreeTarget(target: string, makesFolder: boolean): void {
  const folder = dirname(target);
  try {
    if (makesFolder) makeFolderSync(folder);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw translateOutputError(target, error);
  }
  if (isFree(target)) return;
  throw new ReelmillError("OUTPUT_EXISTS", `${target} is there already; choose another name or remove it.`);
}

function isFree(target: string): boolean {
  try {
    return lstatSync(target, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    // A part of the path that is a file, not a folder, is no entry missing.
    throw translateOutputError(target, error);
  }
}

/** Lower-case extension with its dot; empty where there is none. */
export function extensionOf(path: string): string {
  return extname(path).toLowerCase();
}
