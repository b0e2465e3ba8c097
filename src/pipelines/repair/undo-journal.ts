import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  unlinkSync,
} from "node:fs";
import { dirname } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { translateOutputError } from "../../base/file-errors.ts";
import { identifyThisProcess, isRunning, type ProcessIdentity } from "../../base/process-identity.ts";
import { formatBytes } from "../../base/units.ts";
import { writeFully } from "../../base/write-fully.ts";
import type { Recording } from "./recordings.ts";

/*
 * The journal of a repair in place: a line of JSON, then the bytes that will be overwritten, then those that will be cut
 * off without the zeros at their end. It is on the disk before the file is touched and goes when the repair has been
 * verified. Undoing depends on nothing but the journal, so it may itself be broken off and begun again.
 */

const MAGIC = "reelmill-undo";
const MAX_CUT_BYTES = 64 * 1024 * 1024;
const MAX_HEADER_BYTES = 4096;
const BLOCK_BYTES = 1024 * 1024;

/** What is about to be done to the file. */
export interface InPlaceChange {
  /** How many bytes from the start on will be overwritten. */
  readonly headBytes: number;
  /** From here on the file will be cut off. */
  readonly truncateAt: number;
}

interface JournalHeader extends InPlaceChange {
  readonly magic: typeof MAGIC;
  readonly version: 1;
  readonly originalBytes: number;
  readonly cutBytes: number;
  /** Hash of the bytes behind the header. */
  readonly sha256: string;
  readonly owner: ProcessIdentity;
}

/** The journal's path. */
export function journalPathOf(path: string): string {
  return `${path}.reelmill-undo`;
}

/**
 * Saves what the change will destroy, and returns when it is on the disk. Throws OUTPUT_UNWRITABLE where more than 64 MiB
 * of data would be cut off or the folder cannot be written, NO_SPACE; the file is untouched then and no journal stays.
 */
export function writeJournal(source: Recording, change: InPlaceChange): void {
  const head = readRange(source, 0, change.headBytes);
  const cutBytes = lastNonZero(source, change.truncateAt) - change.truncateAt;
  if (cutBytes > MAX_CUT_BYTES) {
    const figure = formatBytes(cutBytes);
    const message = `${source.path} cannot be mended in place: ${figure} behind the recording would be cut off, more than can be saved for undoing. Write to a new file with -o.`;
    throw new ReelmillError("OUTPUT_UNWRITABLE", message);
  }
  const saved = Buffer.concat([head, readRange(source, change.truncateAt, change.truncateAt + cutBytes)]);
  const header: JournalHeader = {
    magic: MAGIC,
    version: 1,
    originalBytes: source.sizeBytes,
    headBytes: change.headBytes,
    truncateAt: change.truncateAt,
    cutBytes,
    sha256: createHash("sha256").update(saved).digest("hex"),
    owner: identifyThisProcess(),
  };
  store(journalPathOf(source.path), Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), saved]));
}

