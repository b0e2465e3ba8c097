import { createReadStream, createWriteStream } from "node:fs";
import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { pipeline } from "node:stream/promises";
import { ReelmillError } from "../base/errors.ts";
import { rootCodeOf } from "../base/system-code.ts";

/** A request to the batch API, or to a store by a link that was given out for it. */
export interface Exchange {
  readonly method: "GET" | "POST" | "PUT";
  /** http or https. */
  readonly url: string;
  /** How it is called in messages: addresses may hold secrets. */
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text, or so many bytes of a file. */
  readonly body?: string | FileBytes;
  /** Where the answer's body goes; without it, it is given back as text of at most 1 MiB. */
  readonly saveTo?: string;
  /** Told of a file's bytes as they go out. */
  readonly onBytes?: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** Bytes of a file; `from` is the first one's offset, default 0. */
interface FileBytes {
  readonly path: string;
  readonly bytes: number;
  readonly from?: number;
}

/** A successful answer. */
export interface Answer {
  /** Empty where it was saved. */
  readonly text: string;
  /** Bytes saved. */
  readonly savedBytes: number;
  /** What a store calls what was written. */
  readonly etag: string | undefined;
}

/** Without a byte for so long, a connection counts as dead. */
const IDLE_TIMEOUT_MS = 60_000;
const MAX_TEXT_BYTES = 1024 * 1024;

/**
 * One request over a connection of its own; redirects are not followed, so that a key goes nowhere else. Throws
 * CLOUD_UNREACHABLE where trying again may help (no connection, 408, 429, 5xx), CLOUD_REFUSED for any other answer than 2xx,
 * ABORTED, and what the system says of the files.
 */
export async function exchange(wanted: Exchange): Promise<Answer> {
  try {
    const response = await send(wanted);
    const status = response.statusCode ?? 0;
    const { etag } = response.headers;
    if (status >= 200 && status < 300 && wanted.saveTo !== undefined) {
      return { text: "", savedBytes: await save(response, wanted.saveTo, wanted), etag };
    }
    const text = await readText(response);
    if (status >= 200 && status < 300) return { text, savedBytes: 0, etag };
    throw refusal(wanted.what, status, text);
  } catch (error) {
    if (wanted.signal.aborted) throw new ReelmillError("ABORTED", `${wanted.what} was cancelled.`, { cause: error });
    if (error instanceof ReelmillError || isFileError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReelmillError("CLOUD_UNREACHABLE", `${wanted.what} failed: ${reason}.`, { cause: error });
  }
}

const DISK_CODES: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EFBIG", "EIO", "ENOENT", "EACCES"]);

/** Whether our own disk is at fault, not the connection. */
function isFileError(error: unknown): boolean {
  return DISK_CODES.has(rootCodeOf(error) ?? "");
}

function refusal(what: string, status: number, text: string): ReelmillError {
  const isPassing = status === 408 || status === 429 || status >= 500;
  const said = text.trim().slice(0, 300);
  const message = `${what} was answered with status ${status}${said === "" ? "" : `: ${said}`}.`;
  return new ReelmillError(isPassing ? "CLOUD_UNREACHABLE" : "CLOUD_REFUSED", message);
}

async function send({ method, url, headers, body, onBytes, signal }: Exchange): Promise<IncomingMessage> {
  const bytes = typeof body === "object" ? body.bytes : Buffer.byteLength(body ?? "");
  const length = body === undefined ? {} : { "content-length": String(bytes) };
  const start = url.startsWith("https:") ? requestHttps : requestHttp;
  const request = start(url, { method, headers: { ...headers, ...length }, signal, agent: false });
  request.setTimeout(IDLE_TIMEOUT_MS, () => request.destroy(new Error("nothing was heard for a minute")));
  const answered = new Promise<IncomingMessage>((settle, fail) => {
    request.once("response", settle);
    // Stays, because a broken connection may raise several.
    request.on("error", fail);
  });
  if (typeof body === "object") await Promise.race([sendFile(request, body, onBytes), answered]);
  else request.end(body);
  return await answered;
}

/** Only the bytes that were announced: a file that grows meanwhile must not break the request's form. */
async function sendFile(
  request: ClientRequest,
  { path, bytes, from = 0 }: FileBytes,
  onBytes: Exchange["onBytes"],
): Promise<void> {
  if (bytes === 0) {
    request.end();
    return;
  }
  const file = createReadStream(path, { start: from, end: from + bytes - 1 });
  file.on("data", (piece) => onBytes?.(piece.length));
  await pipeline(file, request);
}

async function readText(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_TEXT_BYTES) throw new Error(`the answer is longer than ${MAX_TEXT_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

async function save(response: IncomingMessage, path: string, { what }: Exchange): Promise<number> {
  let bytes = 0;
  response.on("data", (piece: Buffer) => {
    bytes += piece.length;
  });
  await pipeline(response, createWriteStream(path));
  const announced = response.headers["content-length"];
  if (announced !== undefined && Number(announced) !== bytes) {
    throw new ReelmillError("CLOUD_UNREACHABLE", `${what} ended after ${bytes} of ${announced} bytes.`);
  }
  return bytes;
}
