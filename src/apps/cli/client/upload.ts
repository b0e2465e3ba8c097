import type { FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { ReelmillError } from "../../../base/errors.ts";
import type { CliContext } from "../cli-context.ts";
import { type ApiClient, wrongAnswer } from "./api-client.ts";
import { changed, withLocalFile } from "./local-file.ts";
import { pauseAfter } from "./pause-after.ts";
import { statusOf } from "./problem.ts";
import type { UploadWay } from "./views.ts";

const TUS = { "tus-resumable": "1.0.0" } as const;
/** One request each; what a broken connection may cost. */
const PIECE_BYTES = 16 * 1024 * 1024;
/** In a row, without a byte getting through in between: of a whole upload by tus, of each request of one by links. */
export const MAX_FAILURES = 8;

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

/** Makes sure that a server takes a file of so many bytes. Throws BODY_TOO_LARGE. */
export function requireFitting(path: string, bytes: number, { by, maxBytes }: UploadWay): void {
  if (bytes <= maxBytes) return;
  const message = `${path} has ${bytes} bytes; the server takes ${maxBytes} at most in one file.`;
  if (by === "parts") throw new ReelmillError("BODY_TOO_LARGE", message);
  const advice = "Put it into the bucket by other means, below uploads/, and name its key with --param.";
  throw new ReelmillError("BODY_TOO_LARGE", message, { advice });
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
  return await withLocalFile(path, async ({ file, sizeBytes, requireUnchanged }) => {
    const { upload, key } = await createUpload(client, path, sizeBytes);
    const sending: Sending = { client, file, path, sizeBytes, upload };
    try {
      const told = await sendAll(sending, context, hooks);
      await requireUnchanged();
      const known = told ?? key ?? (await client.tell(upload, { method: "HEAD", headers: TUS })).get(KEY_HEADER);
      if (!known) throw wrongAnswer(client.server, "it does not tell the key of an upload");
      return decodeKey(known, client.server);
    } catch (error) {
      await abandon(sending);
      throw error;
    }
  });
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
      await context.sleep(pauseAfter(failures), client.signal);
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

/** Lets the server forget an upload that nobody will end. */
async function abandon({ client, upload }: Sending): Promise<void> {
  try {
    // Also after Ctrl-C, which has ended the other client.
    await client.forTidying().tell(upload, { method: "DELETE", headers: TUS });
  } catch {
    // It forgets by itself after a while.
  }
}
