import { open, readdir, stat, statfs } from "node:fs/promises";
import type { Readable } from "node:stream";
import { DataStore, Upload } from "@tus/server";
import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { makeFolderSync } from "../../base/make-folder.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import { safeUploadName } from "./upload-name.ts";
import {
  bytesOf,
  closing,
  isUploadId,
  partPath,
  readUploadState,
  removeIfThere,
  statePath,
  translateUploadError,
  type UploadState,
  writeUploadState,
} from "./upload-state.ts";

const PIECE_BYTES = 1024 * 1024;

/** What the store of uploads stands on. */
export interface UploadStoreOptions {
  readonly folder: string;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  /** How long an upload waits for its client; what is known of a finished one is kept as long. */
  readonly keepMs: number;
}

/**
 * Gathers uploads in a folder, a file of bytes and one of state each, and gives finished ones to the object store, which moves
 * them. How far an upload has come is the length of its file: nothing else has to be true after a crash.
 */
export class UploadStore extends DataStore {
  readonly #options: UploadStoreOptions;

  constructor(options: UploadStoreOptions) {
    super();
    this.#options = options;
    this.extensions = ["creation", "creation-with-upload", "termination", "expiration"];
    makeFolderSync(options.folder);
  }

  /** The key that an upload has or will have; undefined where there is none. */
  async keyOf(id: string): Promise<string | undefined> {
    return (await readUploadState(this.#options.folder, id))?.key;
  }

  /** The key for an upload that is being created. */
  static keyFor(id: string, metadata: Upload["metadata"]): string {
    return `uploads/${id}/${safeUploadName(metadata?.["filename"])}`;
  }

  override async create(upload: Upload): Promise<Upload> {
    const { folder, clock } = this.#options;
    const { id, size = 0, metadata = {} } = upload;
    await requireSpace(folder, size);
    const nowMs = clock.nowMs();
    const key = UploadStore.keyFor(id, metadata);
    try {
      await (await open(partPath(folder, id), "wx", 0o600)).close();
    } catch (error) {
      throw translateUploadError(error);
    }
    const times = { createdAtMs: nowMs, touchedAtMs: nowMs };
    const state: UploadState = { schema: 1, size, metadata, key, ...times, isFinished: false };
    await writeUploadState(folder, id, state);
    if (size === 0) await this.#finish(id, state);
    upload.creation_date = new Date(nowMs).toISOString();
    return upload;
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    const { folder, clock } = this.#options;
    const state = await this.#require(id);
    const end = await appendAll(partPath(folder, id), stream, offset);
    const touched = { ...state, touchedAtMs: clock.nowMs() };
    if (end >= state.size) await this.#finish(id, touched);
    else await writeUploadState(folder, id, touched);
    return end;
  }

  override async getUpload(id: string): Promise<Upload> {
    const state = await this.#require(id);
    const { size, metadata, touchedAtMs } = state;
    const offset = state.isFinished ? size : await this.#offsetOf(id, state);
    return new Upload({ id, size, metadata, offset, creation_date: new Date(touchedAtMs).toISOString() });
  }

  override async remove(id: string): Promise<void> {
    const { folder, objects } = this.#options;
    const state = await this.#require(id);
    if (state.isFinished) await objects.delete(state.key);
    await this.#forget(folder, id);
  }

  override getExpiration(): number {
    return this.#options.keepMs;
  }

  /** Removes what has waited for too long; gives how many uploads went. */
  override async deleteExpired(): Promise<number> {
    const { folder } = this.#options;
    let removed = 0;
    for (const id of await listIds(folder)) {
      if (!(await this.#isExpired(id))) continue;
      await this.#forget(folder, id);
      removed += 1;
    }
    return removed;
  }

  /** To be called once at the start: gives over what was complete when the server ended. */
  async finishComplete(): Promise<void> {
    const { folder } = this.#options;
    for (const id of await listIds(folder)) {
      const state = await readUploadState(folder, id);
      if (state?.isFinished !== false) continue;
      if ((await bytesOf(partPath(folder, id))) === state.size) await this.#finish(id, state);
    }
  }

  async #isExpired(id: string): Promise<boolean> {
    const { folder, clock, keepMs } = this.#options;
    const state = await readUploadState(folder, id);
    // Bytes may be coming all the while.
    const touchedAtMs = Math.max(state?.touchedAtMs ?? 0, await lastChange(folder, id));
    return touchedAtMs + keepMs < clock.nowMs();
  }

  async #forget(folder: string, id: string): Promise<void> {
    // The state last: without it, nobody would know what the bytes are.
    await removeIfThere(partPath(folder, id));
    await removeIfThere(`${statePath(folder, id)}.tmp`);
    await removeIfThere(statePath(folder, id));
  }

  async #require(id: string): Promise<UploadState> {
    const state = await readUploadState(this.#options.folder, id);
    if (state === undefined) throw new ReelmillError("UPLOAD_NOT_FOUND", `There is no upload ${id}.`);
    return state;
  }

  /** How far an upload has come that was not finished; finishes it where only that is missing. */
  async #offsetOf(id: string, state: UploadState): Promise<number> {
    const { folder, objects } = this.#options;
    const bytes = await bytesOf(partPath(folder, id));
    if (bytes === undefined && (await objects.head(state.key))?.bytes !== state.size) {
      throw new ReelmillError("UPLOAD_NOT_FOUND", `The bytes of the upload ${id} are gone.`);
    }
    if (bytes !== undefined && bytes < state.size) return bytes;
    await this.#finish(id, state);
    return state.size;
  }

  /** Gives the bytes over; may be repeated at any point. */
  async #finish(id: string, state: UploadState): Promise<void> {
    const { folder, objects } = this.#options;
    const path = partPath(folder, id);
    if ((await bytesOf(path)) !== undefined) await objects.putFile(state.key, path);
    // Gone already where it was moved.
    await removeIfThere(path);
    await writeUploadState(folder, id, { ...state, isFinished: true });
  }
}

