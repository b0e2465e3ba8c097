import { closeSync, constants, copyFileSync, ftruncateSync, openSync, rmSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { translateOutputError } from "../../base/file-errors.ts";
import { createPendingOutput } from "../../base/pending-output.ts";
import { formatBytes } from "../../base/units.ts";
import { writeFully } from "../../base/write-fully.ts";
import type { OutputLayout, OutputPart } from "../../repair/write/layout.ts";
import { beginEarlyCopy, type EarlyCopy } from "./early-copy.ts";
import { breathe, type WorkHooks } from "./hooks.ts";
import type { Recording } from "./recordings.ts";
import { type Checkable, fileToCheck } from "./verify-output.ts";

/** A buffer that stays in the processor's cache copies faster than a large one. */
const COPY_BUFFER_BYTES = 256 * 1024;
const BREATHE_EVERY_BYTES = 16 * 1024 * 1024;

/** The size of the file that the layout makes. */
function outputBytesOf(layout: OutputLayout): number {
  return layout.parts.reduce((sum, part) => sum + partBytes(part), 0);
}

function partBytes(part: OutputPart): number {
  return part.kind === "bytes" ? part.bytes.length : part.endOffset - part.startOffset;
}

/** Below this a process of its own costs more than it saves. */
const MIN_EARLY_COPY_BYTES = 64 * 1024 * 1024;

/** A repaired file that has not got its name yet. */
export interface WrittenOutput extends Checkable {
  /** Gives it its name. Throws OUTPUT_EXISTS where that has been taken meanwhile; the file is then gone. */
  publish(): void;
}

/** An output in the making. */
export interface OutputDraft {
  /** Starts to copy the damaged file before the layout is known, where that pays. May be called again. */
  begin(): void;
  /** Writes the repaired file. Throws NO_SPACE, OUTPUT_UNWRITABLE, OUTPUT_EXISTS or ABORTED. */
  write(layout: OutputLayout, hooks: WorkHooks): Promise<WrittenOutput>;
  /** Removes whatever there is, unless it was published. Never throws. */
  discard(): Promise<void>;
}

/**
 * Prepares to write a repaired file under a temporary name beside `target`. Blocks are shared with the damaged file where
 * the file system can; else the copying goes on beside the engine's reading.
 */
export function createOutputDraft(damaged: Recording, target: string): OutputDraft {
  const pending = createPendingOutput(target);
  let started: EarlyCopy | undefined;
  let isBegun = false;
  const stop = async (): Promise<void> => {
    const copy = started;
    started = undefined;
    await copy?.stop();
  };
  return {
    begin: () => {
      if (isBegun || damaged.sizeBytes < MIN_EARLY_COPY_BYTES) return;
      // Tried once: what the disk has no room for is not asked again with every step of the reading.
      isBegun = true;
      started = startCopy(damaged, pending.path);
    },
    write: async (layout, hooks) => {
      try {
        await writeDraft(damaged, layout, pending.path, started, hooks);
        return { ...fileToCheck(pending.path), publish: pending.publish };
      } catch (error) {
        throw translateOutputError(target, error);
      } finally {
        await stop();
      }
    },
    discard: async () => {
      await stop();
      pending.discard();
    },
  };
}

/** Undefined where the copy had better wait: writing for good will say why, or find that there is room after all. */
function startCopy(damaged: Recording, path: string): EarlyCopy | undefined {
  if (tryClone(damaged, path)) return { finish: () => Promise.resolve(true), stop: () => Promise.resolve() };
  try {
    requireSpace(path, damaged.sizeBytes);
  } catch {
    return undefined;
  }
  return beginEarlyCopy(damaged, path);
}

async function writeDraft(
  damaged: Recording,
  layout: OutputLayout,
  path: string,
  started: EarlyCopy | undefined,
  hooks: WorkHooks,
): Promise<void> {
  const change = layout.inPlace;
  if (change !== undefined && (await started?.finish(hooks))) {
    patch(path, change);
    return;
  }
  await started?.stop();
  rmSync(path, { force: true });
  if (change !== undefined && tryClone(damaged, path)) {
    patch(path, change);
    return;
  }
  requireSpace(path, outputBytesOf(layout));
  await writeParts(damaged, layout, path, hooks);
}

/** Turns a copy of the damaged file into the repaired one. */
function patch(path: string, { head, truncateAt, tail }: NonNullable<OutputLayout["inPlace"]>): void {
  const descriptor = openSync(path, "r+");
  try {
    ftruncateSync(descriptor, truncateAt);
    writeFully(descriptor, head, 0);
    writeFully(descriptor, tail, truncateAt);
  } finally {
    closeSync(descriptor);
  }
}

/** Shares the damaged file's blocks, on file systems that can; takes no time and no space. */
function tryClone(damaged: Recording, path: string): boolean {
  try {
    copyFileSync(damaged.path, path, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } catch {
    rmSync(path, { force: true });
    return false;
  }
}

/** Refuses before anything is written rather than after an hour. File systems that do not tell are believed to have room. */
function requireSpace(target: string, neededBytes: number): void {
  let freeBytes: number;
  try {
    const { bavail, bsize } = statfsSync(dirname(target));
    freeBytes = bavail * bsize;
  } catch {
    return;
  }
  if (freeBytes < neededBytes) {
    const figures = `${formatBytes(neededBytes)} are needed, ${formatBytes(freeBytes)} are free`;
    throw new ReelmillError(
      "NO_SPACE",
      `A file in ${dirname(target)} cannot be written: the disk is too full (${figures}).`,
    );
  }
}

async function writeParts(damaged: Recording, layout: OutputLayout, path: string, hooks: WorkHooks): Promise<void> {
  const totalBytes = outputBytesOf(layout);
  const descriptor = openSync(path, "wx");
  try {
    let at = 0;
    for (const part of layout.parts) {
      if (part.kind === "bytes") writeFully(descriptor, part.bytes, at);
      else await copyRange(damaged, part.startOffset, part.endOffset, descriptor, at, totalBytes, hooks);
      at += partBytes(part);
    }
  } finally {
    closeSync(descriptor);
  }
}

async function copyRange(
  damaged: Recording,
  startOffset: number,
  endOffset: number,
  descriptor: number,
  at: number,
  totalBytes: number,
  hooks: WorkHooks,
): Promise<void> {
  const buffer = new Uint8Array(COPY_BUFFER_BYTES);
  let sinceBreath = 0;
  for (let offset = startOffset; offset < endOffset; ) {
    const got = damaged.read(offset, buffer.subarray(0, Math.min(buffer.length, endOffset - offset)));
    if (got === 0) throw new ReelmillError("INPUT_UNREADABLE", `${damaged.path} became shorter while it was copied.`);
    writeFully(descriptor, buffer.subarray(0, got), at + offset - startOffset);
    offset += got;
    sinceBreath += got;
    if (sinceBreath >= BREATHE_EVERY_BYTES) {
      sinceBreath = 0;
      hooks.onProgress((at + offset - startOffset) / totalBytes, "writing");
      await breathe(hooks.signal);
    }
  }
}
