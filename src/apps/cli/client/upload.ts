import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { ReelmillError } from "../../../base/errors.ts";
import { systemCodeOf } from "../../../base/system-code.ts";
import type { CliContext } from "../cli-context.ts";
import { type ApiClient, wrongAnswer } from "./api-client.ts";
import { statusOf } from "./problem.ts";
import type { UploadWay } from "./views.ts";

const TUS = { "tus-resumable": "1.0.0" } as const;
/** One request each; what a broken connection may cost. */
const PIECE_BYTES = 16 * 1024 * 1024;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;
/** In a row, without a byte getting through in between. */
const MAX_FAILURES = 8;

/** How an upload is watched. */
export interface UploadHooks {
  /** Told the bytes that the server has, after each piece. */
  readonly onProgress: (sentBytes: number, totalBytes: number) => void;
  /** Told what broke before each new attempt. */
  readonly onRetry?: (reason: ReelmillError) => void;
}

/** A file that is being sent. */
interface Sending {
  readonly client: ApiClient;
  readonly file: FileHandle;
  readonly path: string;
  readonly sizeBytes: number;
  /** Path of the upload on the server. */
  readonly upload: string;
}

/** Makes sure that a local file can be sent; gives its bytes. Throws INPUT_NOT_FOUND, INPUT_IS_DIRECTORY, INPUT_UNREADABLE, INPUT_EMPTY. */
export async function requireSendable(path: string): Promise<number> {
  const file = await openLocal(path);
  return (await file.stat().finally(() => file.close())).size;
}

/** Makes sure that a server takes a file of so many bytes. Throws BODY_TOO_LARGE. */
export function requireFitting(path: string, bytes: number, { by, maxBytes }: UploadWay): void {
  if (bytes <= maxBytes) return;
  const message = `${path} has ${bytes} bytes; the server takes ${maxBytes} at most in one file.`;
  if (by === "parts") throw new ReelmillError("BODY_TOO_LARGE", message);
  const advice = "Put it into the bucket by other means, below uploads/, and name its key with --param.";
  throw new ReelmillError("BODY_TOO_LARGE", `${message} It would be sent in one request.`, { advice });
}

/**
 * Sends a local file by tus 1.0 and gives the key of the object that it has become. A broken connection is taken up where the
 * server says that it ended. Throws what `requireSendable` does, UPLOAD_CHANGED, SERVER_UNREACHABLE, ABORTED, refusals.
 */
export async function uploadFile(
  client: ApiClient,
  path: string,
  context: Pick<CliContext, "sleep">,
  hooks: UploadHooks,
): Promise<string> {
  const file = await openLocal(path);
  try {
    const before = await file.stat();
    const { upload, key } = await createUpload(client, path, before.size);
    const sending: Sending = { client, file, path, sizeBytes: before.size, upload };
    try {
      const told = await sendAll(sending, context, hooks);
      const after = await file.stat();
      if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) throw changed(path);
      const known = told ?? key ?? (await client.tell(upload, { method: "HEAD", headers: TUS })).get(KEY_HEADER);
      if (!known) throw wrongAnswer(client.server, "it does not tell the key of an upload");
      return decodeKey(known, client.server);
    } catch (error) {
      await abandon(sending);
      throw error;
    }
  } finally {
    await file.close();
  }
}

const KEY_HEADER = "upload-object-key";

/** Keys with other than ASCII characters can only come escaped. */
function decodeKey(header: string, server: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    throw wrongAnswer(server, "the key of an upload cannot be read");
  }
}

/** A local file that can be sent. Throws as `requireSendable`. */
export async function openLocal(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT") throw new ReelmillError("INPUT_NOT_FOUND", `There is no file ${path}.`, { cause: error });
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReelmillError("INPUT_UNREADABLE", `${path} cannot be read: ${reason}`, { cause: error });
  }
  const stat = await file.stat();
  const refusal = stat.isDirectory()
    ? new ReelmillError("INPUT_IS_DIRECTORY", `${path} is a folder; name the files in it.`)
    : !stat.isFile()
      ? new ReelmillError("INPUT_UNREADABLE", `${path} is no ordinary file.`)
      : stat.size === 0
        ? new ReelmillError("INPUT_EMPTY", `${path} is empty.`)
        : undefined;
  if (refusal === undefined) return file;
  await file.close();
  throw refusal;
}

