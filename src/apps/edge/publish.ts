import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { link, lstat, open, rename, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ReelmillError } from "../../base/errors.ts";
import { translateOutputError } from "../../base/file-errors.ts";
import { numberedName } from "../../base/fitting-name.ts";
import { rootCodeOf } from "../../base/system-code.ts";
import { isMissing, unlessMissing } from "./system-errors.ts";

/** Where links are not known, as on FAT and many SMB servers. */
const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EINVAL"]);

/** A file about to get its final name; tells it apart from others of that name afterwards. */
export interface Staged {
  readonly finalName: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

/** What to publish and where. */
export interface Publication {
  /** Stays where it is, unless the file system knows no links. */
  readonly source: string;
  readonly folder: string;
  /** Wanted; where another file has it, a number is added. */
  readonly name: string;
  /** Makes the temporary name unique. */
  readonly token: string;
  /** Whether a file of that name with the same content counts as published already. */
  readonly acceptsSame: boolean;
  /** Whether a candidate may be taken. */
  readonly isFree?: (finalName: string) => Promise<boolean>;
  /** Called before the name is taken, perhaps several times; what it throws ends the publication. */
  readonly onStaged: (staged: Staged) => Promise<void>;
  readonly signal: AbortSignal;
}

/** The temporary name that a file has in the destination while it is copied there. */
export function partNameOf(token: string): string {
  return `.reelmill-${token}.part`;
}

/** The token of a temporary name; undefined for other names. */
export function tokenOfPart(name: string): string | undefined {
  return /^\.reelmill-([0-9a-f]{24})\.part$/.exec(name)?.[1];
}

/**
 * Gives a file its name in a folder, on whatever disk that lies; it appears whole or not at all, and never in the place of
 * another. Gives the name. Across disks it is copied, flushed, and read again to be compared. Throws NO_SPACE,
 * OUTPUT_UNWRITABLE, OUTPUT_NOT_VERIFIED, ABORTED.
 */
export async function publishFile(publication: Publication): Promise<string> {
  const { source, folder, token } = publication;
  const part = join(folder, partNameOf(token));
  try {
    await flush(source);
    try {
      return await takeName(publication, source);
    } catch (error) {
      if (rootCodeOf(error) !== "EXDEV") throw error;
    }
    await copyVerified(source, part, publication.signal);
    return await takeName(publication, part);
  } catch (error) {
    throw translateOutputError(join(folder, publication.name), error);
  } finally {
    // Where the share is gone, the next sweep finds it.
    await rm(part, { force: true }).catch(() => undefined);
  }
}

async function takeName(publication: Publication, staged: string): Promise<string> {
  const { folder, name, acceptsSame, isFree, onStaged, signal } = publication;
  const stats = await lstat(staged);
  for (let number = 1; ; number++) {
    const finalName = numberedName(name, number);
    const target = join(folder, finalName);
    if (isFree !== undefined && !(await isFree(finalName))) continue;
    await onStaged({ finalName, bytes: stats.size, modifiedAtMs: stats.mtimeMs });
    if (await moveWithoutReplacing(staged, target)) {
      await flushFolder(folder);
      return finalName;
    }
    if (acceptsSame && (await hasSameContent(staged, target, signal))) return finalName;
  }
}

/** False where the name is taken. */
async function moveWithoutReplacing(staged: string, target: string): Promise<boolean> {
  try {
    await link(staged, target);
    return true;
  } catch (error) {
    const code = rootCodeOf(error) ?? "";
    if (code === "EEXIST") return false;
    if (!NO_LINKS.has(code)) throw error;
  }
  if ((await unlessMissing(lstat(target), undefined)) !== undefined) return false;
  await rename(staged, target);
  return true;
}

async function flush(path: string): Promise<void> {
  const file = await open(path);
  try {
    await file.sync();
  } catch (error) {
    // Some servers refuse it for files that are open for reading alone.
    if (!["EINVAL", "EBADF", "EACCES", "EPERM", "EROFS", "ENOTSUP"].includes(rootCodeOf(error) ?? "")) throw error;
  } finally {
    await file.close();
  }
}

/** Not every file system can; then the name is as safe as it makes it. */
async function flushFolder(folder: string): Promise<void> {
  await flush(folder).catch((error: unknown) => {
    if (!["EISDIR", "EINVAL", "EPERM", "EACCES"].includes(rootCodeOf(error) ?? "")) throw error;
  });
}

async function copyVerified(source: string, part: string, signal: AbortSignal): Promise<void> {
  await rm(part, { force: true });
  const before = await lstat(source);
  const hash = createHash("sha256");
  let copiedBytes = 0;
  const tap = new Transform({
    transform: (piece: Buffer, _encoding, done) => {
      hash.update(piece);
      copiedBytes += piece.length;
      done(null, piece);
    },
  });
  try {
    await pipeline(createReadStream(source), tap, createWriteStream(part, { flags: "wx", flush: true }), { signal });
    const wanted = hash.digest("hex");
    if (copiedBytes !== before.size || (await digestOf(part, signal)) !== wanted) {
      const message = `The copy of ${source} on the other disk is not the same as the file itself.`;
      throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
    }
    await utimes(part, before.atime, before.mtime);
  } catch (error) {
    if (signal.aborted) throw new ReelmillError("ABORTED", `Copying ${source} was cancelled.`, { cause: error });
    throw error;
  }
}

async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest("hex");
}

/** Whether both are regular files of the same bytes. */
async function hasSameContent(a: string, b: string, signal: AbortSignal): Promise<boolean> {
  try {
    const [first, second] = [await lstat(a), await lstat(b)];
    if (!first.isFile() || !second.isFile() || first.size !== second.size) return false;
    return (await digestOf(a, signal)) === (await digestOf(b, signal));
  } catch (error) {
    // Taken away meanwhile: then it was not ours to count on.
    if (isMissing(error)) return false;
    throw error;
  }
}