/** Refuses what cannot fit, before a client sends it for hours. */
async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder).catch((error: unknown) => {
    throw translateUploadError(error);
  });
  if (bytes <= bavail * bsize) return;
  throw new ReelmillError("NO_SPACE", `The upload takes ${bytes} bytes; the disk has ${bavail * bsize} left.`);
}

/** Writes a stream to a file from `offset` on, and what has come to the disk, however it ends. Gives where it ended. */
async function appendAll(path: string, stream: Readable, offset: number): Promise<number> {
  let end = offset;
  try {
    const handle = await open(path, "r+");
    await closing(handle, async () => {
      try {
        for await (const bytes of gather(stream)) {
          for (let done = 0; done < bytes.length; ) {
            const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, end);
            done += bytesWritten;
            end += bytesWritten;
          }
        }
      } finally {
        await handle.sync();
      }
    });
    return end;
  } catch (error) {
    throw translateUploadError(error);
  }
}

/** A stream's chunks in larger pieces: each write is a way to another thread and back. What came before a failure comes first. */
async function* gather(stream: Readable): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes < PIECE_BYTES) continue;
      yield Buffer.concat(chunks, bytes);
      chunks = [];
      bytes = 0;
    }
  } catch (error) {
    failure = { error };
  }
  if (bytes > 0) yield Buffer.concat(chunks, bytes);
  if (failure !== undefined) throw failure.error;
}

async function listIds(folder: string): Promise<ReadonlySet<string>> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw translateUploadError(error);
  });
  return new Set(names.map((name) => name.slice(0, 32)).filter(isUploadId));
}

/** When any of an upload's files was last written. */
async function lastChange(folder: string, id: string): Promise<number> {
  const paths = [statePath(folder, id), partPath(folder, id), `${statePath(folder, id)}.tmp`];
  const found = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
  return Math.max(0, ...found.map((stats) => stats?.mtimeMs ?? 0));
}