async function createUpload(
  client: ApiClient,
  path: string,
  sizeBytes: number,
): Promise<{ readonly upload: string; readonly key: string | null }> {
  const name = Buffer.from(basename(path), "utf8").toString("base64");
  const headers = await client.tell("/v1/uploads", {
    method: "POST",
    headers: { ...TUS, "upload-length": String(sizeBytes), "upload-metadata": `filename ${name}` },
  });
  const location = headers.get("location");
  if (location === null) throw wrongAnswer(client.server, "it does not tell where to upload to");
  return { upload: client.pathOf(location, "/v1/uploads"), key: headers.get(KEY_HEADER) };
}

/** Sends what the server does not have yet, piece by piece; gives the object's key where an answer told it. */
async function sendAll(
  sending: Sending,
  context: Pick<CliContext, "sleep">,
  hooks: UploadHooks,
): Promise<string | undefined> {
  const { client, sizeBytes } = sending;
  let offset: number | undefined = 0;
  let reached = 0;
  let failures = 0;
  for (;;) {
    try {
      offset ??= readOffset(await client.tell(sending.upload, { method: "HEAD", headers: TUS }), sending);
      hooks.onProgress(offset, sizeBytes);
      if (offset >= sizeBytes) return undefined;
      const headers = await sendPiece(sending, offset);
      offset = readOffset(headers, sending);
      if (offset > reached) {
        reached = offset;
        failures = 0;
      }
      hooks.onProgress(offset, sizeBytes);
      if (offset >= sizeBytes) return headers.get(KEY_HEADER) ?? undefined;
    } catch (error) {
      if (!isPassing(error) || failures >= MAX_FAILURES) throw error;
      failures += 1;
      hooks.onRetry?.(error);
      await context.sleep(Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)), client.signal);
      // How far the piece came, only the server knows.
      offset = undefined;
    }
  }
}

/** Whether asking for the offset and going on from there may help. */
function isPassing(error: unknown): error is ReelmillError {
  if (!(error instanceof ReelmillError) || error.code === "ABORTED" || error.code === "UPLOAD_CHANGED") return false;
  const status = statusOf(error) ?? 0;
  // 409 is another offset, 423 a request before that the server has not given up yet.
  return error.retryable || status === 409 || status === 423 || status >= 500;
}

async function sendPiece(sending: Sending, offset: number): Promise<Headers> {
  const { client, file, path, sizeBytes, upload } = sending;
  const bytes = new Uint8Array(Math.min(PIECE_BYTES, sizeBytes - offset));
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, offset + done);
    if (bytesRead === 0) throw changed(path);
    done += bytesRead;
  }
  return await client.tell(upload, {
    method: "PATCH",
    headers: { ...TUS, "upload-offset": String(offset), "content-type": "application/offset+octet-stream" },
    body: bytes,
  });
}

function readOffset(headers: Headers, { client, sizeBytes }: Sending): number {
  const text = headers.get("upload-offset") ?? "";
  const offset = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (offset >= 0 && offset <= sizeBytes) return offset;
  throw wrongAnswer(client.server, "it does not tell how far an upload has come");
}

/** Tells that a file is not the one any more that was being sent. */
export function changed(path: string): ReelmillError {
  return new ReelmillError("UPLOAD_CHANGED", `${path} changed while it was being uploaded.`);
}

/** Lets the server forget an upload that nobody will end. */
async function abandon({ client, upload }: Sending): Promise<void> {
  try {
    // Also after Ctrl-C, which has ended the other client.
    await client.forTidying().tell(upload, { method: "DELETE", headers: TUS });
  } catch {
    // It forgets by itself after a while.
  }
}