function store(path: string, bytes: Uint8Array): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "wx");
    writeFully(descriptor, bytes, 0);
    fsyncSync(descriptor);
    syncFolderOf(path);
  } catch (error) {
    if (descriptor !== undefined) unlinkSync(path);
    throw translateOutputError(path, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** A new name is on the disk only when its folder is. Not every system lets a folder be opened. */
function syncFolderOf(path: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(dirname(path), "r");
  } catch {
    return;
  }
  try {
    fsyncSync(descriptor);
  } catch {
    // Some network file systems refuse; they keep names in order themselves.
  } finally {
    closeSync(descriptor);
  }
}

function readRange(source: Recording, startOffset: number, endOffset: number): Buffer {
  const bytes = Buffer.alloc(endOffset - startOffset);
  if (source.read(startOffset, bytes) < bytes.length) {
    throw new ReelmillError("INPUT_UNREADABLE", `${source.path} became shorter while it was read.`);
  }
  return bytes;
}

/** After the last byte from `startOffset` on that is not zero, or `startOffset`. */
function lastNonZero(source: Recording, startOffset: number): number {
  const block = new Uint8Array(BLOCK_BYTES);
  for (let end = source.sizeBytes; end > startOffset; ) {
    const start = Math.max(startOffset, end - block.length);
    const view = block.subarray(0, end - start);
    source.read(start, view);
    const last = view.findLastIndex((byte) => byte !== 0);
    if (last >= 0) return start + last + 1;
    end = start;
  }
  return startOffset;
}

/** Ends a repair: without its journal it can no longer be undone. */
export function removeJournal(path: string): void {
  try {
    unlinkSync(journalPathOf(path));
  } catch (error) {
    throw translateOutputError(journalPathOf(path), error);
  }
}

interface Journal {
  readonly header: JournalHeader;
  readonly head: Buffer;
  readonly cut: Buffer;
}

/** Undefined where the journal was not finished: then the file had not been touched yet. */
function readJournal(path: string): Journal | undefined {
  const bytes = readFileSync(path);
  const lineEnd = bytes.subarray(0, MAX_HEADER_BYTES).indexOf(0x0a);
  if (lineEnd < 0) return undefined;
  const header = parseHeader(bytes.subarray(0, lineEnd).toString("utf8"));
  const saved = bytes.subarray(lineEnd + 1);
  if (header === undefined || createHash("sha256").update(saved).digest("hex") !== header.sha256) return undefined;
  return { header, head: saved.subarray(0, header.headBytes), cut: saved.subarray(header.headBytes) };
}

function parseHeader(line: string): JournalHeader | undefined {
  try {
    const header = JSON.parse(line) as Partial<JournalHeader> | null;
    if (header?.magic !== MAGIC || header.version !== 1 || typeof header.owner?.pid !== "number") return undefined;
    const figures = [header.originalBytes, header.headBytes, header.truncateAt, header.cutBytes];
    // Undoing cuts the file to these sizes: a header that lacks one must not be taken for an empty file.
    return figures.every((figure) => Number.isSafeInteger(figure)) ? (header as JournalHeader) : undefined;
  } catch {
    return undefined;
  }
}

/** Brings a file back to the journal's bytes, on the disk, and removes the journal. Throws OUTPUT_UNWRITABLE, NO_SPACE. */
export function undoChange(path: string): void {
  const journalPath = journalPathOf(path);
  try {
    const journal = readJournal(journalPath);
    if (journal !== undefined) restore(path, journal);
    unlinkSync(journalPath);
  } catch (error) {
    throw translateOutputError(path, error);
  }
}

function restore(path: string, { header, head, cut }: Journal): void {
  // Each write reaches the disk by itself: flushing the whole file could mean gigabytes of somebody else's writing.
  const descriptor = openSync(path, constants.O_RDWR | (constants.O_DSYNC ?? 0));
  try {
    writeFully(descriptor, head, 0);
    if (fstatSync(descriptor).size > header.truncateAt) ftruncateSync(descriptor, header.truncateAt);
    writeFully(descriptor, cut, header.truncateAt);
    ftruncateSync(descriptor, header.originalBytes);
    confirmSize(descriptor, header.originalBytes);
  } finally {
    closeSync(descriptor);
  }
}

/** Writing a byte over itself brings the new size to the disk with it. */
function confirmSize(descriptor: number, sizeBytes: number): void {
  if (sizeBytes === 0) return;
  const last = new Uint8Array(1);
  readSync(descriptor, last, 0, 1, sizeBytes - 1);
  writeFully(descriptor, last, sizeBytes - 1);
}

/**
 * Undoes a repair in place of this file that was broken off, if there is one, and says so. With `dryRun` it only says so.
 * Throws OUTPUT_UNWRITABLE where it is still at work in another process, or cannot be undone.
 */
export function undoUnfinishedRepair(path: string, dryRun: boolean): string | undefined {
  const journalPath = journalPathOf(path);
  if (!existsSync(journalPath)) return undefined;
  const journal = readJournal(journalPath);
  if (journal !== undefined && isRunning(journal.header.owner)) {
    const owner = `process ${journal.header.owner.pid}`;
    throw new ReelmillError("OUTPUT_UNWRITABLE", `${path} is being mended in place by ${owner} at this moment.`);
  }
  if (dryRun) return `A repair in place of ${path} was broken off; the next repair of it will undo that first.`;
  undoChange(path);
  return `A repair in place of ${path} had been broken off and was undone: the file is again what it was before.`;
}
