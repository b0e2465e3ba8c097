import { rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { ReelmillError } from "../../../base/errors.ts";
import { numberedName } from "../../../base/fitting-name.ts";
import { removeLeftovers, temporaryPathFor } from "../../../base/leftovers.ts";
import { moveWithoutReplacing } from "../../../base/pending-output.ts";
import { systemCodeOf } from "../../../base/system-code.ts";
import type { CliContext } from "../cli-context.ts";
import { type ApiClient, wrongAnswer } from "./api-client.ts";
import { objectPath } from "./paths.ts";
import { pauseAfter } from "./pause-after.ts";

/** In a row, without a byte in between. */
const MAX_FAILURES = 8;
/** A connection that brings nothing for so long is dead. */
const IDLE_TIMEOUT_MS = 60_000;
const MAX_NAME_BYTES = 200;

/** A local name for an object: the last part of its key, made harmless. */
export function nameFor(key: string): string {
  return harmlessName(key.split("/").at(-1) ?? "");
}

/** No path, no hidden file, nothing that steers a terminal or that some file system refuses. */
function harmlessName(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced.
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069<>:"/\\|?*]/g, "_");
  const visible = plain.replace(/^\.+/, "_").replace(/[. ]+$/, "_");
  let short = visible;
  while (Buffer.byteLength(short) > MAX_NAME_BYTES) short = [...short].slice(1).join("");
  return short === "" ? "output" : short;
}

/**
 * Saves an object in a folder and gives its path. It is written under a temporary name and gets its own when it is whole, with a
 * number where that is taken (`a-2.mp4`): a file that is there is never replaced. A broken connection is taken up where it ended.
 * Throws OBJECT_NOT_FOUND, OUTPUT_UNWRITABLE, NO_SPACE and what `ApiClient` does.
 */
export async function downloadObject(
  client: ApiClient,
  key: string,
  to: { readonly folder: string; readonly name: string },
  context: Pick<CliContext, "sleep">,
  onProgress: (doneBytes: number, totalBytes: number) => void,
): Promise<string> {
  const target = join(to.folder, to.name);
  removeLeftovers(target);
  const part = temporaryPathFor(target);
  let file: FileHandle | undefined;
  try {
    file = await writing(target, () => open(part, "wx"));
    await fetchInto(client, key, { file, target }, context, onProgress);
    const whole = file;
    await writing(target, () => whole.sync());
    return await writing(target, async () => takeFreeName(part, to));
  } finally {
    await file?.close();
    // Gone already where it got its name.
    rmSync(part, { force: true });
  }
}

function takeFreeName(part: string, { folder, name }: { readonly folder: string; readonly name: string }): string {
  for (let number = 1; ; number += 1) {
    const target = join(folder, numberedName(name, number));
    try {
      moveWithoutReplacing(part, target);
      return target;
    } catch (error) {
      const isTaken = error instanceof ReelmillError && error.code === "OUTPUT_EXISTS";
      if (!isTaken && systemCodeOf(error) !== "EEXIST") throw error;
    }
  }
}

/** A local file that is being filled. */
interface Sink {
  readonly file: FileHandle;
  readonly target: string;
}

async function fetchInto(
  client: ApiClient,
  key: string,
  sink: Sink,
  context: Pick<CliContext, "sleep">,
  onProgress: (doneBytes: number, totalBytes: number) => void,
): Promise<void> {
  let done = 0;
  let failures = 0;
  for (;;) {
    const begun = done;
    try {
      const total = await fetchOnce(client, key, sink, done, (doneBytes, totalBytes) => {
        done = doneBytes;
        onProgress(doneBytes, totalBytes);
      });
      if (done === total) return;
      throw new ReelmillError("SERVER_UNREACHABLE", `${client.server} ended the connection before all of it was sent.`);
    } catch (error) {
      if (done > begun) failures = 0;
      const isPassing = error instanceof ReelmillError && error.code === "SERVER_UNREACHABLE";
      if (!isPassing || failures >= MAX_FAILURES) throw error;
      failures += 1;
      await context.sleep(pauseAfter(failures), client.signal);
    }
  }
}

/** Fetches from a position on; gives the object's size in bytes. */
async function fetchOnce(
  client: ApiClient,
  key: string,
  { file, target }: Sink,
  fromBytes: number,
  onProgress: (doneBytes: number, totalBytes: number) => void,
): Promise<number> {
  const idle = new AbortController();
  let timer = setTimeout(() => idle.abort(), IDLE_TIMEOUT_MS);
  try {
    // Compressed, the lengths would not be the object's.
    const headers = { "accept-encoding": "identity", ...(fromBytes > 0 ? { range: `bytes=${fromBytes}-` } : {}) };
    const response = await client.open(objectPath(key), { headers, signal: idle.signal, mayPointElsewhere: true });
    const { start, total } = readExtent(response, fromBytes, client.server);
    let done = start;
    onProgress(done, total);
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(() => idle.abort(), IDLE_TIMEOUT_MS);
      if (done + chunk.length > total) throw wrongAnswer(client.server, "an object is longer than it says");
      const position = done;
      await writing(target, () => writeFully(file, chunk, position));
      done += chunk.length;
      onProgress(done, total);
    }
    return total;
  } catch (error) {
    if (client.signal.aborted) throw new ReelmillError("ABORTED", "Cancelled.", { cause: error });
    if (error instanceof ReelmillError && error.code !== "ABORTED") throw error;
    throw new ReelmillError("SERVER_UNREACHABLE", `The connection to ${client.server} broke.`, { cause: error });
  } finally {
    clearTimeout(timer);
    idle.abort();
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** Where an answer's bytes belong, and how many the whole object has. */
function readExtent(
  response: Response,
  fromBytes: number,
  server: string,
): { readonly start: number; readonly total: number } {
  if (response.status === 206) {
    const match = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/.exec(response.headers.get("content-range") ?? "");
    if (match !== null && Number(match[1]) === fromBytes) return { start: fromBytes, total: Number(match[2]) };
    throw wrongAnswer(server, "it sent another part of an object than was asked for");
  }
  const length = response.headers.get("content-length") ?? "";
  if (/^\d{1,15}$/.test(length)) return { start: 0, total: Number(length) };
  throw wrongAnswer(server, "it does not tell how long an object is");
}

async function writing<Result>(target: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === undefined) throw error;
    const isFull = code === "ENOSPC" || code === "EDQUOT";
    const message = `${target} cannot be written: ${isFull ? "the disk is full" : (error as Error).message}`;
    throw new ReelmillError(isFull ? "NO_SPACE" : "OUTPUT_UNWRITABLE", message, { cause: error });
  }
}
