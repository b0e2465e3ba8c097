import { type ErrorCode, ReelmillError } from "../../base/errors.ts";

/** HTTP status of each code that can reach a client; what is not named is the server's own fault. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  PARAMS_INVALID: 400,
  PIPELINE_UNKNOWN: 400,
  REQUEST_INVALID: 400,
  CURSOR_INVALID: 400,
  OBJECT_KEY_INVALID: 400,
  WEBHOOK_REFUSED: 400,
  BATCH_EMPTY: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  JOB_NOT_FOUND: 404,
  QUEUE_UNKNOWN: 404,
  DEAD_LETTER_NOT_FOUND: 404,
  OBJECT_NOT_FOUND: 404,
  UPLOAD_NOT_FOUND: 404,
  DELIVERY_NOT_FOUND: 404,
  INPUT_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  JOB_STATE: 409,
  IDEMPOTENCY_CONFLICT: 409,
  OBJECT_KEY_CONFLICT: 409,
  WATCH_NOT_CONFIGURED: 409,
  ESTIMATE_IMPOSSIBLE: 409,
  UPLOAD_REFUSED: 409,
  ANSWER_TOO_LARGE: 413,
  BODY_TOO_LARGE: 413,
  URL_TOO_LONG: 414,
  MEDIA_TYPE_UNSUPPORTED: 415,
  RANGE_UNSATISFIABLE: 416,
  RATE_LIMITED: 429,
  HEADERS_TOO_LARGE: 431,
  STORE_REFUSED: 502,
  STORE_UNAVAILABLE: 503,
  NO_SPACE: 507,
};

/** The HTTP status that a code is answered with. */
export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 500;
}

/** Media type of problem details (RFC 9457). */
export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** Problem details (RFC 9457) with the stable code. */
export interface Problem {
  /** Where the code is explained. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  /** Path of the request. */
  readonly instance: string;
}

/** Whether an error is the server's own fault, of which nothing is told outside. */
export function isFault(error: ReelmillError): boolean {
  return statusOf(error.code) === 500;
}

/** What a client is told of an error. `status` where the protocol wants another one than the code's. */
export function toProblem(error: ReelmillError, url: string, status = statusOf(error.code)): Problem {
  const { code } = error;
  const told: ErrorCode = isFault(error) ? "INTERNAL" : code;
  const title = told.charAt(0) + told.slice(1).toLowerCase().replaceAll("_", " ");
  const detail = isFault(error) ? "The server failed; its log says why." : error.message;
  const instance = url.split("?", 1)[0] ?? "";
  return { type: `/docs/errors#${told}`, title, status, detail, code: told, instance };
}

/** What Fastify and its plugins throw. */
interface FrameworkError extends Error {
  readonly statusCode?: number;
  readonly code?: string;
}

const FRAMEWORK_CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [404, "NOT_FOUND"],
  [413, "BODY_TOO_LARGE"],
  [414, "URL_TOO_LONG"],
  [415, "MEDIA_TYPE_UNSUPPORTED"],
  [429, "RATE_LIMITED"],
  [503, "STORE_UNAVAILABLE"],
]);

/** Any error as one of ours; undefined where it is a fault. */
export function translateError(error: unknown): ReelmillError | undefined {
  if (error instanceof ReelmillError) return error;
  if (!(error instanceof Error)) return undefined;
  const { statusCode, message, code } = error as FrameworkError;
  if (statusCode === undefined || code?.startsWith("FST_") !== true) return undefined;
  const known = FRAMEWORK_CODES.get(statusCode) ?? (statusCode < 500 ? "REQUEST_INVALID" : undefined);
  return known && new ReelmillError(known, `${message}${message.endsWith(".") ? "" : "."}`, { cause: error });
}
