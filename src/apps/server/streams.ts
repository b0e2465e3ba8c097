import type { IncomingMessage, ServerResponse } from "node:http";
import { ReelmillError } from "../../base/errors.ts";

/** Whether a request brings a body (RFC 9112 §6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Ends a request in whose body nothing comes for so long; once it is there, the server may take its time. */
export function endOnSilence(request: IncomingMessage, response: ServerResponse, silenceMs: number): void {
  if (!hasBody(request)) return;
  const { socket } = request;
  const silent = (): void => {
    request.destroy(new ReelmillError("REQUEST_TIMEOUT", "The upload went silent."));
  };
  const stop = (): void => {
    request.removeListener("end", stop);
    response.removeListener("close", stop);
    socket.removeListener("timeout", silent);
    socket.setTimeout(0);
  };
  socket.setTimeout(silenceMs, silent);
  request.once("end", stop);
  // Some are answered without their body being read; the connection goes on to the next one.
  response.once("close", stop);
}

/** The bytes given, up to a limit. Throws BODY_TOO_LARGE, at once where the request says so before. */
export async function* limitBytes(request: IncomingMessage, limitBytes: number): AsyncGenerator<Uint8Array> {
  const tooLarge = new ReelmillError("BODY_TOO_LARGE", `The body is larger than the ${limitBytes} bytes allowed.`);
  if (Number(request.headers["content-length"] ?? 0) > limitBytes) throw tooLarge;
  let bytes = 0;
  // The connection has to live on for the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const part = chunk as Buffer;
    bytes += part.length;
    if (bytes > limitBytes) throw tooLarge;
    yield part;
  }
}

/** The bytes given, which must be as many as were announced. Throws STORE_UNAVAILABLE: better no answer than a short one. */
export async function* requireLength(content: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const part of content) {
    left -= part.length;
    if (left < 0) break;
    yield part;
  }
  if (left !== 0) throw new ReelmillError("STORE_UNAVAILABLE", "The object was replaced while it was read.");
}
