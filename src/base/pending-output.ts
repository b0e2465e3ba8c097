import { existsSync, linkSync, renameSync, unlinkSync } from "node:fs";
import { ReelmillError } from "./errors.ts";
import { translateOutputError } from "./file-errors.ts";
import { removeLeftovers, temporaryPathFor } from "./leftovers.ts";
import { systemCodeOf } from "./system-code.ts";

/** A file written under a temporary name. Exactly one of the two is called. */
export interface PendingOutput {
  /** The temporary path. */
  readonly path: string;
  /** Gives the file its name. Throws OUTPUT_EXISTS where that has been taken meanwhile; the file is then gone. */
  publish(): void;
  /** Removes the file. Never throws. */
  discard(): void;
}

/** Prepares a file that is to lie at a temporary path beside the target, and clears away what killed processes left there. */
export function createPendingOutput(target: string): PendingOutput {
  removeLeftovers(target);
  const path = temporaryPathFor(target);
  const discard = (): void => {
    try {
      unlinkSync(path);
    } catch {
      // Never made, or already gone: either way nothing is left behind.
    }
  };
  return {
    path,
    discard,
    publish: () => {
      try {
        moveWithoutReplacing(path, target);
      } catch (error) {
        discard();
        throw translateOutputError(target, error);
      }
    },
  };
}

/**
 * Gives a file another name in its folder, unless that is taken: a link fails there, a rename would replace that file. Throws
 * OUTPUT_EXISTS, or EEXIST as the system has it.
 */
export function moveWithoutReplacing(path: string, target: string): void {
  try {
    linkSync(path, target);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "EEXIST") throw error;
    // FAT and exFAT, the file systems of memory cards, know no links.
    if (existsSync(target)) {
      throw new ReelmillError("OUTPUT_EXISTS", `${target} exists already; choose another name or remove it.`);
    }
    renameSync(path, target);
    return;
  }
  try {
    unlinkSync(path);
  } catch {
    // The output is in place under its name; that it has a second, hidden one is no failure of the repair.
  }
}
