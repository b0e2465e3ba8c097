import { closeSync, constants, ftruncateSync, openSync } from "node:fs";
import { ReelmillError } from "../../base/errors.ts";
import { translateOutputError } from "../../base/file-errors.ts";
import { writeFully } from "../../base/write-fully.ts";
import type { OutputLayout } from "../../repair/write/layout.ts";
import type { Recording } from "./recordings.ts";
import { removeJournal, undoChange, writeJournal } from "./undo-journal.ts";

/** Moments between the steps of a repair in place, at each of which a crash can be undone. */
export type InPlaceStep = "journal-written" | "truncated" | "head-written" | "tail-written" | "verified";

/**
 * Mends a file where it lies: saves what will be destroyed, changes the file, verifies it, forgets what was saved. Whatever
 * fails on the way, the file is brought back to what it was. Each write is on the disk before the next begins. Throws
 * OUTPUT_UNWRITABLE, NO_SPACE, and what `verify` throws. `onStep` is for tests of crashes.
 */
export async function repairInPlace<T>(
  damaged: Recording,
  layout: OutputLayout,
  verify: () => Promise<T>,
  onStep: (step: InPlaceStep) => void = () => undefined,
): Promise<T> {
  const change = layout.inPlace;
  if (change === undefined) {
    const message = `${damaged.path} cannot be mended in place, because its data would have to move. Write to a new file with -o.`;
    throw new ReelmillError("OUTPUT_UNWRITABLE", message);
  }
  const { path } = damaged;
  const descriptor = openForChange(path);
  try {
    writeJournal(damaged, { headBytes: change.head.length, truncateAt: change.truncateAt });
    try {
      onStep("journal-written");
      applyChange(descriptor, change, onStep);
      const verified = await verify();
      onStep("verified");
      removeJournal(path);
      return verified;
    } catch (error) {
      undoChange(path);
      throw translateOutputError(path, error);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Written bytes reach the disk with each write; to flush the whole file at the end could mean gigabytes of earlier copying. */
function openForChange(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | (constants.O_DSYNC ?? 0));
  } catch (error) {
    throw translateOutputError(path, error);
  }
}

function applyChange(
  descriptor: number,
  { head, truncateAt, tail }: NonNullable<OutputLayout["inPlace"]>,
  onStep: (step: InPlaceStep) => void,
): void {
  ftruncateSync(descriptor, truncateAt);
  onStep("truncated");
  writeFully(descriptor, head, 0);
  onStep("head-written");
  writeFully(descriptor, tail, truncateAt);
  onStep("tail-written");
}
