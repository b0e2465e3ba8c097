import type { Socket } from "node:net";
import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { PROBLEM_TYPE, toProblem } from "./problem.ts";

/** What Node's parser calls them. */
const CODES: ReadonlyMap<string, readonly [ErrorCode, string]> = new Map([
  ["HPE_HEADER_OVERFLOW", ["HEADERS_TOO_LARGE", "The request's headers are too large."]],
  ["ERR_HTTP_REQUEST_TIMEOUT", ["REQUEST_TIMEOUT", "The request's headers did not come in time."]],
]);

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
};

/** Answers what is no HTTP request at all, and ends the connection. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  // A client that is gone hears nothing.
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, message] = CODES.get(error.code ?? "") ?? ["REQUEST_INVALID", "The request is no valid HTTP."];
  const problem = toProblem(new ReelmillError(code, message), "");
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${REASONS[problem.status] ?? "Error"}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
    "x-content-type-options: nosniff",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
